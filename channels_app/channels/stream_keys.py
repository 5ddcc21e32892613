"""Reveal, replace and remove the stream key of a channel, and stop its stream.

As in `updates.py` every write puts the facts of IVS in the row until both agree. Only a ban is written before IVS is
called, so that an interrupted one is still recorded as a ban.
"""

import logging
from uuid import UUID

from channels_app.channels.provisioning import UUID_TAG, stream_key_data
from channels_app.channels.updates import channel_reload, data_of, refusals, refuse_unusable, row_locked, row_save
from channels_app.models import Channel
from common import aws, errors
from common.audit import audit_note

logger = logging.getLogger(__name__)

_TRIES = 5
# `StreamKey` of `channel_data` after a ban.
_REMOVED = {"Removed": True}


def stream_key_reveal(*, channel: Channel, by: UUID) -> str:
    """Return the stream key, and record in the audit log that it was shown.

    Raises:
        StreamKeyMissingError, UnreadableSecretError: the channel has none, or its encryption key is no longer set.
    """
    key = channel_reload(channel).reveal_stream_key()
    if not key:
        raise errors.StreamKeyMissingError
    audit_note(model="channel", pk=channel.pk, name=str(channel))
    logger.info("stream key revealed uuid=%s by=%s", channel.uuid, by)
    return key


def stream_key_rotate(*, channel: Channel) -> Channel:
    """Replace the stream key, or create one if there is none. A stream that uses the old one continues.

    IVS cannot replace a key, and a channel has one at most: the old one is deleted, then a new one created. Concurrent
    rotations all return the one key that exists.
    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_CreateStreamKey.html

    Raises:
        ChannelDeletedError, ChannelUnfinishedError, ChannelGoneError: there is no channel for a key.
        ChannelContendedError: others kept replacing or removing it.
        AwsError: IVS refused or did not answer; the row holds the key that exists, or none.
    """
    refuse_unusable(channel)
    with refusals():
        _keys_delete(channel)
        try:
            key = key_create(channel=channel)
        except (aws.AwsError, errors.ChannelContendedError):
            key_settle(channel=channel, key=None, ends_ban=True)
            raise
        settled = key_settle(channel=channel, key=key, ends_ban=True)
    if settled is None:
        raise errors.ChannelContendedError
    logger.info("stream key replaced uuid=%s key=%s", channel.uuid, settled.arn)
    return channel_reload(channel)


def _keys_delete(channel: Channel) -> None:
    for arn in aws.stream_key_arns(channel_arn=channel.arn):
        aws.stream_key_delete(arn=arn)


def key_create(*, channel: Channel) -> aws.IvsStreamKey:
    """Return a new key, or the existing one of another rotation or a lost reply; ChannelContendedError if removed."""
    try:
        return aws.stream_key_create(channel_arn=channel.arn, tags={UUID_TAG: str(channel.uuid)})
    except aws.AwsError as error:
        if not error.kind.unknown_outcome and error.kind is not aws.AwsErrorKind.QUOTA:
            raise
        found = aws.stream_key_find(channel_arn=channel.arn)
        if found is not None:
            return found
        if error.kind is aws.AwsErrorKind.QUOTA:
            # Another rotation created its key and removed it meanwhile.
            raise errors.ChannelContendedError from error
        raise


def key_settle(*, channel: Channel, key: aws.IvsStreamKey | None, ends_ban: bool = False) -> aws.IvsStreamKey | None:
    """Write the key in IVS to the row until both agree; return it.

    Raises:
        ChannelDeletedError: the row was deleted meanwhile.
        ChannelContendedError: others kept replacing or removing it, or a ban forbids a key.
        AwsError: IVS did not answer.
    """
    for _ in range(_TRIES):
        with row_locked(channel) as row:
            is_banned = is_key_removed(row)
            if key and is_banned and not ends_ban:
                raise errors.ChannelContendedError
            # Only a new key ends a ban.
            data = _REMOVED if is_banned and not key else stream_key_data(row.arn, key)
            row_save(row, stream_key=key.value if key else "", channel_data={**data_of(row), "StreamKey": data})
        if aws.stream_key_arns(channel_arn=channel.arn) == ([key.arn] if key else []):
            return key
        key = aws.stream_key_find(channel_arn=channel.arn)
    raise errors.ChannelContendedError


def is_key_removed(channel: Channel) -> bool:
    """Return whether the channel is banned; IVS may still have its key if the ban was interrupted."""
    return data_of(channel).get("StreamKey") == _REMOVED


def stream_stop(*, channel: Channel, ban: bool = False) -> Channel:
    """Stop the stream of a channel; with `ban` its key is removed first, so that its encoder cannot reconnect.

    A ban of an offline channel only removes its key.

    Raises:
        ChannelOfflineError: the channel is offline, and `ban` is false.
        ChannelDeletedError, ChannelUnfinishedError, ChannelGoneError: there is no channel to stop.
        ChannelContendedError: others kept creating keys.
        AwsError: IVS refused or did not answer.
    """
    refuse_unusable(channel)
    with refusals():
        if ban:
            _ban(channel)
        try:
            was_live = ban or aws.is_broadcasting(channel_arn=channel.arn)
            try:
                aws.stream_stop(channel_arn=channel.arn)
            except aws.AwsError as error:
                if not error.kind.unknown_outcome or aws.is_broadcasting(channel_arn=channel.arn):
                    raise
                if not was_live:
                    raise errors.ChannelOfflineError from error
            audit_note(model="channel", pk=channel.pk, name=str(channel), changes={"stream": ["live", "stopped"]})
        except aws.AwsError as error:
            if not ban or error.kind is not aws.AwsErrorKind.NOT_BROADCASTING:
                raise
    logger.info("stream stopped uuid=%s ban=%s", channel.uuid, ban)
    return channel_reload(channel)


def _ban(channel: Channel) -> None:
    """Write the ban to the row and delete the keys in IVS, until neither has a key."""
    _key_clear(channel)
    for _ in range(_TRIES):
        _keys_delete(channel)
        # Again: a rotation may have written its key meanwhile.
        _key_clear(channel)
        if not aws.stream_key_arns(channel_arn=channel.arn):
            return
    raise errors.ChannelContendedError


def _key_clear(channel: Channel) -> None:
    with row_locked(channel) as row:
        row_save(row, stream_key="", channel_data={**data_of(row), "StreamKey": _REMOVED})
