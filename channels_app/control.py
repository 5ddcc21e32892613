"""Channels that exist are changed and deleted; `keys.py` replaces their stream keys and takes them off air.

IVS and the row are two places that no transaction spans, so every write here ends alike: the row takes what IVS says,
and IVS is asked again until both say the same. Whoever writes last has read IVS after all others wrote there.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from channels_app import aws
from channels_app.audit import audited
from channels_app.errors import (
    ChannelChangedError,
    ChannelContendedError,
    ChannelDeletedError,
    ChannelGoneError,
    ChannelLiveError,
    ChannelOfflineError,
    ChannelUnfinishedError,
    RecordingNotConfiguredError,
)
from channels_app.models import Channel
from channels_app.publishing import LiveStateFile, LiveStateUnsettledError
from channels_app.services import is_being_created, tag_value

logger = logging.getLogger(__name__)

_TRIES = 5
_KEPT_IN_IVS = ("type", "latency_mode", "private", "record")
_KEPT_HERE = ("new_video_state", "active")
EDITABLE = ("name", *_KEPT_IN_IVS, *_KEPT_HERE)
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
    refuse_unusable(channel)
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
    return row_again(channel)


def channel_edit(*, channel: Channel, shown: Mapping[str, Any], values: dict[str, Any]) -> Channel:
    """Change fields as `channel_update` does, where the channel still is what the person who edits it was shown.

    Raises:
        ChannelChangedError: it is not; nothing was changed. Else as `channel_update`.
    """
    row = row_again(channel)
    if editable_of(row) != shown:
        raise ChannelChangedError
    return channel_update(channel=row, values=values)


def editable_of(channel: Channel) -> dict[str, Any]:
    """What of the channel people edit, by the names of its fields."""
    return {name: getattr(channel, name) for name in EDITABLE}


def refuse_unusable(channel: Channel) -> None:
    """Refuse a channel that IVS cannot be asked about.

    Raises:
        ChannelDeletedError, ChannelUnfinishedError, ChannelGoneError: there is nothing to be changed.
    """
    if channel.status == Channel.Status.DELETED:
        raise ChannelDeletedError
    if channel.status == Channel.Status.PROVISIONING:
        raise ChannelUnfinishedError
    if not channel.arn:
        # A row written by hand: there is nothing in IVS to be asked for.
        raise ChannelGoneError


@contextmanager
def refusals() -> Iterator[None]:
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
    with refusals():
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
        told, row = settings_of(found), row_again(channel)
        if all(getattr(row, name) == value for name, value in told.items()):
            return told
        _settings_write(channel, found)
    raise ChannelContendedError


def _settings_write(channel: Channel, found: aws.IvsChannel) -> None:
    with row_locked(channel) as row:
        row_save(row, **settings_of(found), channel_data={**data_of(row), "Channel": found.data})


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
    with refusals():
        _tag_name(channel, name)
        _row_write(channel, name=name)
        name_settle(channel=channel)


def name_settle(*, channel: Channel) -> None:
    """Write the name to the tag until the row still has what was written.

    Raises:
        ChannelContendedError, AwsError: others went on changing it, or IVS refused or could not be asked.
    """
    for _ in range(_TRIES):
        current = row_again(channel).name or ""
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
    with row_locked(channel) as row:
        row_save(row, **values)


@contextmanager
def row_locked(channel: Channel) -> Iterator[Channel]:
    """The row as it is now, to be written; not one that was deleted meanwhile."""
    with audited():
        row = Channel.objects.locked().exclude(status=Channel.Status.DELETED).filter(pk=channel.pk).first()
        if row is None:
            raise ChannelDeletedError
        yield row


def row_save(row: Channel, **values: Any) -> None:
    """Write these fields of it."""
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))


def data_of(row: Channel) -> dict[str, Any]:
    """`channel_data`, which a row written by hand may hold as anything."""
    return row.channel_data if isinstance(row.channel_data, dict) else {}


def row_again(channel: Channel) -> Channel:
    """The row as it is now."""
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
        _tell_offline(channel)
        return channel
    arn = channel.arn or _arn_of_unfinished(channel)
    if arn:
        _ivs_delete(arn)
    mark_deleted(channel=channel, arn=arn)
    return row_again(channel)


def mark_deleted(*, channel: Channel, arn: str) -> None:
    """The row of a channel that IVS no longer has; it stays for its videos.

    Raises:
        ChannelContendedError: the row got its ARN since it was read.
        AwsError: the live-state file could not be written; the row is deleted.
    """
    with audited():
        # Else that channel would be left in IVS.
        as_read = Channel.objects.filter(pk=channel.pk, arn=channel.arn)
        if not as_read.update(
            active=False, status=Channel.Status.DELETED, stream_key="", arn=arn, channel_data=_without_key(channel)
        ):
            raise ChannelContendedError
    logger.info("channel deleted uuid=%s arn=%s", channel.uuid, arn)
    _tell_offline(channel)


def _tell_offline(channel: Channel) -> None:
    """A deleted channel is never live, though the end of its last stream may never come."""
    try:
        LiveStateFile(channel.uuid).publish()
    except LiveStateUnsettledError as error:
        raise ChannelContendedError from error


def _arn_of_unfinished(channel: Channel) -> str:
    arn = aws.channel_arn(name=str(channel.uuid))
    if arn is not None:
        return arn
    if is_being_created(channel):
        raise ChannelUnfinishedError
    return ""


def _ivs_delete(arn: str) -> None:
    with refusals():
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
