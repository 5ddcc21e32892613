"""Channels come into being: created in IVS, recovered where that was interrupted, or taken over from IVS."""

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Q
from django.utils import timezone

from channels_app import aws
from channels_app.audit import audited
from channels_app.errors import (
    ChannelDeletedError,
    ChannelImportError,
    ChannelLeftBehindError,
    ChannelUnfinishedError,
    RecordingNotConfiguredError,
)
from channels_app.inbox import process_parked
from channels_app.models import Channel, ChannelType, LatencyMode
from channels_app.uuids import parse_uuid

logger = logging.getLogger(__name__)

LONGEST_NAME = 256
# Ours among the channels of the account; its value is the uuid of the row.
UUID_TAG = "ivsvod:channel"
# Whose, where several stages share an account.
PROJECT_TAG, STAGE_TAG = "ivsvod:project", "ivsvod:stage"
# A creation that is under way has its row already; it ends, or fails, sooner than this.
STILL_CREATING = timedelta(minutes=1)
_NOT_IN_A_TAG = re.compile(r"[^\w\s.:/=+\-@]|[\t-\r\x1c-\x1f\x85]")
CHANNEL_ARN = re.compile(
    r"arn:aws:ivs:(?P<region>[a-z0-9-]{1,30}):(?P<account>[0-9]{1,20}):channel/[a-zA-Z0-9-]{1,60}", re.ASCII
)


def channel_create(
    *,
    name: str,
    owner: UUID,
    channel_type: str = ChannelType.STANDARD,
    latency_mode: str = LatencyMode.LOW,
    private: bool = False,
    record: bool = True,
) -> Channel:
    """Create a channel in IVS and its row; with `record` it is recorded where RECORDING_CONFIG_ARN is set.

    The row is committed before IVS is called, and the IVS channel carries its uuid as name and tag: whatever fails,
    nothing is left behind, or what is left is found by that uuid.

    Raises:
        AwsError: IVS refused, or the call was lost on the way; nothing is left.
        RecordingNotConfiguredError: IVS does not have RECORDING_CONFIG_ARN; nothing is left.
        ChannelLeftBehindError: IVS gave no answer, and may have made the channel or may make it yet; the row stays.
        ChannelDeletedError: it was deleted before it was made; nothing is left in IVS.
    """
    return channel_make(
        channel=channel_reserve(
            name=name,
            owner=owner,
            channel_type=channel_type,
            latency_mode=latency_mode,
            private=private,
            record=record,
        )
    )


@audited()
def channel_reserve(
    *, name: str, owner: UUID, channel_type: str, latency_mode: str, private: bool, record: bool
) -> Channel:
    """Write the row of a channel that IVS is yet to be asked for."""
    return Channel.objects.create(
        uuid=uuid4(),
        owner=owner,
        active=False,
        arn="",
        rtmp_address="",
        stream_key="",
        name=name,
        type=channel_type,
        latency_mode=latency_mode,
        private=private,
        record=record,
        playback_url="",
        status=Channel.Status.PROVISIONING,
    )


def channel_make(*, channel: Channel) -> Channel:
    """Ask IVS for the channel of a reserved row, and complete the row; raises as `channel_create` does."""
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
            if error.kind is aws.Kind.NOT_FOUND and channel.record and settings.RECORDING_CONFIG_ARN:
                # The call names nothing else that must exist.
                raise RecordingNotConfiguredError from error
            raise
        made = _look_up(channel, error)
    try:
        return _activate(channel, made)
    except ChannelDeletedError:
        raise
    except Exception:
        # Whatever it is (the database is away, a key cannot encrypt): an IVS channel without a row is paid for nothing.
        _take_back(channel, made.arn)
        raise


def _look_up(channel: Channel, cause: aws.AwsError) -> aws.IvsChannel:
    """The reply was lost: IVS may have made the channel all the same.

    That IVS has none proves nothing after a call that was too slow: IVS may be at it still.
    """
    try:
        found = aws.channel_find(name=str(channel.uuid))
    except aws.AwsError as error:
        raise _left_behind(channel, error) from error
    if found is None and cause.kind is aws.Kind.TIMEOUT:
        raise _left_behind(channel, cause) from cause
    if found is None:
        _row_remove(channel)
        raise cause
    return found


@audited()
def _row_remove(channel: Channel) -> None:
    """Of a channel that IVS does not have, unless somebody has finished it meanwhile."""
    Channel.objects.unfinished().filter(pk=channel.pk).delete()


def _left_behind(channel: Channel, cause: aws.AwsError) -> ChannelLeftBehindError:
    logger.error("channel may be left in IVS uuid=%s cause=%s", channel.uuid, cause.kind)
    return ChannelLeftBehindError(
        f"IVS gave no answer; channel {channel.uuid} may exist there and stays 'provisioning' here"
    )


def channel_recover(*, channel: Channel) -> Channel | None:
    """Finish a channel whose creation was interrupted, or remove its row where IVS has none; returns the channel.

    Raises:
        AwsError: IVS could not be asked.
        ChannelUnfinishedError: IVS has none yet, and may be at it still.
        ChannelDeletedError: it was deleted meanwhile; nothing is left in IVS.
    """
    found = aws.channel_find(name=str(channel.uuid))
    if found is not None:
        return _activate(channel, found)
    if is_being_created(channel):
        raise ChannelUnfinishedError
    _row_remove(channel)
    return None


def is_being_created(channel: Channel) -> bool:
    """Whether the unfinished row is so young that IVS may yet make a channel that it does not have."""
    return channel.created_at is not None and channel.created_at > timezone.now() - STILL_CREATING


def _activate(channel: Channel, made: aws.IvsChannel) -> Channel:
    row = _complete(channel, made)
    if row is None:
        _take_back(channel, made.arn)
        raise ChannelDeletedError
    logger.info("channel created uuid=%s arn=%s", row.uuid, row.arn)
    _process_waiting(row.arn)
    return row


@audited()
def _complete(channel: Channel, made: aws.IvsChannel) -> Channel | None:
    """Write what IVS told; None where the channel was deleted, or its row removed, since it was asked for."""
    rows = Channel.objects.locked().defer("created_at").exclude(status=Channel.Status.DELETED)
    row = rows.filter(pk=channel.pk).first()
    # Two that recover one channel both come here; they were told of the same channel.
    if row is not None and row.status == Channel.Status.PROVISIONING:
        _take_facts(row, made)
        row.save(force_update=True)
    return row


def _take_facts(row: Channel, made: aws.IvsChannel) -> None:
    row.type = made.channel_type
    row.latency_mode = made.latency_mode
    row.private = made.private
    # Not what was asked for: a service without a recording configuration records nothing.
    row.record = bool(made.recording_config_arn)
    row.arn = made.arn
    row.rtmp_address = made.ingest_endpoint
    row.playback_url = made.playback_url
    row.stream_key = made.stream_key
    row.channel_data = {"Channel": made.data, "StreamKey": stream_key_data(made.arn, made.key)}
    row.status = Channel.Status.READY
    row.active = True


def stream_key_data(channel_arn: str, key: aws.IvsStreamKey | None) -> dict[str, str]:
    """What `channel_data` holds of a key: what the predecessor stores, without the value."""
    return {"Arn": key.arn, "ChannelArn": channel_arn} if key else {}


def _process_waiting(arn: str) -> None:
    try:
        process_parked(arn)
    except DatabaseError:
        # The channel is made; its events wait in the inbox for `process_inbox`.
        logger.exception("parked events were not processed arn=%s", arn)


def _take_back(channel: Channel, arn: str) -> None:
    """The row could not be completed: the IVS channel must not stay, for it is paid for."""
    try:
        aws.channel_delete(arn=arn)
    except aws.AwsError as error:
        logger.error("channel is left in IVS uuid=%s arn=%s", channel.uuid, arn)
        raise ChannelLeftBehindError(f"the row failed, and {arn} could not be removed from IVS") from error
    try:
        _row_remove(channel)
    except DatabaseError:
        logger.exception("row of a removed channel is left, 'provisioning' uuid=%s", channel.uuid)


def channel_import(*, arn: str, owner: UUID) -> Channel:
    """Take over a channel that exists in IVS; doing it again changes nothing.

    It is tagged with the uuid of its row before the row is written: what a crash leaves is a tag, which the next try
    finds. A channel that an earlier row of ours made keeps its uuid, and with it its videos; one whose row is `deleted`
    though IVS has it gets that row back.

    Raises:
        ChannelImportError: the ARN is malformed, of another region or unknown, or the channel is somebody else's.
        AwsError: IVS refused or could not be asked.
    """
    _refuse_arn(arn)
    found = _find_to_import(arn)
    uuid = _uuid_for(found)
    _tag_as_ours(found, uuid)
    channel = _take_over(found, uuid, owner)
    _tag_as_ours(found, channel.uuid)
    _process_waiting(arn)
    return channel


def channel_adopt(*, arn: str) -> Channel:
    """Take over a channel of IVS that an earlier row of ours made, by its tags. It is inactive, for staff to decide.

    Raises:
        ChannelImportError: IVS has it no more, its tags name no row of ours, or it is in the database by now.
        AwsError: IVS could not be asked.
    """
    found = _find_to_import(arn)
    try:
        uuid, owner = parse_uuid(found.tags.get(UUID_TAG, "")), parse_uuid(found.tags.get("Owner", ""))
    except ValueError:
        raise ChannelImportError(f"The tags of {arn} do not name its row and its owner") from None
    if Channel.objects.filter(Q(pk=uuid) | Q(arn=arn)).exists():
        # A copied tag must not make one row of two channels.
        raise ChannelImportError(f"The row {uuid} is in the database by now")
    channel = _take_over(found, uuid, owner, active=False)
    _process_waiting(arn)
    return channel


def _find_to_import(arn: str) -> aws.IvsChannel:
    try:
        return replace(aws.channel_get(arn=arn), key=aws.stream_key_find(channel_arn=arn))
    except aws.AwsError as error:
        if error.kind is not aws.Kind.NOT_FOUND:
            raise
        raise ChannelImportError(f"Amazon IVS has no channel {arn}") from None


def _refuse_arn(arn: str) -> None:
    parts = CHANNEL_ARN.fullmatch(arn)
    if parts is None or len(arn) > 128:
        raise ChannelImportError("This is not the ARN of a channel: arn:aws:ivs:REGION:ACCOUNT:channel/ID")
    if settings.AWS_REGION and parts["region"] != settings.AWS_REGION:
        raise ChannelImportError(f"The channel is in {parts['region']}; this service runs in {settings.AWS_REGION}")


def _uuid_for(found: aws.IvsChannel) -> UUID:
    """That of its row, else the one that it is tagged or named with, else a new one."""
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
    """Return the tags by which a channel of IVS is known as that of a row of this project and stage."""
    return {UUID_TAG: str(uuid), **_place_tags()}


def is_tagged_as_own(tags: Mapping[str, str]) -> bool:
    """Return whether a channel of IVS belongs to this stage, and to this project where its tags name one."""
    place = _place_tags()
    return STAGE_TAG in place and place.items() <= {PROJECT_TAG: place.get(PROJECT_TAG, ""), **tags}.items()


def _place_tags() -> dict[str, str]:
    place = {PROJECT_TAG: tag_value(settings.PROJECT_NAME), STAGE_TAG: tag_value(settings.STAGE)}
    return {name: value for name, value in place.items() if value}


def _tag_as_ours(found: aws.IvsChannel, uuid: UUID) -> None:
    missing = {name: value for name, value in own_tags(uuid).items() if found.tags.get(name) != value}
    if missing:
        aws.channel_tag(arn=found.arn, tags=missing)
        found.tags.update(missing)


@audited()
def _take_over(found: aws.IvsChannel, uuid: UUID, owner: UUID, *, active: bool = True) -> Channel:
    with connection.cursor() as cursor:
        # Two that take over one channel at once must make one row of it; the ARN is not unique in the table.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [found.arn])
    known = Channel.objects.by_arn(found.arn)
    if known is not None and known.owner != owner:
        raise ChannelImportError(f"This channel is in the database already: {known.uuid} of owner {known.owner}")
    if known is not None and known.status != Channel.Status.DELETED:
        return known
    # One that is deleted here and in IVS after all comes back, and with it its videos.
    uuid = known.uuid if known else uuid
    rows = Channel.objects.locked().defer("created_at")
    row = rows.filter(pk=uuid).first() or Channel(uuid=uuid, created_at=timezone.now())
    row.owner = owner
    row.name = found.tags.get("Name") or found.name
    _take_facts(row, found)
    row.active = active
    row.save()
    return row


def tag_value(text: str) -> str:
    """The text with what IVS refuses in a tag replaced by spaces, to 256 characters.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_CreateChannel.html
    """
    return " ".join(_NOT_IN_A_TAG.sub(" ", text).split())[:LONGEST_NAME]
