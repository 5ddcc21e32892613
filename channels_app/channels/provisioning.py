"""Create channels in IVS, recover interrupted creations, and import channels that exist in IVS."""

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Q
from django.utils import timezone

from channels_app.events.inbox import process_parked
from channels_app.models import Channel, ChannelType, LatencyMode
from common import aws, errors
from common.audit import audited
from common.errors import ChannelImportError
from common.rest.uuids import parse_uuid

logger = logging.getLogger(__name__)

LONGEST_NAME = 256
# Marks the channels of this service; its value is the uuid of the row.
UUID_TAG = "ivsvod:channel"
# The owner, if several stages share an account.
PROJECT_TAG, STAGE_TAG = "ivsvod:project", "ivsvod:stage"
# A creation writes its row first, and ends or fails sooner than this.
STILL_CREATING = timedelta(minutes=1)
# https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_CreateChannel.html
_NOT_IN_A_TAG = re.compile(r"[^\w\s.:/=+\-@]|[\t-\r\x1c-\x1f\x85]")
CHANNEL_ARN = re.compile(
    r"arn:aws:ivs:(?P<region>[a-z0-9-]{1,30}):(?P<account>[0-9]{1,20}):channel/[a-zA-Z0-9-]{1,60}", re.ASCII
)


def channel_create(*, name: str, owner: UUID, **options: Any) -> Channel:
    """Create a channel in IVS and its row; `options` as in `channel_reserve`.

    The row is committed before IVS is called, and its uuid is the name and a tag of the IVS channel: after any failure
    nothing is left, or the rest is found by that uuid.

    Raises:
        AwsError: IVS refused, or could not be reached; nothing is left.
        RecordingNotConfiguredError: IVS does not have RECORDING_CONFIG_ARN; nothing is left.
        ChannelLeftBehindError: IVS did not answer, and may have the channel now or later; the row stays.
        ChannelDeletedError: it was deleted during its creation; nothing is left in IVS.
    """
    return channel_make(channel=channel_reserve(name=name, owner=owner, **options))


@audited()
def channel_reserve(
    *,
    name: str,
    owner: UUID,
    channel_type: str = ChannelType.STANDARD,
    latency_mode: str = LatencyMode.LOW,
    private: bool = False,
    record: bool = True,
) -> Channel:
    """Write the row of a channel before IVS is called; `record` has an effect only if RECORDING_CONFIG_ARN is set."""
    return Channel.objects.create(
        **dict.fromkeys(("arn", "rtmp_address", "stream_key", "playback_url"), ""),
        uuid=uuid4(),
        owner=owner,
        active=False,
        name=name,
        type=channel_type,
        latency_mode=latency_mode,
        private=private,
        record=record,
        status=Channel.Status.PROVISIONING,
    )


def channel_make(*, channel: Channel) -> Channel:
    """Create the IVS channel of a reserved row, and complete the row; raises as `channel_create` does."""
    try:
        made = aws.channel_create(
            name=str(channel.uuid),
            tags={"Name": tag_value(channel.name or ""), "Owner": str(channel.owner), **own_tags(channel.uuid)},
            channel_type=channel.type or ChannelType.STANDARD,
            latency_mode=channel.latency_mode or LatencyMode.LOW,
            private=bool(channel.private),
            recording_config_arn=settings.RECORDING_CONFIG_ARN if channel.record else "",
        )
    except aws.AwsError as error:
        if not error.kind.unknown_outcome:
            _row_remove(channel)
            if error.kind is aws.AwsErrorKind.NOT_FOUND and channel.record and settings.RECORDING_CONFIG_ARN:
                # The call names nothing else that must exist.
                raise errors.RecordingNotConfiguredError from error
            raise
        made = _look_up(channel, error)
    try:
        return _activate(channel, made)
    except errors.ChannelDeletedError:
        raise
    except Exception:
        # The database may be unavailable. An IVS channel without a row would only cost money.
        _ivs_channel_remove(channel, made.arn)
        raise


def _look_up(channel: Channel, cause: aws.AwsError) -> aws.IvsChannel:
    """Return the IVS channel after a lost reply. After a timeout IVS may still create it, so not-found is no proof."""
    try:
        found = aws.channel_find(name=str(channel.uuid))
        if found is None and cause.kind is aws.AwsErrorKind.TIMEOUT:
            raise cause
    except aws.AwsError as error:
        logger.error("channel may be left in IVS uuid=%s cause=%s", channel.uuid, error.kind)
        raise errors.ChannelLeftBehindError(
            f"IVS gave no answer; channel {channel.uuid} may exist there and stays 'provisioning' here"
        ) from error
    if found is None:
        _row_remove(channel)
        raise cause
    return found


@audited()
def _row_remove(channel: Channel) -> None:
    """Delete the row of a channel that IVS does not have, unless another process has completed it."""
    Channel.objects.unfinished().filter(pk=channel.pk).delete()


def channel_recover(*, channel: Channel) -> Channel | None:
    """Complete a channel whose creation was interrupted, or remove its row if IVS has none; return the channel if any.

    Raises:
        AwsError, ChannelUnfinishedError: IVS did not answer, or may still be creating it.
        ChannelDeletedError: it was deleted meanwhile; nothing is left in IVS.
    """
    found = aws.channel_find(name=str(channel.uuid))
    if found is not None:
        return _activate(channel, found)
    if is_being_created(channel):
        raise errors.ChannelUnfinishedError
    _row_remove(channel)
    return None


def is_being_created(channel: Channel) -> bool:
    """Return whether the unfinished row is so young that IVS may still create its channel."""
    return channel.created_at is not None and channel.created_at > timezone.now() - STILL_CREATING


def _activate(channel: Channel, made: aws.IvsChannel) -> Channel:
    """Complete the row, and process the events that waited for it."""
    with audited():
        rows = Channel.objects.locked().defer("created_at").exclude(status=Channel.Status.DELETED)
        row = rows.filter(pk=channel.pk).first()
        # Two concurrent recoveries both come here, with the same channel.
        if row is not None and row.status == Channel.Status.PROVISIONING:
            _set_facts(row, made)
            row.save(force_update=True)
    if row is None:
        _ivs_channel_remove(channel, made.arn)
        raise errors.ChannelDeletedError
    logger.info("channel created uuid=%s arn=%s", row.uuid, row.arn)
    _process_waiting(row.arn)
    return row


def settings_of(found: aws.IvsChannel) -> dict[str, Any]:
    """Return the settings of an IVS channel, by the names of the fields."""
    return {
        "type": found.channel_type,
        "latency_mode": found.latency_mode,
        "private": found.private,
        # Not the requested value: a service without a recording configuration records nothing.
        "record": bool(found.recording_config_arn),
        "playback_url": found.playback_url,
        "rtmp_address": found.ingest_endpoint,
    }


def _set_facts(row: Channel, found: aws.IvsChannel) -> None:
    for name, value in settings_of(found).items():
        setattr(row, name, value)
    row.arn, row.stream_key = found.arn, found.key.value if found.key else ""
    row.channel_data = {"Channel": found.data, "StreamKey": stream_key_data(found.arn, found.key)}
    row.status, row.active = Channel.Status.READY, True


def stream_key_data(channel_arn: str, key: aws.IvsStreamKey | None) -> dict[str, str]:
    """Return the `StreamKey` of `channel_data` as the predecessor stores it, but without the value."""
    return {"Arn": key.arn, "ChannelArn": channel_arn} if key else {}


def _process_waiting(arn: str) -> None:
    try:
        process_parked(arn)
    except DatabaseError:
        # The channel is complete; its events wait in the inbox for `process_inbox`.
        logger.exception("parked events were not processed arn=%s", arn)


def _ivs_channel_remove(channel: Channel, arn: str) -> None:
    """Delete an IVS channel whose row could not be completed, and the row."""
    try:
        aws.channel_delete(arn=arn)
    except aws.AwsError as error:
        logger.error("channel is left in IVS uuid=%s arn=%s", channel.uuid, arn)
        raise errors.ChannelLeftBehindError(f"the row failed, and {arn} could not be removed from IVS") from error
    try:
        _row_remove(channel)
    except DatabaseError:
        logger.exception("row of a removed channel is left, 'provisioning' uuid=%s", channel.uuid)


def channel_import(*, arn: str, owner: UUID) -> Channel:
    """Import a channel that exists in IVS; a second import changes nothing.

    Its tag gets the uuid of its row before the row is written, so that an import after a crash finds it. A channel of
    an earlier row keeps the uuid of that row, and so its videos; a `deleted` row is restored.

    Raises:
        ChannelImportError: the ARN is malformed, of another region or not in IVS, or the channel has another owner.
        AwsError: IVS refused or did not answer.
    """
    parts = CHANNEL_ARN.fullmatch(arn)
    if parts is None or len(arn) > 128:
        raise ChannelImportError("This is not the ARN of a channel: arn:aws:ivs:REGION:ACCOUNT:channel/ID")
    if settings.AWS_REGION and parts["region"] != settings.AWS_REGION:
        raise ChannelImportError(f"The channel is in {parts['region']}; this service runs in {settings.AWS_REGION}")
    found = _find_to_import(arn)
    uuid = _uuid_for(found)
    _add_own_tags(found, uuid)
    channel = _row_import(found, uuid, owner)
    _add_own_tags(found, channel.uuid)
    _process_waiting(arn)
    return channel


def channel_adopt(*, arn: str) -> Channel:
    """Restore the row of a channel that this service created in IVS, by its tags. It is inactive until staff decide.

    Raises:
        ChannelImportError: it is no longer in IVS, its tags are malformed, or the database has its row again.
        AwsError: IVS did not answer.
    """
    found = _find_to_import(arn)
    try:
        uuid, owner = parse_uuid(found.tags.get(UUID_TAG, "")), parse_uuid(found.tags.get("Owner", ""))
    except ValueError:
        raise ChannelImportError(f"The tags of {arn} do not name its row and its owner") from None
    if Channel.objects.filter(Q(pk=uuid) | Q(arn=arn)).exists():
        # A copied tag must not make one row of two channels.
        raise ChannelImportError(f"The row {uuid} is in the database by now")
    channel = _row_import(found, uuid, owner, active=False)
    _process_waiting(arn)
    return channel


def _find_to_import(arn: str) -> aws.IvsChannel:
    try:
        return replace(aws.channel_get(arn=arn), key=aws.stream_key_find(channel_arn=arn))
    except aws.AwsError as error:
        if error.kind is not aws.AwsErrorKind.NOT_FOUND:
            raise
        raise ChannelImportError(f"Amazon IVS has no channel {arn}") from None


def _uuid_for(found: aws.IvsChannel) -> UUID:
    """Return the uuid of its row, else the uuid in its tag or name, else a new one."""
    row = Channel.objects.by_arn(found.arn)
    if row is not None:
        return row.uuid
    for text in (found.tags.get(UUID_TAG, ""), found.name):
        try:
            uuid = parse_uuid(text)
        except ValueError:
            continue
        # A copied tag must not make one row of two channels.
        if not Channel.objects.filter(pk=uuid).exclude(status=Channel.Status.PROVISIONING).exists():
            return uuid
    return uuid4()


def own_tags(uuid: UUID) -> dict[str, str]:
    """Return the tags of an IVS channel that name its row, project and stage."""
    return {UUID_TAG: str(uuid), **_stage_tags()}


def is_tagged_as_own(tags: Mapping[str, str]) -> bool:
    """Return whether a channel of IVS belongs to this stage, and to this project if its tags name one."""
    own = _stage_tags()
    return STAGE_TAG in own and own.items() <= {PROJECT_TAG: own.get(PROJECT_TAG, ""), **tags}.items()


def _stage_tags() -> dict[str, str]:
    tags = {PROJECT_TAG: tag_value(settings.PROJECT_NAME), STAGE_TAG: tag_value(settings.STAGE)}
    return {name: value for name, value in tags.items() if value}


def _add_own_tags(found: aws.IvsChannel, uuid: UUID) -> None:
    missing = {name: value for name, value in own_tags(uuid).items() if found.tags.get(name) != value}
    if missing:
        aws.channel_tag(arn=found.arn, tags=missing)
        found.tags.update(missing)


@audited()
def _row_import(found: aws.IvsChannel, uuid: UUID, owner: UUID, *, active: bool = True) -> Channel:
    with connection.cursor() as cursor:
        # Two concurrent imports must make one row; the ARN is not unique in the table.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [found.arn])
    existing = Channel.objects.by_arn(found.arn)
    if existing is not None and existing.owner != owner:
        raise ChannelImportError(f"This channel is in the database already: {existing.uuid} of owner {existing.owner}")
    if existing is not None and existing.status != Channel.Status.DELETED:
        return existing
    # A deleted row of a channel that is still in IVS is restored, with its videos.
    uuid = existing.uuid if existing else uuid
    rows = Channel.objects.locked().defer("created_at")
    row = rows.filter(pk=uuid).first() or Channel(uuid=uuid, created_at=timezone.now())
    row.owner, row.name = owner, found.tags.get("Name") or found.name
    _set_facts(row, found)
    row.active = active
    row.save()
    return row


def tag_value(text: str) -> str:
    """Return the text as a tag value of at most 256 characters, with a space for each character that IVS refuses."""
    return " ".join(_NOT_IN_A_TAG.sub(" ", text).split())[:LONGEST_NAME]
