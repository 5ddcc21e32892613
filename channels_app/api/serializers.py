"""Bodies and answers of the routes of channels."""

from typing import Any

from rest_framework import serializers

from channels_app.channels.provisioning import LONGEST_NAME
from channels_app.models import Channel, ChannelType, LatencyMode, NewVideoState, StreamHistoryEntry
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
    """The body of `POST /channels`; `owner` is another name of `userId`, and ignored beside it."""

    name = PlainTextField(max_length=LONGEST_NAME, allow_blank=True)
    userId = LenientUUIDField(source="owner", required=False)
    owner = LenientUUIDField(required=False)
    type = PlainChoiceField(ChannelType.choices, default=ChannelType.STANDARD, source="channel_type")
    latency_mode = PlainChoiceField(LatencyMode.choices, default=LatencyMode.LOW)
    private = StrictBooleanField(default=False)
    record = StrictBooleanField(default=True)

    def to_internal_value(self, data: Any) -> Any:
        # Clients of the predecessor may send anything as `owner` beside `userId`.
        data = with_names_in_any_case(data, ("name", "userId"))
        if isinstance(data, dict) and "userId" in data:
            data = {name: value for name, value in data.items() if name != "owner"}
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require one of the two names of the owner."""
        if "owner" not in attrs:
            raise serializers.ValidationError({"userId": ["This field is required."]})
        return attrs


class ChannelUpdateSerializer(ChangesSerializer):
    """The body of `PATCH /channels/{uuid}`; with `new_video_state` null the setting decides."""

    name = PlainTextField(max_length=LONGEST_NAME, allow_blank=True)
    type = PlainChoiceField(ChannelType.choices)
    latency_mode = PlainChoiceField(LatencyMode.choices)
    private = StrictBooleanField()
    record = StrictBooleanField()
    new_video_state = PlainChoiceField(NewVideoState.choices, allow_null=True)
    active = StrictBooleanField()

    def known(self) -> dict[str, Any]:
        """Return the values of all fields."""
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
    """The public fields of a channel."""

    uuid = serializers.UUIDField()
    name = serializers.CharField()
    playback_url = serializers.SerializerMethodField()
    live = LiveSerializer(source="live_state")

    def get_playback_url(self, channel: Channel) -> str | None:
        """Playback URL of the live stream; null if it needs a playback token, or IVS has reported no URL."""
        return None if channel.private else channel.playback_url or None


class ManagedChannelSerializer(ChannelSerializer):
    """All fields of a channel except its stream key, for the scope `channels`."""

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
        """Whether it is active; NULL is not, as for videos."""
        return bool(channel.active)


class StreamKeySerializer(serializers.Serializer):
    """The answer to `POST /channels/{uuid}/stream-key`."""

    streamKey = serializers.CharField(source="reveal_stream_key")
    rtmpAddress = serializers.CharField(source="rtmp_address")
    ingest_url = serializers.CharField()


class CreatedChannelSerializer(StreamKeySerializer, ManagedChannelSerializer):
    """The answer to `POST /channels`, and the output of the commands that create channels."""


class HistoryEntrySerializer(serializers.Serializer):
    """An event of a stream, with the reason, if any."""

    at = TimeField()
    name = serializers.CharField()
    reason = serializers.CharField(source="detail.reason", allow_null=True)


class LimitBreachSerializer(serializers.Serializer):
    """An exceeded limit of the ingest, in the unit that IVS names."""

    at = TimeField()
    name = serializers.CharField()
    limit_value = serializers.FloatField(source="detail.limit_value", allow_null=True)
    exceeded_by = serializers.FloatField(source="detail.exceeded_by", allow_null=True)
    limit_unit = serializers.CharField(source="detail.limit_unit", allow_null=True)


class StreamSerializer(serializers.Serializer):
    """The public fields of a stream; `ended_at` is null while it is live, or if its end never arrived."""

    stream_id = serializers.CharField(source="shown_id", allow_null=True)
    started_at = TimeField(allow_null=True)
    ended_at = TimeField(allow_null=True)


class HistoryField(serializers.ListField):
    """The entries of one kind in the history of a stream, oldest first; the rows must come from `with_history`."""

    def __init__(self, kind: HistoryKind, help_text: str) -> None:
        super().__init__(source="shown_history", read_only=True, help_text=help_text)
        self.kind = kind

    def to_representation(self, value: list[StreamHistoryEntry]) -> Any:
        serializer = LimitBreachSerializer if self.kind is HistoryKind.LIMIT else HistoryEntrySerializer
        return serializer([entry for entry in reversed(value) if KINDS.get(entry.name) is self.kind], many=True).data


class ManagedStreamSerializer(StreamSerializer):
    """A stream with its history."""

    sessions = HistoryField(HistoryKind.SESSION, "Sessions of encoders, also those that never went live.")
    takeovers = HistoryField(HistoryKind.TAKEOVER, "Takeovers by another encoder.")
    failures = HistoryField(HistoryKind.FAILURE, "Failures of the stream, of a takeover or of the recording.")
    health = HistoryField(HistoryKind.HEALTH, "Starts and ends of starvation: IVS received too little data.")
    limits = HistoryField(HistoryKind.LIMIT, "Exceeded limits of the ingest.")
