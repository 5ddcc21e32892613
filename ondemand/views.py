"""The routes of videos: validate, call one service or read, answer."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property, partial
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app.conditional import public_life, require_match
from channels_app.fields import uuid_in_path
from channels_app.scopes import has_scope
from ondemand.catalogue import VideoQuerySet
from ondemand.errors import VideoNotFoundError
from ondemand.filters import TagFilterSet, VideoFilterSet
from ondemand.models import Video, VideoTag
from ondemand.serializers import (
    ContentPutSerializer,
    FoundVideoSerializer,
    HitSerializer,
    TagSerializer,
    VideoPatchSerializer,
    VideoSerializer,
    WrittenContentSerializer,
    refuse_inverted_window,
)
from ondemand.services import content_replace, video_hide, video_show, video_update

LIST_MAX_AGE = 10
VIDEO_MAX_AGE = 60


class CatalogueView(GenericAPIView):
    """What the lists of the catalogue share: what is published is decided at one moment, and kept until the next."""

    @cached_property
    def at(self) -> datetime:
        """The moment of the request."""
        return timezone.now()

    def get_serializer_context(self) -> dict[str, Any]:
        """The moment, and whether the caller may know where all files are."""
        return {**super().get_serializer_context(), "at": self.at, "is_curator": has_scope(self.request, "curate")}

    def life(self, seconds: int, edge: datetime | None) -> dict[str, str]:
        """The header that lets an answer be kept so long, and never past the next publication edge."""
        return public_life(min(seconds, (edge - self.at).total_seconds()) if edge else seconds)

    def page(self, rows: QuerySet[Any]) -> Response:
        """One page of the rows that the query asks for."""
        edge = Video.objects.next_edge(self.at)
        found = self.paginate_queryset(self.filter_queryset(rows))
        documents = self.get_serializer(found, many=True).data
        page = self.get_paginated_response(documents)
        return Response(page.data, headers=self.life(LIST_MAX_AGE, edge))


class VideoListView(CatalogueView):
    """`GET /on-demand`"""

    filterset_class = VideoFilterSet
    serializer_class = VideoSerializer

    def get(self, request: Request) -> Response:
        """Listed videos, newest first, or those that match `search`, best first."""
        return self.page(Video.objects.with_content())

    def get_serializer_class(self) -> type[VideoSerializer]:
        """What a search found has a rank."""
        return FoundVideoSerializer if is_search(self.request) else VideoSerializer


class VideoSearchView(CatalogueView):
    """`GET /on-demand/search`"""

    filterset_class = VideoFilterSet
    serializer_class = HitSerializer

    def get(self, request: Request) -> Response:
        """The predecessor's flat hits; an empty search finds nothing."""
        videos = Video.objects.with_content()
        return self.page(videos if is_search(request) else videos.none())


class VideoView(CatalogueView):
    """`/on-demand/{uuid}`"""

    write_scope = "curate"
    any_content_type = True
    serializer_class = VideoSerializer

    def get(self, request: Request, uuid: str) -> Response:
        """One video."""
        video = self.video(uuid)
        return Response(self.document(video), headers=self.life(VIDEO_MAX_AGE, video.next_edge(self.at)))

    def put(self, request: Request, uuid: str) -> Response:
        """Replace the content."""
        video_uuid = uuid_in_path(uuid)
        # DRF takes no body for an empty object, and that would empty the content.
        serializer = ContentPutSerializer(data=None if request.stream is None else request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        content = content_replace(video_uuid=video_uuid, by=self.caller, values=values, check=self.check)
        return Response(WrittenContentSerializer(content).data)

    def patch(self, request: Request, uuid: str) -> HttpResponse | Response:
        """Change some fields; without any, show the video again."""
        if request.data in (None, {}):
            video_show(video_uuid=uuid_in_path(uuid), check=self.check)
            return HttpResponse("OK", content_type="text/plain")
        video = self.video(uuid)
        serializer = VideoPatchSerializer(video, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        check = partial(self.check, values=values)
        video = video_update(video_uuid=video.pk, by=self.caller, values=values, check=check)
        return Response(self.document(video))

    def delete(self, request: Request, uuid: str) -> HttpResponse:
        """Hide the video."""
        video_hide(video_uuid=uuid_in_path(uuid), check=self.check)
        return HttpResponse("OK", content_type="text/plain")

    @property
    def caller(self) -> UUID:
        """The uuid of whoever writes."""
        return self.request.user.pk  # type: ignore[return-value]  # its scope was asked for

    def get_queryset(self) -> VideoQuerySet:
        """The videos that the caller may know of."""
        videos = Video.objects.with_content()
        return videos if has_scope(self.request, "curate") else videos.reachable(self.at)

    def video(self, uuid: str) -> Video:
        """The video of the route.

        Raises:
            ValidationError: the uuid is malformed.
            VideoNotFoundError: there is none that the caller may know of.
        """
        video = self.get_queryset().filter(pk=uuid_in_path(uuid)).first()
        if video is None:
            raise VideoNotFoundError
        return video

    def document(self, video: Video) -> Any:
        """The video as `GET` shows it."""
        return self.get_serializer(video).data

    def check(self, video: Video, values: Mapping[str, Any] | None = None) -> None:
        """Refuse to write a version that `If-Match` does not name, or values that do not go with those of the row.

        Raises:
            PreconditionFailedError: it names another one.
            ValidationError: publication would end before it begins.
        """
        require_match(self.request, self.document(video))
        refuse_inverted_window(video, values or {})


class TagListView(CatalogueView):
    """`GET /tags`"""

    filterset_class = TagFilterSet
    serializer_class = TagSerializer

    def get(self, request: Request) -> Response:
        """The tags of listed videos, by name."""
        return self.page(VideoTag.objects.counted(self.at))


def is_search(request: Request) -> bool:
    """Whether there is anything to be searched for."""
    return bool(VideoFilterSet.base_filters["search"].field.clean(request.query_params.get("search")))
