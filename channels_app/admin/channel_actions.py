"""The buttons of a channel's page: each asks for confirmation on a page, then calls a service."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from channels_app.channels.stream_keys import stream_key_reveal, stream_key_rotate, stream_stop
from channels_app.channels.updates import channel_delete
from channels_app.models import Channel
from common.admin.pages import Text


def is_ready(channel: Channel) -> bool:
    """Return whether the channel exists in Amazon IVS, according to its row."""
    return channel.status not in {Channel.Status.PROVISIONING, Channel.Status.DELETED} and bool(channel.arn)


@dataclass(frozen=True)
class ChannelAction:
    """A button; `name` is the end of its address, `consequences` and `done` are sentences before and after it.

    `act` takes the channel and the account, and returns what it did. With `shows_key` that is the stream key, which is
    shown once.
    """

    name: str
    label: Text
    question: Text
    consequences: tuple[Text, ...]
    done: Text
    act: Callable[[Channel, UUID], object]
    permission: str = "channels_app.change_channel"
    is_offered: Callable[[Channel], bool] = is_ready
    is_destructive: bool = False
    shows_key: bool = False
    replaces_key: bool = False


ACTIONS = (
    ChannelAction(
        name="reveal",
        permission="channels_app.reveal_stream_key",
        label=_("Reveal the stream key"),
        question=_("Reveal the stream key?"),
        consequences=(
            _("The stream key is shown on the page that follows, and nowhere else."),
            _("Anyone who has it can broadcast on this channel."),
            _("The audit log records that it was shown to you."),
        ),
        done=_("The stream key was revealed."),
        act=lambda channel, by: stream_key_reveal(channel=channel, by=by),
        is_offered=lambda channel: is_ready(channel) and bool(channel.stream_key),
        shows_key=True,
    ),
    ChannelAction(
        name="rotate",
        label=_("Replace the stream key"),
        question=_("Replace the stream key?"),
        consequences=(
            _("The current stream key stops working: every encoder needs the new one before it connects again."),
            _("A running stream continues."),
            _("If the channel is banned, the ban ends."),
            _("The new stream key is shown once, on the page that follows."),
        ),
        done=_("The stream key was replaced."),
        act=lambda channel, by: stream_key_rotate(channel=channel).reveal_stream_key(),
        shows_key=True,
        replaces_key=True,
    ),
    ChannelAction(
        name="stop",
        label=_("Stop the stream"),
        question=_("Stop the stream?"),
        consequences=(
            _("Viewers see the end of the stream within seconds, and its recording ends."),
            _("An encoder that is still running reconnects: stop it first, or ban the channel instead."),
        ),
        done=_("Amazon IVS ended the stream. The channel goes offline when the event of its end arrives."),
        act=lambda channel, by: stream_stop(channel=channel),
        is_destructive=True,
    ),
    ChannelAction(
        name="ban",
        label=_("Ban"),
        question=_("Ban this channel from broadcasting?"),
        consequences=(
            _("The stream key is removed before the stream is ended, so that its encoder cannot reconnect."),
            _("Nobody can broadcast on this channel until somebody replaces the stream key, which ends the ban."),
            _("The channel, its settings and its videos stay."),
        ),
        done=_("The channel is banned: it has no stream key. To end the ban, replace the stream key."),
        act=lambda channel, by: stream_stop(channel=channel, ban=True),
        is_destructive=True,
    ),
    ChannelAction(
        name="delete",
        permission="channels_app.delete_channel",
        label=_("Delete"),
        question=_("Delete this channel?"),
        consequences=(
            _("Amazon IVS deletes the channel, its stream key and its playback URL. This cannot be undone."),
            _("Its row, its streams and its videos stay here."),
            _("A channel that is live is not deleted: stop its stream first."),
        ),
        done=_("The channel was deleted in Amazon IVS. Its row and its videos stay."),
        act=lambda channel, by: channel_delete(channel=channel),
        is_offered=lambda channel: channel.status != Channel.Status.DELETED,
        is_destructive=True,
    ),
)
