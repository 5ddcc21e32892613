"""What goes in and out of the routes of channels."""

from typing import Any

from rest_framework import serializers

from channels_app.fields import LenientUUIDField, PlainTextField, WordField
from channels_app.models import Channel, ChannelType, LatencyMode
from channels_app.services import LONGEST_NAME


class ChannelCreateSerializer(serializers.Serializer):
    """The body of `POST /channels`; `owner` is another name of `userId`."""

    name = PlainTextField(max_length=LONGEST_NAME, allow_blank=True)
    userId = LenientUUIDField(source="owner", required=False)
    owner = LenientUUIDField(required=False)
    type = WordField(ChannelType.choices, default=ChannelType.STANDARD, source="channel_type")
    latency_mode = WordField(LatencyMode.choices, default=LatencyMode.LOW)
    private = serializers.BooleanField(default=False)
    record = serializers.BooleanField(default=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two names of the owner must be there."""
        if "owner" not in attrs:
            raise serializers.ValidationError({"userId": ["This field is required."]})
        return attrs


def created_channel_document(channel: Channel) -> dict[str, Any]:
    """The answer to `POST /channels`: the one that holds the stream key."""
    return {
        "arn": channel.arn,
        "rtmpAddress": channel.rtmp_address,
        "streamKey": channel.reveal_stream_key(),
        "uuid": str(channel.uuid),
        "name": channel.name,
        "owner": str(channel.owner),
        "playback_url": None if channel.private else channel.playback_url,
        "ingest_url": f"rtmps://{channel.rtmp_address}:443/app/",
        "type": channel.type,
        "latency_mode": channel.latency_mode,
        "private": channel.private,
        "record": channel.record,
        "active": channel.active,
        "created_at": channel.created_at,
    }
