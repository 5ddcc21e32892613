"""All that is compared, in its order: channels, then what viewers see at once, and streams before their recordings."""

from functools import partial

from channels_app.reconcile.account import orphans, unfinished
from channels_app.reconcile.channels import channels
from channels_app.reconcile.differences import Phase
from channels_app.reconcile.live import live_states
from channels_app.reconcile.sessions import sessions
from channels_app.reconcile.unapplied import events_unapplied
from ondemand.reconcile.private import private_videos
from ondemand.reconcile.recordings import recordings
from ondemand.reconcile.stuck import last_sign, stuck


def all_phases() -> dict[str, Phase]:
    """The phases of one run."""
    told: set[str] = set()
    return {
        "events": events_unapplied,
        "unfinished": unfinished,
        "orphans": orphans,
        "live": partial(live_states, last_sign=last_sign, told=told),
        "channels": channels,
        "sessions": partial(sessions, told=told),
        "recordings": recordings,
        "stuck": stuck,
        "private": private_videos,
    }


def phases_of_past() -> dict[str, Phase]:
    """What a channel did before it was known; nothing is guessed of it."""
    return {"sessions": partial(sessions, told=()), "recordings": recordings}
