"""Errors of services, each with its answer: status, code and sentence of the API, and the sentence of the admin."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class ServiceError(Exception):
    """An operation that is refused or failed. The message is a sentence for the client, and has no secret."""

    status_code = 409
    code = "conflict"
    # The message, unless the raiser gives one.
    sentence = ""
    # For the pages of the admin, in the language of the reader; `%(detail)s` stands for the message.
    staff_sentence: str | Promise = "%(detail)s"
    # The header Retry-After in seconds; None means the default of the status.
    retry_after: str | None = None

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence or self.sentence)

    def for_client(self) -> str:
        """Return the sentence of the API."""
        return str(self)

    def for_staff(self) -> str:
        """Return the sentence of the admin."""
        return str(self.staff_sentence) % {"detail": self}


class ChannelError(ServiceError):
    """The base of the errors of channels."""


class ChannelNotFoundError(ChannelError):
    status_code = 404
    code = "not_found"
    sentence = "IVS Channel not found"


class ChannelLeftBehindError(ChannelError):
    """A channel may be in IVS and cannot be used here; the message names it."""

    status_code = 503
    code = "channel_unfinished"
    staff_sentence = _(
        "Amazon IVS gave no answer and may have made the channel. After a minute the action “Finish or undo "
        "interrupted creation” of the list of channels settles it. (%(detail)s)"
    )


class ChannelDeletedError(ChannelError):
    code = "channel_deleted"
    sentence = "The channel was deleted"
    staff_sentence = _("The channel was deleted. Only its row and its videos are left.")


class ChannelUnfinishedError(ChannelError):
    code = "channel_unfinished"
    sentence = (
        "The creation of the channel is under way or was interrupted: repeat the request that made it, "
        "or delete the channel after a minute"
    )
    staff_sentence = _(
        "The creation of this channel is under way or was interrupted. After a minute the action “Finish or undo "
        "interrupted creation” of the list of channels settles it."
    )


class ChannelLiveError(ChannelError):
    code = "channel_live"
    sentence = "The channel is live: stop the stream, wait for its end, and try again"
    staff_sentence = _(
        "Amazon IVS neither deletes a live channel nor changes it. Stop the stream, wait until the channel is offline."
    )


class ChannelOfflineError(ChannelError):
    code = "channel_offline"
    sentence = "The channel is offline"
    staff_sentence = _("Nothing is on air: Amazon IVS has no stream of this channel.")


class ChannelGoneError(ChannelError):
    """The channel has a row here, and was deleted in IVS."""

    code = "channel_gone"
    sentence = "Amazon IVS no longer has this channel: it can only be deleted"
    staff_sentence = _("Amazon IVS no longer has this channel: somebody deleted it there. Delete it here as well.")


class ChannelContendedError(ChannelError):
    code = "channel_contended"
    sentence = "Other requests are changing the same channel: try again"
    staff_sentence = _("Others are changing the same channel right now. Wait a few seconds, then try again.")


class ChannelChangedError(ChannelError):
    code = "channel_changed"
    sentence = "The channel was changed meanwhile: look at it again"
    staff_sentence = _("Somebody else changed this channel meanwhile.")


class StreamKeyMissingError(ChannelError):
    code = "stream_key_missing"
    sentence = "The channel has no stream key: replace it, which makes one"
    staff_sentence = _("This channel has no stream key. Replace the stream key, which makes a new one.")


class RecordingNotConfiguredError(ChannelError):
    code = "recording_not_configured"
    sentence = "Channels cannot be recorded: RECORDING_CONFIG_ARN is not set, or Amazon IVS does not have it"
    staff_sentence = _("Channels cannot be recorded: RECORDING_CONFIG_ARN is not set or not in Amazon IVS.")


class ChannelImportError(ChannelError):
    """A channel of IVS cannot be imported; the message says why. Only commands raise it."""


class IdempotencyKeyReusedError(ChannelError):
    status_code = 422
    code = "idempotency_key_reused"
    sentence = "This Idempotency-Key was used with another body"
    staff_sentence = _("This form was sent before with other values. To create another channel, load the page again.")


class IdempotencyKeyInFlightError(ChannelError):
    """A request with the same key may be under way, for at most as many seconds as `retry_after`."""

    code = "idempotency_key_in_flight"
    sentence = "A request with this Idempotency-Key is at work: try again"
    staff_sentence = _("This form was sent twice. Look at the list of channels in a few seconds.")

    def __init__(self, seconds: int = 1) -> None:
        super().__init__()
        self.retry_after = str(seconds)
