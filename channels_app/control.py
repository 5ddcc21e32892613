"""Channels that exist are run: changed, deleted, given a new stream key, and taken off air.

IVS and the row are two places that no transaction spans, so every write here ends alike: the row takes what IVS says,
and IVS is asked again until both say the same. Whoever writes last has read IVS after all others wrote there.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import transaction

from channels_app import aws
from channels_app.errors import (
    ChannelContendedError,
    ChannelDeletedError,
    ChannelGoneError,
    ChannelLiveError,
    ChannelOfflineError,
    ChannelUnfinishedError,
    RecordingNotConfiguredError,
)
from channels_app.models import Channel
from channels_app.services import UUID_TAG, is_being_created, stream_key_data, tag_value

logger = logging.getLogger(__name__)

_TRIES = 5
_KEPT_IN_IVS = ("type", "latency_mode", "private", "record")
_KEPT_HERE = ("new_video_state", "active")
_REFUSALS = {
    aws.Kind.CONFLICT: ChannelLiveError,
    aws.Kind.NOT_FOUND: ChannelGoneError,
    aws.Kind.NOT_BROADCASTING: ChannelOfflineError,
}


def channel_update(*, channel: Channel, values: dict[str, Any]) -> Channel:
    """Change fields of a channel: those whose value is another one.

    What IVS keeps (type, latency mode, private, record) is changed first, then the name, then the rest; where one of
    them fails, those before it are changed.

    Raises:
        ChannelDeletedError, ChannelUnfinishedError, ChannelGoneError: there is nothing to be changed.
        ChannelLiveError: IVS does not change a channel that is live.
        RecordingNotConfiguredError: it is to be recorded, and there is no recording configuration.
        ChannelContendedError: others went on changing it.
        AwsError: IVS refused or could not be asked.
    """
    _refuse_unusable(channel)
    changes = {name: value for name, value in values.items() if getattr(channel, name) != value}
    in_ivs = {name: changes[name] for name in _KEPT_IN_IVS if name in changes}
    if in_ivs:
        _settings_change(channel, in_ivs)
    if "name" in changes:
        _rename(channel, changes["name"])
    here = {name: changes[name] for name in _KEPT_HERE if name in changes}
    if here:
        _row_write(channel, **here)
    if changes:
        logger.info("channel changed uuid=%s fields=%s", channel.uuid, sorted(changes))
    return _again(channel)


def _refuse_unusable(channel: Channel) -> None:
    if channel.status == Channel.Status.DELETED:
        raise ChannelDeletedError
    if channel.status == Channel.Status.PROVISIONING:
        raise ChannelUnfinishedError
    if not channel.arn:
        # A row written by hand: there is nothing in IVS to be asked for.
        raise ChannelGoneError


@contextmanager
def _refusals() -> Iterator[None]:
    """What IVS says of the channel, in our words."""
    try:
        yield
    except aws.AwsError as error:
        refusal = _REFUSALS.get(error.kind)
        if refusal is None:
            raise
        raise refusal from error


def _settings_change(channel: Channel, values: dict[str, Any]) -> None:
    members = {name: value for name, value in values.items() if name != "record"}
    if "type" in members:
        members["channel_type"] = members.pop("type")
    if "record" in values:
        if values["record"] and not settings.RECORDING_CONFIG_ARN:
            raise RecordingNotConfiguredError
        members["recording_config_arn"] = settings.RECORDING_CONFIG_ARN if values["record"] else ""
    lost: aws.AwsError | None = None
    with _refusals():
        try:
            _settings_write(channel, aws.channel_update(arn=channel.arn, **members))
        except aws.AwsError as error:
            if error.kind is aws.Kind.NOT_FOUND and members.get("recording_config_arn") and _is_in_ivs(channel.arn):
                # Of the two that the call names, it is the recording configuration.
                raise RecordingNotConfiguredError from error
            if not error.kind.unknown_outcome:
                raise
            lost = error
        settled = settings_settle(channel=channel)
    if lost and any(settled[name] != value for name, value in values.items()):
        raise lost


def settings_settle(*, channel: Channel) -> dict[str, Any]:
    """Write to the row what IVS has until it still has what was written; returns that.

    Raises:
        ChannelDeletedError: the row was deleted meanwhile.
        ChannelContendedError: others went on changing it.
        AwsError: IVS could not be asked.
    """
    for _ in range(_TRIES):
        found = aws.channel_get(arn=channel.arn)
        told, row = settings_of(found), _again(channel)
        if all(getattr(row, name) == value for name, value in told.items()):
            return told
        _settings_write(channel, found)
    raise ChannelContendedError


def _settings_write(channel: Channel, found: aws.IvsChannel) -> None:
    with _row_locked(channel) as row:
        _save(row, **settings_of(found), channel_data={**data_of(row), "Channel": found.data})


def settings_of(found: aws.IvsChannel) -> dict[str, Any]:
    """What the row takes from IVS, by the names of its fields."""
    return {
        "type": found.channel_type,
        "latency_mode": found.latency_mode,
        "private": found.private,
        "record": bool(found.recording_config_arn),
        "playback_url": found.playback_url,
        "rtmp_address": found.ingest_endpoint,
    }


def _rename(channel: Channel, name: str) -> None:
    """The name stands in the row, and cleaned in a tag: here the tag follows the row."""
    with _refusals():
        _tag_name(channel, name)
        _row_write(channel, name=name)
        name_settle(channel=channel)


def name_settle(*, channel: Channel) -> None:
    """Write the name to the tag until the row still has what was written.

    Raises:
        ChannelContendedError, AwsError: others went on changing it, or IVS refused or could not be asked.
    """
    for _ in range(_TRIES):
        current = _again(channel).name or ""
        if aws.channel_get(arn=channel.arn).tags.get("Name", "") == tag_value(current):
            return
        _tag_name(channel, current)
    raise ChannelContendedError


def _tag_name(channel: Channel, name: str) -> None:
    try:
        aws.channel_tag(arn=channel.arn, tags={"Name": tag_value(name)})
    except aws.AwsError as error:
        if not error.kind.unknown_outcome or aws.channel_get(arn=channel.arn).tags.get("Name") != tag_value(name):
            raise


def _row_write(channel: Channel, **values: Any) -> None:
    with _row_locked(channel) as row:
        _save(row, **values)


@contextmanager
def _row_locked(channel: Channel) -> Iterator[Channel]:
    """The row as it is now, to be written; not one that was deleted meanwhile."""
    with transaction.atomic():
        row = Channel.objects.locked().exclude(status=Channel.Status.DELETED).filter(pk=channel.pk).first()
        if row is None:
            raise ChannelDeletedError
        yield row


def _save(row: Channel, **values: Any) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))


def data_of(row: Channel) -> dict[str, Any]:
    """`channel_data`, which a row written by hand may hold as anything."""
    return row.channel_data if isinstance(row.channel_data, dict) else {}


def _again(channel: Channel) -> Channel:
    return Channel.objects.get(pk=channel.pk)


# Deleting


def channel_delete(*, channel: Channel) -> Channel:
    """Delete a channel in IVS and keep its row for its videos; doing it again changes nothing.

    A channel whose creation was interrupted is looked up in IVS by its uuid first.

    Raises:
        ChannelLiveError: IVS does not delete a channel that is live.
        ChannelUnfinishedError: it is being created right now; IVS has none yet and may have one soon.
        ChannelContendedError: its creation was finished at the same time.
        AwsError: IVS refused or could not be asked; the row stays as it is.
    """
    if channel.status == Channel.Status.DELETED:
        return channel
    arn = channel.arn or _arn_of_unfinished(channel)
    if arn:
        _ivs_delete(arn)
    mark_deleted(channel=channel, arn=arn)
    return _again(channel)


def mark_deleted(*, channel: Channel, arn: str) -> None:
    """The row of a channel that IVS no longer has; it stays for its videos.

    Raises:
        ChannelContendedError: the row got its ARN since it was read.
    """
    # Else that channel would be left in IVS.
    as_read = Channel.objects.filter(pk=channel.pk, arn=channel.arn)
    if not as_read.update(
        active=False, status=Channel.Status.DELETED, stream_key="", arn=arn, channel_data=_without_key(channel)
    ):
        raise ChannelContendedError
    logger.info("channel deleted uuid=%s arn=%s", channel.uuid, arn)


def _arn_of_unfinished(channel: Channel) -> str:
    arn = aws.channel_arn(name=str(channel.uuid))
    if arn is not None:
        return arn
    if is_being_created(channel):
        raise ChannelUnfinishedError
    return ""


def _ivs_delete(arn: str) -> None:
    with _refusals():
        try:
            aws.channel_delete(arn=arn)
        except aws.AwsError as error:
            if not error.kind.unknown_outcome or _is_in_ivs(arn):
                raise


def _is_in_ivs(arn: str) -> bool:
    try:
        aws.channel_get(arn=arn)
    except aws.AwsError as error:
        if error.kind is not aws.Kind.NOT_FOUND:
            raise
        return False
    return True


def _without_key(row: Channel) -> dict[str, Any]:
    """`channel_data` without the key; rows of the predecessor hold its value."""
    return {**data_of(row), "StreamKey": {}}


# Stream keys


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
    _refuse_unusable(channel)
    with _refusals():
        _keys_delete(channel)
        try:
            key = key_create(channel=channel)
        except (aws.AwsError, ChannelContendedError):
            key_settle(channel=channel, key=None)
            raise
        settled = key_settle(channel=channel, key=key)
    if settled is None:
        raise ChannelContendedError
    logger.info("stream key replaced uuid=%s key=%s", channel.uuid, settled.arn)
    return _again(channel)


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


def key_settle(*, channel: Channel, key: aws.IvsStreamKey | None) -> aws.IvsStreamKey | None:
    """Write the key to the row until IVS still has what was written; returns that.

    Raises:
        ChannelDeletedError: the row was deleted meanwhile.
        ChannelContendedError: others went on replacing or removing it.
        AwsError: IVS could not be asked.
    """
    for _ in range(_TRIES):
        _key_write(channel, key)
        if aws.stream_key_arns(channel_arn=channel.arn) == ([key.arn] if key else []):
            return key
        key = aws.stream_key_find(channel_arn=channel.arn)
    raise ChannelContendedError


def _key_write(channel: Channel, key: aws.IvsStreamKey | None) -> None:
    with _row_locked(channel) as row:
        data = {**data_of(row), "StreamKey": stream_key_data(row.arn, key)}
        _save(row, stream_key=key.value if key else "", channel_data=data)


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
    _refuse_unusable(channel)
    with _refusals():
        if ban:
            _keys_remove(channel)
        try:
            _stop(channel, was_live=ban or aws.is_broadcasting(channel_arn=channel.arn))
        except aws.AwsError as error:
            if not ban or error.kind is not aws.Kind.NOT_BROADCASTING:
                raise
    logger.info("stream stopped uuid=%s ban=%s", channel.uuid, ban)
    return _again(channel)


def _keys_remove(channel: Channel) -> None:
    for _ in range(_TRIES):
        _keys_delete(channel)
        _key_write(channel, None)
        if not aws.stream_key_arns(channel_arn=channel.arn):
            return
    raise ChannelContendedError


def _stop(channel: Channel, *, was_live: bool) -> None:
    try:
        aws.stream_stop(channel_arn=channel.arn)
    except aws.AwsError as error:
        if not error.kind.unknown_outcome or aws.is_broadcasting(channel_arn=channel.arn):
            raise
        if not was_live:
            raise ChannelOfflineError from error
