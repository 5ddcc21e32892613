"""Facts for the page of a channel: those of its row, and those that Amazon IVS reports at the time of the request."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels_app.admin.forms import LABELS, NEW_VIDEO_STATES, editable_of
from channels_app.channels.updates import refusals, refuse_unusable
from channels_app.models import Channel, ChannelType
from common import aws
from common.admin.pages import Text, refusal_sentence
from common.errors import ServiceError
from common.rest.times import NOTHING, zoned

_UP_TO_1080P = _("at most 8.5 Mbit/s and 1920 × 1080")  # noqa: RUF001
# What an encoder may send, by type of channel.
# https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/streaming-config.html
ENCODER_LIMITS: dict[str | None, Text] = {
    ChannelType.STANDARD: _UP_TO_1080P,
    ChannelType.ADVANCED_SD: _UP_TO_1080P,
    ChannelType.ADVANCED_HD: _UP_TO_1080P,
    ChannelType.BASIC: _("at most 1.5 Mbit/s for 852 × 480, or 3.5 Mbit/s for up to 1920 × 1080"),  # noqa: RUF001
}
# In the order in which the page shows them.
LIVE_LABELS: dict[str, Text] = {
    "viewers": _("Viewers"),
    "health": _("Health"),
    "since": _("On air since"),
    "stream": _("Stream"),
}
_HEALTH: dict[str, Text] = {"HEALTHY": _("healthy"), "STARVING": _("starving: the encoder sends too little")}


@dataclass(frozen=True)
class Fact:
    """A line of the page; `copy` is the label of its copy button, empty if it has none."""

    label: Text
    value: Text
    copy: Text = ""
    is_code: bool = False


def facts_of(channel: Channel, *, with_settings: bool) -> list[Fact]:
    """Return the facts beside the form, with the settings if the page has no form; never the stream key itself."""
    settings = editable_of(channel).items() if with_settings else ()
    facts = [
        Fact(_("Ingest URL"), channel.ingest_url or "", _("Copy the ingest URL"), is_code=True),
        Fact(_("Stream key"), _("hidden") if channel.stream_key else _("none")),
        Fact(_("Playback URL"), channel.playback_url or "", _("Copy the playback URL"), is_code=True),
        *(Fact(LABELS[name], setting_text(name, value)) for name, value in settings),
        Fact(_("Owner"), str(channel.owner), is_code=True),
        Fact(_("Created"), zoned(channel.created_at)),
        Fact(_("UUID"), str(channel.pk), _("Copy the UUID"), is_code=True),
        Fact(_("ARN"), channel.arn or "", _("Copy the ARN"), is_code=True),
    ]
    return [fact for fact in facts if fact.value]


def setting_text(name: str, value: Any) -> Text:
    """Return the value of an editable field as text."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name == "new_video_state":
        return NEW_VIDEO_STATES.get(str(value), _("as the setting NEW_VIDEO_STATE says"))
    return str(value) if value else NOTHING


def live_facts(channel: Channel) -> tuple[str, dict[str, str]]:
    """Ask IVS about the current stream of a channel.

    Return a sentence, which is the error if IVS refuses or does not answer, and the facts by the names of
    `LIVE_LABELS`, none if there is no stream.
    """
    try:
        refuse_unusable(channel)
        with refusals():
            stream = aws.stream_now(channel_arn=channel.arn)
    except ServiceError as error:
        return refusal_sentence(error), {}
    time = {"time": zoned(timezone.now())}
    if stream is None:
        return gettext("Amazon IVS reported no stream of this channel at %(time)s.") % time, {}
    return gettext("Reported by Amazon IVS at %(time)s.") % time, {
        "viewers": gettext("not counted yet") if stream.viewers is None else str(stream.viewers),
        "health": str(_HEALTH.get(stream.health, _("not known yet"))),
        "since": zoned(stream.started_at),
        "stream": stream.stream_id,
    }
