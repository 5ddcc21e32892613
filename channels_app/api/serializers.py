"""What goes in and out of the routes of channels."""

from typing import Any

from rest_framework import serializers

from channels_app.channels.provisioning import LONGEST_NAME
from channels_app.models import Channel, ChannelType, LatencyMode, NewVideoState, Stream, StreamHistoryEntry
from channels_app.streams.history import KINDS, HistoryKind
from ivsvod.rest.fields import (
    ChangesSerializer,
    LenientUUIDField,
    PlainChoiceField,
    PlainTextField,
    StrictBooleanField,
    StrictSerializer,
    TimeField,
    with_names_in_any_case,
)


class ChannelCreateSerializer(StrictSerializer):
    """The body of `POST /channels`; `owner` is another name of `userId`, and nothing where that is given."""

    name = PlainTextField(max_length=LONGEST_NAME, allow_blank=True)
    userId = LenientUUIDField(source="owner", required=False)
    owner = LenientUUIDField(required=False)
    type = PlainChoiceField(ChannelType.choices, default=ChannelType.STANDARD, source="channel_type")
    latency_mode = PlainChoiceField(LatencyMode.choices, default=LatencyMode.LOW)
    private = StrictBooleanField(default=False)
    record = StrictBooleanField(default=True)

    def to_internal_value(self, data: Any) -> Any:
        """The values. Clients of the predecessor may send anything as `owner` beside `userId`."""
        data = with_names_in_any_case(data, ("name", "userId"))
        if isinstance(data, dict) and "userId" in data:
            data = {name: value for name, value in data.items() if name != "owner"}
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two names of the owner must be there."""
        if "owner" not in attrs:
            raise serializers.ValidationError({"userId": ["This field is required."]})
        return attrs


class ChannelUpdateSerializer(ChangesSerializer):
    """The body of `PATCH /channels/{uuid}`; `new_video_state` null is: as the setting says."""

    name = PlainTextField(max_length=LONGEST_NAME, allow_blank=True)
    type = PlainChoiceField(ChannelType.choices)
    latency_mode = PlainChoiceField(LatencyMode.choices)
    private = StrictBooleanField()
    record = StrictBooleanField()
    new_video_state = PlainChoiceField(NewVideoState.choices, allow_null=True)
    active = StrictBooleanField()

    def known(self) -> dict[str, Any]:
        """All of them."""
        return {str(name): getattr(self.instance, str(name)) for name in self.fields}


class StreamKeyRotateSerializer(StrictSerializer):
    """The body of `POST /channels/{uuid}/stream-key`, which has no field."""


class StreamStopSerializer(StrictSerializer):
    """The body of `POST /channels/{uuid}/stop`."""

    ban = StrictBooleanField(default=False)


class LiveSerializer(serializers.Serializer):
    """The live state within a channel."""

    state = serializers.CharField()
    since = TimeField(allow_null=True)
    stream_id = serializers.CharField(allow_null=True)


class LiveStateSerializer(LiveSerializer):
    """The answer to `GET /channels/{uuid}/live`."""

    timestamp = serializers.IntegerField()


class ChannelSerializer(serializers.Serializer):
    """A channel as anyone may see it."""

    uuid = serializers.UUIDField()
    name = serializers.CharField()
    playback_url = serializers.SerializerMethodField()
    live = LiveSerializer(source="live_state")

    def get_playback_url(self, channel: Channel) -> str | None:
        """Playback URL of the live stream; None if it needs a playback token, or IVS has reported no URL."""
        return None if channel.private else channel.playback_url or None


class ManagedChannelSerializer(ChannelSerializer):
    """A channel as those with the scope `channels` see it; never with its stream key."""

    owner = serializers.UUIDField()
    arn = serializers.CharField()
    rtmpAddress = serializers.CharField(source="rtmp_address")
    ingest_url = serializers.CharField()
    type = serializers.CharField()
    latency_mode = serializers.CharField()
    private = serializers.BooleanField()
    record = serializers.BooleanField()
    new_video_state = serializers.CharField(allow_null=True)
    active = serializers.SerializerMethodField()
    created_at = TimeField(allow_null=True)

    def get_active(self, channel: Channel) -> bool:
        """NULL is not active, as for videos."""
        return bool(channel.active)


class StreamKeySerializer(serializers.Serializer):
    """The answer to `POST /channels/{uuid}/stream-key`."""

    streamKey = serializers.CharField(source="reveal_stream_key")
    rtmpAddress = serializers.CharField(source="rtmp_address")
    ingest_url = serializers.CharField()


class CreatedChannelSerializer(StreamKeySerializer, ManagedChannelSerializer):
    """The answer to `POST /channels`, and what the commands that make channels print."""


class HistoryEntrySerializer(serializers.Serializer):
    """One thing that happened to a stream, by the name that IVS has for it, and the reason where IVS gave one."""

    at = TimeField()
    name = serializers.CharField()
    reason = serializers.CharField(source="detail.reason", allow_null=True)


class LimitBreachSerializer(serializers.Serializer):
    """A limit of the ingest that was exceeded, and by how much, in the unit that IVS names."""

    at = TimeField()
    name = serializers.CharField()
    limit_value = serializers.FloatField(source="detail.limit_value", allow_null=True)
    exceeded_by = serializers.FloatField(source="detail.exceeded_by", allow_null=True)
    limit_unit = serializers.CharField(source="detail.limit_unit", allow_null=True)


class StreamSerializer(serializers.Serializer):
    """A stream as anyone may see it; `ended_at` null is: it runs, or its end never came."""

    stream_id = serializers.CharField(source="shown_id", allow_null=True)
    started_at = TimeField(allow_null=True)
    ended_at = TimeField(allow_null=True)


class ManagedStreamSerializer(StreamSerializer):
    """A stream with its history, oldest first; the rows must come from `with_history`."""

    sessions = serializers.SerializerMethodField()
    takeovers = serializers.SerializerMethodField()
    failures = serializers.SerializerMethodField()
    health = serializers.SerializerMethodField()
    limits = serializers.SerializerMethodField()

    def get_sessions(self, stream: Stream) -> Any:
        """When encoders came and went; one can come without ever going live."""
        return HistoryEntrySerializer(_entries(stream, HistoryKind.SESSION), many=True).data

    def get_takeovers(self, stream: Stream) -> Any:
        """When another encoder took over."""
        return HistoryEntrySerializer(_entries(stream, HistoryKind.TAKEOVER), many=True).data

    def get_failures(self, stream: Stream) -> Any:
        """What failed: the stream, a takeover, or its recording."""
        return HistoryEntrySerializer(_entries(stream, HistoryKind.FAILURE), many=True).data

    def get_health(self, stream: Stream) -> Any:
        """When IVS starved for data, and when it got it again."""
        return HistoryEntrySerializer(_entries(stream, HistoryKind.HEALTH), many=True).data

    def get_limits(self, stream: Stream) -> Any:
        """Which limits were exceeded."""
        return LimitBreachSerializer(_entries(stream, HistoryKind.LIMIT), many=True).data


def _entries(stream: Stream, kind: HistoryKind) -> list[StreamHistoryEntry]:
    shown: list[StreamHistoryEntry] = stream.shown_history  # type: ignore[attr-defined]
    return [entry for entry in reversed(shown) if KINDS.get(entry.name) is kind]
