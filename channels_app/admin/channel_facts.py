"""What the page of a channel says of it beside its form, and what whoever sets up an encoder has to know."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from channels_app.control import editable_of
from channels_app.forms import LABELS, NEW_VIDEO_STATES
from channels_app.models import Channel, ChannelType
from channels_app.times import NOTHING, zoned

Text = str | Promise
_UP_TO_1080P = _("at most 8.5 Mbit/s and 1920 × 1080")  # noqa: RUF001
# https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/streaming-config.html
_LIMITS: dict[str, Text] = {
    ChannelType.STANDARD: _UP_TO_1080P,
    ChannelType.ADVANCED_SD: _UP_TO_1080P,
    ChannelType.ADVANCED_HD: _UP_TO_1080P,
    ChannelType.BASIC: _("at most 1.5 Mbit/s for 852 × 480, or 3.5 Mbit/s for up to 1920 × 1080"),  # noqa: RUF001
}


@dataclass(frozen=True)
class Fact:
    """A line of the page; `copy` is the label of its button, where it has one."""

    label: Text
    value: Text
    copy: Text = ""
    is_code: bool = False


def facts_of(channel: Channel, *, with_settings: bool) -> list[Fact]:
    """What stands beside the form, and its fields too where there is no form. The stream key is never among them."""
    return [*_addresses(channel), *(_settings(channel) if with_settings else ()), *_identity(channel)]


def _addresses(channel: Channel) -> Iterator[Fact]:
    if channel.ingest_url:
        yield Fact(_("Ingest URL"), channel.ingest_url, _("Copy the ingest URL"), is_code=True)
    yield Fact(_("Stream key"), _("hidden") if channel.stream_key else _("none"))
    if channel.playback_url:
        yield Fact(_("Playback URL"), channel.playback_url, _("Copy the playback URL"), is_code=True)


def _settings(channel: Channel) -> Iterator[Fact]:
    for name, value in editable_of(channel).items():
        yield Fact(LABELS[name], value_told(name, value))


def _identity(channel: Channel) -> Iterator[Fact]:
    yield Fact(_("Owner"), str(channel.owner), is_code=True)
    yield Fact(_("Created"), zoned(channel.created_at))
    yield Fact(_("UUID"), str(channel.pk), _("Copy the UUID"), is_code=True)
    if channel.arn:
        yield Fact(_("ARN"), channel.arn, _("Copy the ARN"), is_code=True)


def value_told(name: str, value: Any) -> Text:
    """A value of a field that people edit, as they read it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name == "new_video_state":
        return NEW_VIDEO_STATES.get(str(value), _("as the setting NEW_VIDEO_STATE says"))
    return str(value) if value else NOTHING


def limit_of(channel: Channel) -> Text | None:
    """How much an encoder may send; None of a channel whose type is not known."""
    return _LIMITS.get(channel.type or "")
