"""What staff do to one channel by a button: each is asked about on a page of its own, and done by a service."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from channels_app.control import channel_delete
from channels_app.keys import stream_key_reveal, stream_key_rotate, stream_stop
from channels_app.models import Channel

Text = str | Promise


@dataclass(frozen=True)
class ChannelAction:
    """A button of a channel's page: `word` is its address, `told` says what will happen, `done` that it did.

    `act` is given the account that asks, and returns the stream key that is to be shown, or nothing.
    """

    word: str
    permission: str
    label: Text
    question: Text
    told: tuple[Text, ...]
    done: Text
    act: Callable[[Channel, UUID], str]
    is_offered: Callable[[Channel], bool]
    # One that takes something away.
    is_grave: bool = False
    replaces_key: bool = False


def _reveal(channel: Channel, by: UUID) -> str:
    return stream_key_reveal(channel=channel, by=by)


def _rotate(channel: Channel, by: UUID) -> str:
    return stream_key_rotate(channel=channel).reveal_stream_key()


def _stop(channel: Channel, by: UUID) -> str:
    stream_stop(channel=channel)
    return ""


def _ban(channel: Channel, by: UUID) -> str:
    stream_stop(channel=channel, ban=True)
    return ""


def _delete(channel: Channel, by: UUID) -> str:
    channel_delete(channel=channel)
    return ""


def is_ready(channel: Channel) -> bool:
    """Whether it is in Amazon IVS, as far as is known here."""
    return channel.status not in {Channel.Status.PROVISIONING, Channel.Status.DELETED} and bool(channel.arn)


def _has_key(channel: Channel) -> bool:
    return is_ready(channel) and bool(channel.stream_key)


def _is_left(channel: Channel) -> bool:
    return channel.status != Channel.Status.DELETED


ACTIONS = (
    ChannelAction(
        word="reveal",
        permission="channels_app.reveal_stream_key",
        label=_("Reveal the stream key"),
        question=_("Reveal the stream key?"),
        told=(
            _("The stream key is shown on the page that follows, and nowhere else."),
            _("Whoever has it can broadcast on this channel."),
            _("It is put on record that it was shown to you."),
        ),
        done=_("The stream key was revealed."),
        act=_reveal,
        is_offered=_has_key,
    ),
    ChannelAction(
        word="rotate",
        permission="channels_app.change_channel",
        label=_("Replace the stream key"),
        question=_("Replace the stream key?"),
        told=(
            _("The stream key of today stops working: every encoder needs the new one before it connects again."),
            _("A stream that is on air goes on."),
            _("Where the channel was banned, the ban ends."),
            _("The new stream key is shown once, on the page that follows."),
        ),
        done=_("The stream key was replaced."),
        act=_rotate,
        is_offered=is_ready,
        replaces_key=True,
    ),
    ChannelAction(
        word="stop",
        permission="channels_app.change_channel",
        label=_("Stop the stream"),
        question=_("Stop the stream?"),
        told=(
            _("Viewers see the end of the stream within seconds, and its recording ends."),
            _("An encoder that is still running connects again by itself: stop it first, or ban the channel instead."),
        ),
        done=_("Amazon IVS ended the stream. The channel is offline as soon as the event of its end has come."),
        act=_stop,
        is_offered=is_ready,
        is_grave=True,
    ),
    ChannelAction(
        word="ban",
        permission="channels_app.change_channel",
        label=_("Ban"),
        question=_("Ban this channel from broadcasting?"),
        told=(
            _("The stream key is removed first, then the stream is ended, so that its encoder cannot come back."),
            _("Nobody can broadcast on this channel until somebody replaces the stream key, which ends the ban."),
            _("The channel, its settings and its videos stay."),
        ),
        done=_("The channel is banned: it has no stream key. To end the ban, replace the stream key."),
        act=_ban,
        is_offered=is_ready,
        is_grave=True,
    ),
    ChannelAction(
        word="delete",
        permission="channels_app.delete_channel",
        label=_("Delete"),
        question=_("Delete this channel?"),
        told=(
            _("Amazon IVS deletes the channel, its stream key and its playback URL. This cannot be undone."),
            _("Its row, its streams and its videos stay here."),
            _("A channel that is live is not deleted: stop its stream first."),
        ),
        done=_("The channel was deleted in Amazon IVS. Its row and its videos stay."),
        act=_delete,
        is_offered=_is_left,
        is_grave=True,
    ),
)
