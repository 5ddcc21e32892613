"""Every write of channels that a person or a client asks for."""

import logging
import re
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DatabaseError

from channels_app import aws
from channels_app.inbox import process_parked
from channels_app.models import Channel, ChannelType, LatencyMode

logger = logging.getLogger(__name__)

LONGEST_NAME = 256
# Ours among the channels of the account; its value is the uuid of the row.
UUID_TAG = "ivsvod:channel"
_NOT_IN_A_TAG = re.compile(r"[^\w\s.:/=+\-@]|[\t-\r\x1c-\x1f\x85]")


class ChannelLeftBehindError(Exception):
    """A channel may be in IVS and is not usable here; the message names it."""


def channel_create(
    *,
    name: str,
    owner: UUID,
    channel_type: str = ChannelType.STANDARD,
    latency_mode: str = LatencyMode.LOW,
    private: bool = False,
    record: bool = True,
) -> Channel:
    """Create a channel in IVS and its row.

    The row is committed before IVS is called, and the IVS channel carries its uuid as name and tag: whatever fails,
    nothing is left behind, or what is left is found by that uuid.

    Raises:
        AwsError: IVS refused; nothing is left.
        ChannelLeftBehindError: IVS gave no answer, and could not be asked afterwards what became of the channel.
    """
    channel = Channel.objects.create(
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
    try:
        made = aws.channel_create(
            name=str(channel.uuid),
            tags={"Name": tag_value(name), "Owner": str(owner), UUID_TAG: str(channel.uuid)},
            channel_type=channel_type,
            latency_mode=latency_mode,
            private=private,
            recording_config_arn=settings.RECORDING_CONFIG_ARN if record else "",
        )
    except aws.AwsError as error:
        if not error.kind.unknown_outcome:
            channel.delete()
            raise
        return _finish_or_undo(channel, error)
    return _activate(channel, made)


def channel_recover(*, channel: Channel) -> Channel | None:
    """Finish a channel whose creation was interrupted, or remove its row where IVS has none; returns the channel.

    Raises:
        AwsError: IVS could not be asked.
    """
    found = aws.channel_find(name=str(channel.uuid))
    if found is not None:
        return _activate(channel, found)
    channel.delete()
    return None


def _finish_or_undo(channel: Channel, cause: aws.AwsError) -> Channel:
    """The reply was lost: IVS may have made the channel all the same."""
    try:
        recovered = channel_recover(channel=channel)
    except aws.AwsError as error:
        logger.error("channel may be left in IVS uuid=%s cause=%s", channel.uuid, error.kind)
        raise ChannelLeftBehindError(
            f"IVS gave no answer; channel {channel.uuid} may exist there and stays 'provisioning' here"
        ) from error
    if recovered is None:
        raise cause
    return recovered


def _activate(channel: Channel, made: aws.IvsChannel) -> Channel:
    channel.arn = made.arn
    channel.rtmp_address = made.ingest_endpoint
    channel.playback_url = made.playback_url
    channel.stream_key = made.stream_key
    channel.channel_data = made.data
    channel.status = Channel.Status.READY
    channel.active = True
    try:
        channel.save(force_update=True)
    except Exception:
        # Whatever it is (the database is away, a key cannot encrypt): an IVS channel without a row is paid for nothing.
        _take_back(channel)
        raise
    logger.info("channel created uuid=%s arn=%s", channel.uuid, channel.arn)
    try:
        process_parked(channel.arn)
    except DatabaseError:
        # The channel is made; its events wait in the inbox for `process_inbox`.
        logger.exception("parked events were not processed arn=%s", channel.arn)
    return channel


def _take_back(channel: Channel) -> None:
    """The row could not be completed: the IVS channel must not stay, for it is paid for."""
    try:
        aws.channel_delete(arn=channel.arn)
    except aws.AwsError as error:
        logger.error("channel is left in IVS uuid=%s arn=%s", channel.uuid, channel.arn)
        raise ChannelLeftBehindError(f"the row failed, and {channel.arn} could not be removed from IVS") from error
    try:
        Channel.objects.filter(pk=channel.pk).delete()
    except DatabaseError:
        logger.exception("row of a removed channel is left, 'provisioning' uuid=%s", channel.uuid)


def tag_value(text: str) -> str:
    """The text with what IVS refuses in a tag replaced by spaces, to 256 characters.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_CreateChannel.html
    """
    return " ".join(_NOT_IN_A_TAG.sub(" ", text).split())[:LONGEST_NAME]
