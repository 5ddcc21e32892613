"""What goes out of the routes of streams."""

from typing import Any

from rest_framework import serializers

from channels_app.api import serializers as channels
from channels_app.models import Stream
from ondemand.api.serializers import VideoSerializer


class StreamSerializer(channels.StreamSerializer):
    """A stream with its listed videos; the context has them by stream id, and `at`, the moment of their listing."""

    videos = serializers.SerializerMethodField()

    def get_videos(self, stream: Stream) -> Any:
        """As lists of videos show them."""
        return VideoSerializer(self.context["videos"].get(stream.stream_id, []), many=True, context=self.context).data


class ManagedStreamSerializer(StreamSerializer, channels.ManagedStreamSerializer):
    """The same with what only managers of channels see."""
