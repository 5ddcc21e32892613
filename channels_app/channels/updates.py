"""Change and delete channels; `stream_keys.py` replaces stream keys and stops streams.

No transaction spans IVS and the row. So every write ends with the facts of IVS in the row, and reads IVS again until
both agree. The last writer has read IVS after all other writers.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from channels_app.channels.provisioning import is_being_created, settings_of, tag_value
from channels_app.models import Channel
from channels_app.streams.live_state_file import LiveStateFile, LiveStateUnsettledError
from common import aws, errors
from common.audit import audited

logger = logging.getLogger(__name__)

_TRIES = 5
_KEPT_IN_IVS = ("type", "latency_mode", "private", "record")
_REFUSALS = {
    aws.AwsErrorKind.CONFLICT: errors.ChannelLiveError,
    aws.AwsErrorKind.NOT_FOUND: errors.ChannelGoneError,
    aws.AwsErrorKind.NOT_BROADCASTING: errors.ChannelOfflineError,
}


def channel_update(*, channel: Channel, values: dict[str, Any]) -> Channel:
    """Change the fields of a channel whose values differ.

    The settings in IVS (type, latency mode, private, record) come first, then the name, then the rest; after a failure
    the earlier ones stay changed.

    Raises:
        ChannelDeletedError, ChannelUnfinishedError, ChannelGoneError: there is no channel to change.
        ChannelLiveError: IVS does not change a live channel.
        RecordingNotConfiguredError: `record` is true, and there is no recording configuration.
        ChannelContendedError: others kept changing it.
        AwsError: IVS refused or did not answer.
    """
    refuse_unusable(channel)
    changes = {name: value for name, value in values.items() if getattr(channel, name) != value}
    in_ivs = {name: changes[name] for name in _KEPT_IN_IVS if name in changes}
    if in_ivs:
        _settings_change(channel, in_ivs)
    if "name" in changes:
        # The row owns the name; the tag is a cleaned copy.
        with refusals():
            _tag_name(channel, changes["name"])
            with row_locked(channel) as row:
                row_save(row, name=changes["name"])
            name_settle(channel=channel)
    here = {name: value for name, value in changes.items() if name not in ("name", *_KEPT_IN_IVS)}
    if here:
        with row_locked(channel) as row:
            row_save(row, **here)
    if changes:
        logger.info("channel changed uuid=%s fields=%s", channel.uuid, sorted(changes))
    return channel_reload(channel)


def channel_edit(*, channel: Channel, shown: Mapping[str, Any], values: dict[str, Any]) -> Channel:
    """Call `channel_update`, or raise ChannelChangedError if the channel has not the values that its form showed."""
    row = channel_reload(channel)
    if any(getattr(row, name) != value for name, value in shown.items()):
        raise errors.ChannelChangedError
    return channel_update(channel=row, values=values)


def refuse_unusable(channel: Channel) -> None:
    """Raise ChannelDeletedError, ChannelUnfinishedError or ChannelGoneError if the channel is not in IVS."""
    if channel.status == Channel.Status.DELETED:
        raise errors.ChannelDeletedError
    if channel.status == Channel.Status.PROVISIONING:
        raise errors.ChannelUnfinishedError
    if not channel.arn:
        # A row written by hand: IVS has no channel of it.
        raise errors.ChannelGoneError


@contextmanager
def refusals() -> Iterator[None]:
    """Raise errors of IVS about the channel as errors of this service."""
    try:
        yield
    except aws.AwsError as error:
        if error.kind not in _REFUSALS:
            raise
        raise _REFUSALS[error.kind] from error


def _settings_change(channel: Channel, values: dict[str, Any]) -> None:
    members = {name: value for name, value in values.items() if name != "record"}
    if "type" in members:
        members["channel_type"] = members.pop("type")
    if "record" in values:
        if values["record"] and not settings.RECORDING_CONFIG_ARN:
            raise errors.RecordingNotConfiguredError
        members["recording_config_arn"] = settings.RECORDING_CONFIG_ARN if values["record"] else ""
    lost: aws.AwsError | None = None
    with refusals():
        try:
            _settings_write(channel, aws.channel_update(arn=channel.arn, **members))
        except aws.AwsError as error:
            if (
                error.kind is aws.AwsErrorKind.NOT_FOUND
                and members.get("recording_config_arn")
                and _is_in_ivs(channel.arn)
            ):
                # The channel exists, so the recording configuration of the call is missing.
                raise errors.RecordingNotConfiguredError from error
            if not error.kind.unknown_outcome:
                raise
            lost = error
        settled = settings_settle(channel=channel)
    if lost and any(settled[name] != value for name, value in values.items()):
        raise lost


def settings_settle(*, channel: Channel) -> dict[str, Any]:
    """Write the settings of IVS to the row until both agree; return them.

    Raises:
        ChannelDeletedError, ChannelContendedError: the row was deleted meanwhile, or others kept changing it.
        AwsError: IVS did not answer.
    """
    for _ in range(_TRIES):
        found = aws.channel_get(arn=channel.arn)
        current, row = settings_of(found), channel_reload(channel)
        if all(getattr(row, name) == value for name, value in current.items()):
            return current
        _settings_write(channel, found)
    raise errors.ChannelContendedError


def _settings_write(channel: Channel, found: aws.IvsChannel) -> None:
    with row_locked(channel) as row:
        row_save(row, **settings_of(found), channel_data={**data_of(row), "Channel": found.data})


def name_settle(*, channel: Channel) -> None:
    """Write the name of the row to the tag until both agree; raise ChannelContendedError if others keep changing it."""
    for _ in range(_TRIES):
        current = channel_reload(channel).name or ""
        if aws.channel_get(arn=channel.arn).tags.get("Name", "") == tag_value(current):
            return
        _tag_name(channel, current)
    raise errors.ChannelContendedError


def _tag_name(channel: Channel, name: str) -> None:
    try:
        aws.channel_tag(arn=channel.arn, tags={"Name": tag_value(name)})
    except aws.AwsError as error:
        if not error.kind.unknown_outcome or aws.channel_get(arn=channel.arn).tags.get("Name") != tag_value(name):
            raise


@contextmanager
def row_locked(channel: Channel) -> Iterator[Channel]:
    """Lock and yield the current row; raise ChannelDeletedError if it was deleted meanwhile."""
    with audited():
        row = Channel.objects.locked().exclude(status=Channel.Status.DELETED).filter(pk=channel.pk).first()
        if row is None:
            raise errors.ChannelDeletedError
        yield row


def row_save(row: Channel, **values: Any) -> None:
    """Write these fields of the row."""
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))


def data_of(row: Channel) -> dict[str, Any]:
    """Return `channel_data`, or an empty dict if a row written by hand has something else."""
    return row.channel_data if isinstance(row.channel_data, dict) else {}


def channel_reload(channel: Channel) -> Channel:
    """Return the current row."""
    return Channel.objects.get(pk=channel.pk)


def channel_delete(*, channel: Channel) -> Channel:
    """Delete a channel in IVS and keep its row for its videos; a second call changes nothing.

    A channel whose creation was interrupted is looked up in IVS by its uuid first.

    Raises:
        ChannelLiveError: IVS does not delete a live channel.
        ChannelUnfinishedError: it is being created; IVS does not have it yet.
        ChannelContendedError: its creation was completed at the same time.
        AwsError: IVS refused or did not answer; the row stays as it is.
    """
    if channel.status == Channel.Status.DELETED:
        _publish_offline(channel)
        return channel
    arn = channel.arn or aws.channel_arn(name=str(channel.uuid)) or ""
    if not arn and is_being_created(channel):
        raise errors.ChannelUnfinishedError
    if arn:
        with refusals():
            try:
                aws.channel_delete(arn=arn)
            except aws.AwsError as error:
                if not error.kind.unknown_outcome or _is_in_ivs(arn):
                    raise
    channel_mark_deleted(channel=channel, arn=arn)
    return channel_reload(channel)


def channel_mark_deleted(*, channel: Channel, arn: str) -> None:
    """Mark the row of a channel that is no longer in IVS; it stays for its videos.

    Raises:
        ChannelContendedError, AwsError: the row got another ARN, or its live-state file could not be written.
    """
    with audited():
        # `channel_data` without the key: rows of the predecessor hold its value.
        data = {**data_of(channel), "StreamKey": {}}
        # Only if the ARN is still the same, else a channel would be left in IVS.
        row = Channel.objects.filter(pk=channel.pk, arn=channel.arn)
        if not row.update(active=False, status=Channel.Status.DELETED, stream_key="", arn=arn, channel_data=data):
            raise errors.ChannelContendedError
    logger.info("channel deleted uuid=%s arn=%s", channel.uuid, arn)
    _publish_offline(channel)


def _publish_offline(channel: Channel) -> None:
    """Publish the state of a deleted channel: offline, even if its last stream has no end."""
    try:
        LiveStateFile(channel.uuid).publish()
    except LiveStateUnsettledError as error:
        raise errors.ChannelContendedError from error


def _is_in_ivs(arn: str) -> bool:
    with aws.ignored(aws.AwsErrorKind.NOT_FOUND):
        aws.channel_get(arn=arn)
        return True
    return False
