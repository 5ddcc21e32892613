"""Bodies and answers of the routes of channels."""

from typing import Any

from rest_framework import serializers

from channels_app.channels.provisioning import LONGEST_NAME
from channels_app.models import Channel, ChannelType, LatencyMode, NewVideoState, StreamHistoryEntry
from channels_app.models.live_state import LIVE, OFFLINE
from channels_app.streams.history import KINDS, HistoryKind
from common.rest.fields import (
    UUID_SCHEMA,
    ChangesSerializer,
    LenientUUIDField,
    PlainChoiceField,
    PlainTextField,
    StrictBooleanField,
    StrictSerializer,
    TimeField,
    with_names_in_any_case,
)

# The ingest host of the examples.
_INGEST = "a1b2c3d4e5f6.global-contribute.live-video.net"
_NAME = "The name for people; any text, also an empty one."
_TYPE = "The channel type of Amazon IVS: it limits resolution and bitrate, and decides the price."
_LATENCY = "`LOW` for live interaction with viewers, `NORMAL` for a steadier picture."
_PRIVATE = "Whether viewers need a playback grant, for the live stream and for recordings that start from now on."
_RECORD = "Whether streams are recorded to S3."
_NEW_VIDEO_STATE = (
    "The state of new recordings; null: `hidden` if the channel is private, else that of the whole service."
)


class ChannelCreateSerializer(StrictSerializer):
    """The body of `POST /channels`; `owner` is another name of `userId`, and ignored beside it."""

    name = PlainTextField(max_length=LONGEST_NAME, allow_blank=True, help_text=_NAME)
    userId = LenientUUIDField(
        source="owner", required=False, help_text="The owner: the uuid of a user or team of yours."
    )
    owner = LenientUUIDField(required=False, help_text="Another name of `userId`; ignored if `userId` is given.")
    type = PlainChoiceField(ChannelType.choices, default=ChannelType.STANDARD, source="channel_type", help_text=_TYPE)
    latency_mode = PlainChoiceField(LatencyMode.choices, default=LatencyMode.LOW, help_text=_LATENCY)
    private = StrictBooleanField(default=False, help_text=_PRIVATE)
    record = StrictBooleanField(default=True, help_text=_RECORD)

    example: dict[str, Any] = {"name": "Morning show", "userId": UUID_SCHEMA["examples"][0], "latency_mode": "LOW"}
    schema: dict[str, Any] = {
        # Beside `userId` anything goes.
        "owner": dict.fromkeys(UUID_SCHEMA),
        "": {"anyOf": [{"required": ["userId"]}, {"required": ["owner"], "properties": {"owner": UUID_SCHEMA}}]},
    }

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


class ChannelSettingsSerializer(serializers.Serializer):
    """The settings of a channel, which `PATCH /channels/{uuid}` changes and managers of channels see."""

    type = PlainChoiceField(ChannelType.choices, help_text=_TYPE)
    latency_mode = PlainChoiceField(LatencyMode.choices, help_text=_LATENCY)
    private = StrictBooleanField(help_text=_PRIVATE)
    record = StrictBooleanField(help_text=_RECORD)
    new_video_state = PlainChoiceField(NewVideoState.choices, allow_null=True, help_text=_NEW_VIDEO_STATE)
    active = StrictBooleanField(help_text="Whether callers without the scope `channels` may see the channel.")


class ChannelUpdateSerializer(ChangesSerializer, ChannelSettingsSerializer):
    """The body of `PATCH /channels/{uuid}`; with `new_video_state` null the setting decides."""

    name = PlainTextField(max_length=LONGEST_NAME, allow_blank=True, help_text=_NAME)

    example: dict[str, Any] = {"name": "Evening show", "new_video_state": "unlisted"}

    def known(self) -> dict[str, Any]:
        """Return the values of all fields."""
        return {str(name): getattr(self.instance, str(name)) for name in self.fields}


class StreamKeyRotateSerializer(StrictSerializer):
    """The body of `POST /channels/{uuid}/stream-key`, which has no field."""


class StreamStopSerializer(StrictSerializer):
    """The body of `POST /channels/{uuid}/stop`."""

    ban = StrictBooleanField(
        default=False, help_text="Whether the stream key is removed first, so that the encoder cannot come back."
    )

    example: dict[str, Any] = {"ban": False}


class LiveSerializer(serializers.Serializer):
    """The live state within a channel."""

    state = serializers.ChoiceField(
        [LIVE, OFFLINE], help_text="`live` from the start of a stream to its end, else `offline`."
    )
    since = TimeField(
        allow_null=True,
        help_text="When this state began: of a channel that never streamed, its creation; null if that is unknown.",
    )
    stream_id = serializers.CharField(
        allow_null=True,
        help_text="The id of the stream that began or ended then; null if there was none, or IVS did not say it.",
    )

    example: dict[str, Any] = {"since": "2026-03-04T09:05:00Z", "stream_id": "st-1A2b3C4d5E6f7G8h9I0jKlM"}


class LiveStateSerializer(LiveSerializer):
    """The answer to `GET /channels/{uuid}/live`."""

    timestamp = serializers.IntegerField(
        help_text="The same time as `since`, in milliseconds since 1970; 0 if it is unknown."
    )

    example: dict[str, Any] = {"timestamp": 1772615100000}


class ChannelSerializer(serializers.Serializer):
    """The public fields of a channel."""

    uuid = serializers.UUIDField(help_text="The uuid of the channel, which is its name in Amazon IVS too.")
    name = serializers.CharField(help_text="The name for people.")
    playback_url = serializers.SerializerMethodField()
    live = LiveSerializer(source="live_state", help_text="The live state.")

    example: dict[str, Any] = {
        "name": "Morning show",
        "playback_url": "https://a1b2c3d4e5f6.eu-west-1.playback.live-video.net/api/video/v1/eu-west-1.111122223333.channel.AbCd.m3u8",
    }

    def get_playback_url(self, channel: Channel) -> str | None:
        """Playback URL of the live stream; null if it needs a playback token, or IVS has reported no URL."""
        return None if channel.private else channel.playback_url or None


class ManagedChannelSerializer(ChannelSettingsSerializer, ChannelSerializer):
    """All fields of a channel except its stream key, for the scope `channels`."""

    owner = serializers.UUIDField(help_text="The owner: the uuid of a user or team of yours.")
    arn = serializers.CharField(help_text="The ARN of the channel in Amazon IVS.")
    rtmpAddress = serializers.CharField(
        source="rtmp_address", help_text="The ingest host for encoders, without scheme and path."
    )
    ingest_url = serializers.CharField(
        help_text="The URL for encoders, to which they add the stream key; empty until IVS has reported the host."
    )
    active = serializers.SerializerMethodField()  # type: ignore[assignment]
    created_at = TimeField(allow_null=True, help_text="When it was created; null if that is unknown.")

    example: dict[str, Any] = {
        "arn": "arn:aws:ivs:eu-west-1:111122223333:channel/AbCdEfGhIjKl",
        "rtmpAddress": _INGEST,
        "ingest_url": f"rtmps://{_INGEST}:443/app/",
        "private": False,
        "created_at": "2026-03-01T12:00:00Z",
    }

    def get_active(self, channel: Channel) -> bool:
        """Whether callers without the scope `channels` may see the channel."""
        return bool(channel.active)


class StreamKeySerializer(serializers.Serializer):
    """The answer to `POST /channels/{uuid}/stream-key`."""

    streamKey = serializers.CharField(
        source="reveal_stream_key", help_text="The secret of the encoder. No other answer shows it."
    )
    rtmpAddress = serializers.CharField(
        source="rtmp_address", help_text="The ingest host for encoders, without scheme and path."
    )
    ingest_url = serializers.CharField(
        help_text="The URL for encoders, to which they add the stream key; empty until IVS has reported the host."
    )

    example: dict[str, Any] = {
        "streamKey": "sk_eu-west-1_AbCdEfGhIjKl_shown-once",
        "rtmpAddress": _INGEST,
        "ingest_url": f"rtmps://{_INGEST}:443/app/",
    }


class CreatedChannelSerializer(StreamKeySerializer, ManagedChannelSerializer):
    """The answer to `POST /channels`, and the output of the commands that create channels."""


class HistoryEntrySerializer(serializers.Serializer):
    """An event of a stream, with the reason, if any."""

    at = TimeField(help_text="When IVS reported it.")
    name = serializers.CharField(help_text="The name of the event of Amazon IVS, such as `Stream Failure`.")
    reason = serializers.CharField(
        source="detail.reason", allow_null=True, help_text="The reason that IVS gives; null if it gives none."
    )


class LimitBreachSerializer(serializers.Serializer):
    """An exceeded limit of the ingest, in the unit that IVS names."""

    at = TimeField(help_text="When IVS reported it.")
    name = serializers.CharField(
        help_text="The name of the event of Amazon IVS: `Ingest Bitrate` or `Ingest Resolution`."
    )
    limit_value = serializers.FloatField(
        source="detail.limit_value",
        allow_null=True,
        help_text="The limit, in `limit_unit`; null if IVS does not say it.",
    )
    exceeded_by = serializers.FloatField(
        source="detail.exceeded_by",
        allow_null=True,
        help_text="How far it was exceeded, in `limit_unit`; null if IVS does not say it.",
    )
    limit_unit = serializers.CharField(
        source="detail.limit_unit",
        allow_null=True,
        help_text="The unit of both numbers, such as `bps`; null if IVS does not say it.",
    )


class StreamSerializer(serializers.Serializer):
    """The public fields of a stream; `ended_at` is null while it is live, or if its end never arrived."""

    stream_id = serializers.CharField(
        source="shown_id",
        allow_null=True,
        help_text="The id that IVS gave the stream; null if it was recorded without its id.",
    )
    started_at = TimeField(
        allow_null=True, help_text="When it went live; null if it never did, or its start was not reported."
    )
    ended_at = TimeField(
        allow_null=True, help_text="When it ended; null while it is live, or if its end was never reported."
    )

    example: dict[str, Any] = {
        "stream_id": "st-1A2b3C4d5E6f7G8h9I0jKlM",
        "started_at": "2026-03-04T09:05:00Z",
        "ended_at": "2026-03-04T10:05:00Z",
    }


class HistoryField(serializers.ListField):
    """The entries of one kind in the history of a stream, oldest first; the rows must come from `with_history`."""

    def __init__(self, kind: HistoryKind, help_text: str) -> None:
        entry = LimitBreachSerializer() if kind is HistoryKind.LIMIT else HistoryEntrySerializer()
        super().__init__(child=entry, source="shown_history", read_only=True, help_text=help_text)
        self.kind = kind

    def to_representation(self, value: list[StreamHistoryEntry]) -> Any:
        return super().to_representation([entry for entry in reversed(value) if KINDS.get(entry.name) is self.kind])


class ManagedStreamSerializer(StreamSerializer):
    """A stream with its history."""

    sessions = HistoryField(HistoryKind.SESSION, "Sessions of encoders, also those that never went live.")
    takeovers = HistoryField(HistoryKind.TAKEOVER, "Takeovers by another encoder.")
    failures = HistoryField(HistoryKind.FAILURE, "Failures of the stream, of a takeover or of the recording.")
    health = HistoryField(HistoryKind.HEALTH, "Starts and ends of starvation: IVS received too little data.")
    limits = HistoryField(HistoryKind.LIMIT, "Exceeded limits of the ingest.")
