"""The phases of `reconcile`, in their order: channels, then what viewers see at once, and streams before recordings."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.db import connection

from channels_app.reconcile.channels import channels, orphans, unfinished
from channels_app.reconcile.differences import Phase, Scope, Step
from channels_app.reconcile.live import live_states
from channels_app.reconcile.repair import events_unapplied
from channels_app.reconcile.sessions import sessions
from ondemand.reconcile.recordings import recordings
from ondemand.reconcile.stuck import last_sign, stuck
from ondemand.sql.backfill import add_words, sum_tags

# The number of videos, the newest, whose words each run adds.
_NEWEST = 2_000


def all_phases() -> dict[str, Phase]:
    """Return the phases of one run."""
    reported: set[str] = set()
    return {
        "events": events_unapplied,
        "unfinished": unfinished,
        "orphans": orphans,
        "live": partial(live_states, last_sign=last_sign, reported=reported),
        "channels": channels,
        "sessions": partial(sessions, reported=reported),
        "recordings": recordings,
        "stuck": stuck,
        "tags": tag_counts,
        "words": new_words,
    }


def phases_of_past() -> dict[str, Phase]:
    """Return the phases that find the streams and recordings of a channel before its import."""
    return {"sessions": partial(sessions, reported=()), "recordings": recordings}


def tag_counts(scope: Scope, position: Any) -> Iterator[Step]:
    """Add up the counts of tags, in a run over all channels; nothing to compare."""
    if scope.channel is None:
        yield Step(once_settled=_sum_tags)


def _sum_tags() -> None:
    with connection.cursor() as cursor:
        sum_tags(cursor)


def new_words(scope: Scope, position: Any) -> Iterator[Step]:
    """Add the words of the newest videos to those of near misses, in a run over all channels; nothing to compare."""
    if scope.channel is None:
        yield Step(once_settled=_add_words)


def _add_words() -> None:
    with connection.cursor() as cursor:
        add_words(cursor, _NEWEST)
