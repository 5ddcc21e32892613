"""The routes of videos: validate, call one service or read, answer."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from channels_app.fields import uuid_in_path
from channels_app.scopes import has_scope
from ondemand.models import Video
from ondemand.search import search_videos
from ondemand.serializers import ContentPutSerializer, content_document, hit_document, video_document
from ondemand.services import VideoNotFoundError, content_replace, video_hide, video_show


class VideoListView(GenericAPIView):
    """`GET /on-demand`"""

    def get(self, request: Request) -> Response:
        """Listed videos, newest first, or those that match `search`, best first."""
        videos = Video.objects.listed().with_content()
        text = request.query_params.get("search", "")
        return self.page(search_videos(videos, text) if text.strip() else videos.newest_first(), video_document)

    def page(self, videos: QuerySet[Video], document: Callable[[Video], dict[str, Any]]) -> Response:
        """One page of them."""
        return self.get_paginated_response([document(video) for video in self.paginate_queryset(videos) or []])


class VideoSearchView(VideoListView):
    """`GET /on-demand/search`"""

    def get(self, request: Request) -> Response:
        """The predecessor's flat hits; an empty search finds nothing."""
        videos = Video.objects.listed().with_content()
        text = request.query_params.get("search", "")
        return self.page(search_videos(videos, text) if text.strip() else videos.none(), hit_document)


class VideoView(APIView):
    """`/on-demand/{uuid}`"""

    write_scope = "curate"

    def get(self, request: Request, uuid: str) -> Response:
        """One video."""
        videos = Video.objects.with_content()
        if not has_scope(request, "curate"):
            videos = videos.reachable()
        video = videos.filter(pk=uuid_in_path(uuid)).first()
        if video is None:
            raise Http404("Recording not found")
        return Response(video_document(video))

    def put(self, request: Request, uuid: str) -> Response:
        """Replace the content."""
        video_uuid = uuid_in_path(uuid)
        # DRF takes no body for an empty object, and that would empty the content.
        serializer = ContentPutSerializer(data=None if request.stream is None else request.data)
        serializer.is_valid(raise_exception=True)
        content = _found(content_replace, video_uuid=video_uuid, by=request.user.pk, values=serializer.validated_data)
        return Response(content_document(content))

    def patch(self, request: Request, uuid: str) -> HttpResponse:
        """Show the video again."""
        _found(video_show, video_uuid=uuid_in_path(uuid))
        return HttpResponse("OK", content_type="text/plain")

    def delete(self, request: Request, uuid: str) -> HttpResponse:
        """Hide the video."""
        _found(video_hide, video_uuid=uuid_in_path(uuid))
        return HttpResponse("OK", content_type="text/plain")


def _found(service: Callable[..., Any], **arguments: Any) -> Any:
    try:
        return service(**arguments)
    except VideoNotFoundError:
        raise Http404("Recording not found") from None
