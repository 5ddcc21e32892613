"""The streams of a channel, with the videos that were made of them."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from rest_framework.request import Request
from rest_framework.response import Response

from channels_app.models import Stream
from channels_app.views import ChannelView
from ondemand.catalogue import VideoQuerySet
from ondemand.models import Video
from ondemand.stream_serializers import ManagedStreamSerializer, StreamSerializer
from ondemand.views import LIST_MAX_AGE, CatalogueView


class StreamListView(CatalogueView, ChannelView):
    """`GET /channels/{uuid}/streams`"""

    http_method_names = ("get", "head", "options")
    serializer_class = ManagedStreamSerializer

    def get(self, request: Request, uuid: str) -> Response:
        """The streams of the channel, the last one first, each with its listed videos."""
        channel = self.channel(uuid)
        streams = channel.streams.shown(to_managers=self.is_managed).newest_first()
        if self.is_managed:
            streams = streams.with_history()
        rows = self.paginate_queryset(self.filter_queryset(streams)) or []
        videos = Video.objects.filter(channel=channel).of_streams([stream.stream_id for stream in rows])
        serializer_class = ManagedStreamSerializer if self.is_managed else StreamSerializer
        context = {**self.get_serializer_context(), "videos": listed_by_stream(videos, rows, self.at)}
        page = self.get_paginated_response(serializer_class(rows, many=True, context=context).data)
        return Response(page.data, headers=self.life(LIST_MAX_AGE, videos.next_edge(self.at)))


def listed_by_stream(videos: VideoQuerySet, streams: Iterable[Stream], at: datetime) -> dict[str, list[Video]]:
    """The listed ones of the videos, newest first, by the id of each of the streams that they hold."""
    wanted = {stream.stream_id for stream in streams}
    found: dict[str, list[Video]] = defaultdict(list)
    for video in videos.listed(at).with_content().newest_first():
        for stream_id in wanted.intersection(video.stream_ids or ()):
            found[stream_id].append(video)
    return found
