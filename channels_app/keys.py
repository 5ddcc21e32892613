"""The stream key of a channel, replaced or removed, and its stream, ended.

As in `control.py` the row takes what IVS says until both say the same, but for a ban: it stands in the row before IVS
is asked, so that one that was interrupted is known as what it is.
"""

import logging
from uuid import UUID

from channels_app import aws
from channels_app.audit import audit_note
from channels_app.control import data_of, refusals, refuse_unusable, row_again, row_locked, row_save
from channels_app.errors import ChannelContendedError, ChannelOfflineError, StreamKeyMissingError
from channels_app.models import Channel
from channels_app.services import UUID_TAG, stream_key_data

logger = logging.getLogger(__name__)

_TRIES = 5
# What `channel_data` holds in place of a key that a ban removed.
_REMOVED = {"Removed": True}


def stream_key_reveal(*, channel: Channel, by: UUID) -> str:
    """The stream key, for the eyes of one person; that it was shown is on record before it is.

    Raises:
        StreamKeyMissingError: it has none.
        UnreadableSecretError: it was encrypted with a key that is no longer set.
    """
    key = row_again(channel).reveal_stream_key()
    if not key:
        raise StreamKeyMissingError
    audit_note(model="channel", pk=channel.pk, name=str(channel))
    logger.info("stream key revealed uuid=%s by=%s", channel.uuid, by)
    return key


def stream_key_rotate(*, channel: Channel) -> Channel:
    """Replace the stream key, or make one where a crash left none. A stream that runs by the old one goes on.

    IVS has no call that replaces a key and two never coexist: the old one is deleted, then a new one made. Of several
    rotations at once each ends with the one key that exists.
    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_CreateStreamKey.html

    Raises:
        ChannelDeletedError, ChannelUnfinishedError, ChannelGoneError: there is no channel for a key.
        ChannelContendedError: others went on replacing or removing it.
        AwsError: IVS refused or could not be asked; the row holds the key that exists, or none.
    """
    refuse_unusable(channel)
    with refusals():
        _keys_delete(channel)
        try:
            key = key_create(channel=channel)
        except (aws.AwsError, ChannelContendedError):
            key_settle(channel=channel, key=None, ends_ban=True)
            raise
        settled = key_settle(channel=channel, key=key, ends_ban=True)
    if settled is None:
        raise ChannelContendedError
    logger.info("stream key replaced uuid=%s key=%s", channel.uuid, settled.arn)
    return row_again(channel)


def _keys_delete(channel: Channel) -> None:
    for arn in aws.stream_key_arns(channel_arn=channel.arn):
        aws.stream_key_delete(arn=arn)


def key_create(*, channel: Channel) -> aws.IvsStreamKey:
    """A new key, or the one that IVS has: made by another rotation, or by a call whose reply was lost.

    Raises:
        ChannelContendedError, AwsError: another rotation made one and removed it, or IVS refused or cannot be asked.
    """
    try:
        return aws.stream_key_create(channel_arn=channel.arn, tags={UUID_TAG: str(channel.uuid)})
    except aws.AwsError as error:
        if not error.kind.unknown_outcome and error.kind is not aws.Kind.QUOTA:
            raise
        found = aws.stream_key_find(channel_arn=channel.arn)
        if found is not None:
            return found
        if error.kind is aws.Kind.QUOTA:
            # Another rotation had its key there, and has removed it.
            raise ChannelContendedError from error
        raise


def key_settle(*, channel: Channel, key: aws.IvsStreamKey | None, ends_ban: bool = False) -> aws.IvsStreamKey | None:
    """Write the key to the row until IVS still has what was written; returns that.

    Raises:
        ChannelDeletedError: the row was deleted meanwhile.
        ChannelContendedError: others went on replacing or removing it, or it is banned and this does not end the ban.
        AwsError: IVS could not be asked.
    """
    for _ in range(_TRIES):
        _key_write(channel, key, ends_ban=ends_ban)
        if aws.stream_key_arns(channel_arn=channel.arn) == ([key.arn] if key else []):
            return key
        key = aws.stream_key_find(channel_arn=channel.arn)
    raise ChannelContendedError


def _key_write(channel: Channel, key: aws.IvsStreamKey | None, *, ends_ban: bool) -> None:
    with row_locked(channel) as row:
        is_banned = is_key_removed(row)
        if key and is_banned and not ends_ban:
            raise ChannelContendedError
        # Without a new key there is nothing by which the ban would end.
        told = _REMOVED if is_banned and not key else stream_key_data(row.arn, key)
        row_save(row, stream_key=key.value if key else "", channel_data={**data_of(row), "StreamKey": told})


def is_key_removed(channel: Channel) -> bool:
    """Whether a ban is to have removed its key, be it done in IVS or not."""
    return data_of(channel).get("StreamKey") == _REMOVED


# Off air


def stream_stop(*, channel: Channel, ban: bool = False) -> Channel:
    """End the stream of a channel; with `ban` its key is removed first, so that its encoder cannot come back.

    Banning a channel that is offline removes its key, and that is all there is to do.

    Raises:
        ChannelOfflineError: nothing is on air, and it is no ban.
        ChannelDeletedError, ChannelUnfinishedError, ChannelGoneError: there is nothing to be stopped.
        ChannelContendedError: others went on making keys.
        AwsError: IVS refused or could not be asked.
    """
    refuse_unusable(channel)
    with refusals():
        if ban:
            _keys_remove(channel)
        try:
            _stop(channel, was_live=ban or aws.is_broadcasting(channel_arn=channel.arn))
            audit_note(model="channel", pk=channel.pk, name=str(channel), changes={"stream": ["live", "stopped"]})
        except aws.AwsError as error:
            if not ban or error.kind is not aws.Kind.NOT_BROADCASTING:
                raise
    logger.info("stream stopped uuid=%s ban=%s", channel.uuid, ban)
    return row_again(channel)


def _keys_remove(channel: Channel) -> None:
    _removed_write(channel)
    for _ in range(_TRIES):
        _keys_delete(channel)
        # Once more: a rotation may have written its key meanwhile.
        _removed_write(channel)
        if not aws.stream_key_arns(channel_arn=channel.arn):
            return
    raise ChannelContendedError


def _removed_write(channel: Channel) -> None:
    with row_locked(channel) as row:
        row_save(row, stream_key="", channel_data={**data_of(row), "StreamKey": _REMOVED})


def _stop(channel: Channel, *, was_live: bool) -> None:
    try:
        aws.stream_stop(channel_arn=channel.arn)
    except aws.AwsError as error:
        if not error.kind.unknown_outcome or aws.is_broadcasting(channel_arn=channel.arn):
            raise
        if not was_live:
            raise ChannelOfflineError from error
