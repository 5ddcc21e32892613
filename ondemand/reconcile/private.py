"""Report videos of private channels that anyone can open."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Count
from django.utils import timezone

from channels_app.models import Channel
from channels_app.reconcile.differences import Difference, Kind, Scope, Step
from ondemand.models import Video

_TODO = (
    "hide them in the admin (Videos, Publicly reachable, private channel, Hide),"
    " or set new_video_state of the channel to listed or unlisted"
)


def private_videos(scope: Scope, position: Any) -> Iterator[Step]:
    """Report each private channel with videos that anyone can open; only staff decide what to do with them."""
    videos = Video.objects.open_though_private(timezone.now()).filter(channel__in=scope.channels())
    counts = dict(videos.order_by().values_list("channel").annotate(videos=Count("pk")))
    channels = Channel.objects.in_bulk(list(counts))
    yield Step([_difference(channels[uuid], videos) for uuid, videos in counts.items() if uuid in channels])


def _difference(channel: Channel, videos: int) -> Difference:
    database = {"private": True, "new_video_state": channel.new_video_state, "videos": videos}
    return Difference(Kind.PRIVATE_VIDEOS_OPEN, _TODO, channel, database=database)
