"""What staff read where a channel could not be created, changed or deleted: what is wrong, and what to do about it."""

import logging

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from channels_app.aws import AwsError, Kind
from channels_app.encryption import UnreadableSecretError
from channels_app.errors import (
    ChannelChangedError,
    ChannelContendedError,
    ChannelDeletedError,
    ChannelError,
    ChannelGoneError,
    ChannelLeftBehindError,
    ChannelLiveError,
    ChannelOfflineError,
    ChannelUnfinishedError,
    IdempotencyKeyInFlightError,
    IdempotencyKeyReusedError,
    RecordingNotConfiguredError,
    StreamKeyMissingError,
)

logger = logging.getLogger(__name__)

# All that a service of channels raises when it refuses.
REFUSALS = (AwsError, ChannelError, UnreadableSecretError)
_OF_SERVICE: dict[type[Exception], str | Promise] = {
    ChannelChangedError: _("Somebody else changed this channel meanwhile."),
    ChannelContendedError: _("Others are changing the same channel right now. Wait a few seconds, then try again."),
    ChannelDeletedError: _("The channel was deleted. Only its row and its videos are left."),
    ChannelGoneError: _("Amazon IVS no longer has this channel: somebody deleted it there. Delete it here as well."),
    ChannelLeftBehindError: _(
        "Amazon IVS gave no answer and may have made the channel. After a minute the action “Finish or undo "
        "interrupted creation” of the list of channels settles it. (%(detail)s)"
    ),
    ChannelLiveError: _(
        "Amazon IVS neither deletes a live channel nor changes its type, latency, privacy or recording. Stop the "
        "stream, wait until the channel is offline, then try again."
    ),
    ChannelOfflineError: _("Nothing is on air: Amazon IVS has no stream of this channel."),
    ChannelUnfinishedError: _(
        "The creation of this channel is under way or was interrupted. After a minute the action “Finish or undo "
        "interrupted creation” of the list of channels settles it."
    ),
    IdempotencyKeyInFlightError: _(
        "This form was sent twice, and the channel is being created. Look at the list of channels in a few seconds."
    ),
    IdempotencyKeyReusedError: _(
        "This form was sent before with other values. To create another channel, load the page again."
    ),
    RecordingNotConfiguredError: _(
        "Channels cannot be recorded: RECORDING_CONFIG_ARN is not set, or Amazon IVS does not have it. Do not record, "
        "or ask whoever runs this service to set it."
    ),
    StreamKeyMissingError: _(
        "This channel has no stream key: a ban removed it, or its replacement was interrupted. Replace the stream "
        "key, which makes a new one."
    ),
    UnreadableSecretError: _(
        "The stream key cannot be read: the key that encrypted it is no longer in FIELD_ENCRYPTION_KEYS. Replace the "
        "stream key, or ask whoever runs this service to add that key again."
    ),
}
_OF_AWS: dict[Kind, str | Promise] = {
    Kind.INVALID: _("Amazon IVS does not take a value: %(message)s. Change it, then try again."),
    Kind.DENIED: _(
        "Amazon IVS does not let this service do that. Whoever runs it finds in the log which permission its role "
        "lacks."
    ),
    Kind.PENDING_VERIFICATION: _(
        "The AWS account of this service is not verified yet: its owner opens a support case with AWS."
    ),
    Kind.NOT_FOUND: _("Amazon IVS does not have it: %(message)s."),
    Kind.NOT_BROADCASTING: _("Nothing is on air: Amazon IVS has no stream of this channel."),
    Kind.CONFLICT: _("Amazon IVS is changing the same thing right now. Wait a few seconds, then try again."),
    Kind.QUOTA: _(
        "A quota of the AWS account is used up: %(message)s. Delete what nobody needs, or raise it in Service Quotas."
    ),
    Kind.THROTTLED: _("Amazon IVS is asked too often just now. Wait a few seconds, then try again."),
    Kind.TIMEOUT: _("Amazon IVS gave no answer in time, and may have done it all the same. Look before you try again."),
    Kind.UNAVAILABLE: _("Amazon IVS could not be reached, or failed. Try again in a minute."),
    Kind.MISCONFIGURED: _(
        "This service cannot speak to Amazon IVS: its region or its credentials are wrong. Whoever runs it finds the "
        "reason in the log."
    ),
}


def refusal_told(error: Exception) -> str:
    """The sentences about one of `REFUSALS`; what AWS says of accounts and roles stays in the log."""
    if isinstance(error, AwsError):
        logger.warning("AWS refused staff: %s", error)
        return str(_OF_AWS[error.kind]) % {"message": error.message.rstrip(".")}
    return str(_OF_SERVICE.get(type(error), "%(detail)s")) % {"detail": error}
