"""The ViewSets of streams, videos and tags: each action validates, calls one service or reads, and answers."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cached_property, partial
from typing import Any

from django.core.exceptions import ValidationError as InvalidValueError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from channels_app.api.viewsets import get_channel, visible_channels
from common.rest.caching import LIST_MAX_AGE, VIDEO_MAX_AGE, Life, require_match
from common.rest.description import DONE, Answer, describe, page_of
from common.rest.fields import uuid_in_path
from common.rest.ordering import RowList
from common.rest.scopes import has_scope
from common.rest.viewsets import StrictFilterViewSet
from ondemand.api import serializers
from ondemand.api.filters import TagFilterSet, VideoFilterSet
from ondemand.models import TagCount, Video, VideoIndex
from ondemand.playback.edit_services import (
    PreparedEdit,
    clip_create,
    clip_prepare,
    join_prepare,
    trim_prepare,
    unjoin_prepare,
    video_join,
    video_unjoin,
)
from ondemand.playback.explain import explanation
from ondemand.playback.parts import EditError
from ondemand.playback.suggestions import suggestions_for
from ondemand.search.lists import VideoRows, find_videos
from ondemand.search.near_miss import near_misses
from ondemand.search.rows import WalkedVideoList, next_publication_change, video_of, videos_of
from ondemand.search.words import videos_found
from ondemand.videos.files import CatalogueReader
from ondemand.videos.limits import check_window
from ondemand.videos.links import public_origin
from ondemand.videos.services import VideoNotFoundError, content_replace, video_hide, video_show, video_update


@contextmanager
def refused_edits(name: str) -> Iterator[None]:
    """Raise ValidationError, which names this field, for windows that make no video."""
    try:
        yield
    except EditError as error:
        raise ValidationError({name: [f"This cannot be shown: {error}."]}) from None


class CatalogueViewSet(StrictFilterViewSet):
    """Base of the catalogue: publication is decided at the time of the request, and cached until it changes."""

    @cached_property
    def at(self) -> datetime:
        """Return the time of the request."""
        return timezone.now()

    def get_serializer_context(self) -> dict[str, Any]:
        """Add the time, and the reader, who may see the URLs of some files or of all."""
        reader = CatalogueReader(
            is_curator=has_scope(self.request, "curate"),
            origin=public_origin(self.request),
            sees_all_channels=has_scope(self.request, "channels"),
        )
        return {**super().get_serializer_context(), "at": self.at, "reader": reader}

    def life(self, seconds: int, next_change: datetime | None) -> dict[str, str]:
        """Return the Cache-Control header for `seconds`, or until the next publication change."""
        return Life.of(seconds, (next_change - self.at).total_seconds() if next_change else None).headers

    def page(self, rows: QuerySet[Any] | RowList) -> Response:
        """Return a page of the rows."""
        page = self.paginate_queryset(rows) or []  # type: ignore[arg-type]
        serializer = self.get_serializer()
        documents = [serializer.to_representation(row) for row in page]
        life = self.life(LIST_MAX_AGE, next_publication_change(self.at, page))
        return Response(self.get_paginated_response(documents).data, headers=life)


class VideoViewSet(CatalogueViewSet):
    """Videos. Callers with the scope `curate` see hidden ones too."""

    lookup_field = "uuid"
    # Some actions have another one.
    read_scope = ""
    write_scope = "curate"
    any_content_type = True
    filterset_class = VideoFilterSet
    serializer_class = serializers.VideoSerializer

    def get_serializer_class(self) -> type[BaseSerializer]:
        """Return the serializer of the body of a write, else that of a video, or of a search result."""
        if self.action == "list":
            return serializers.FoundVideoSerializer if self.filter_values["search"] else serializers.VideoSerializer
        if self.action == "search":
            return serializers.HitSerializer
        return super().get_serializer_class()

    def get_filterset_kwargs(self, queryset: QuerySet[Any]) -> dict[str, Any]:
        """Add the time of the request."""
        return {**super().get_filterset_kwargs(queryset), "at": self.at}

    @describe(
        "listVideos",
        "List, filter and search videos",
        "Newest start first; with `search` the best match first, with `rank` and `highlight`.",
        page_of("Video", serializers.FoundVideoSerializer, serializers.VideoSerializer),
    )
    def list(self, request: Request) -> Response:
        return self.found(self.video_list())

    @action(detail=False)
    @describe(
        "searchVideos",
        "Search videos, with flat hits",
        "The search of the list, in the form for older clients. An empty search finds nothing.",
        page_of("Hit", serializers.HitSerializer),
    )
    def search(self, request: Request) -> Response:
        videos = self.video_list()
        return self.found(videos if self.filter_values["search"] else Video.objects.none().newest_first())

    @describe(
        "getVideo",
        "Get a video",
        "Listed and unlisted videos; all with the scope `curate`.",
        Answer(serializers.VideoSerializer, "The video."),
    )
    def retrieve(self, request: Request, uuid: str) -> Response:
        video = self.get_video(uuid)
        return Response(self.document(video), headers=self.life(VIDEO_MAX_AGE, video.next_publication_change(self.at)))

    @describe(
        "replaceContent",
        "Replace the content of a video",
        "Absent or null fields become empty; unknown fields are ignored.",
        Answer(serializers.WrittenContentSerializer, "The content."),
        body=serializers.ContentPutSerializer,
    )
    def update(self, request: Request, uuid: str) -> Response:
        video_uuid = uuid_in_path(uuid)
        # DRF parses a missing body as an empty object, and that would empty the content.
        serializer = self.get_serializer(data=None if request.stream is None else request.data)
        serializer.is_valid(raise_exception=True)
        write = {"by": request.user.pk, "values": serializer.validated_data, "check": self.check}
        return Response(serializers.WrittenContentSerializer(content_replace(video_uuid=video_uuid, **write)).data)

    @describe(
        "changeVideo",
        "Change a video, or show it again",
        "Changes only the given fields; unknown fields are a 400 that names them. "
        "Without a body, or with `{}` or `null`, the video is shown again and the answer is the text `OK`.",
        Answer(serializers.VideoSerializer, "The video as it is now."),
        DONE,
        body=serializers.VideoPatchSerializer,
        needs_body=False,
    )
    def partial_update(self, request: Request, uuid: str) -> HttpResponse | Response:
        if request.data in (None, {}):
            video_show(video_uuid=uuid_in_path(uuid), check=self.check)
            return HttpResponse("OK", content_type="text/plain")
        video = self.get_video(uuid)
        serializer = self.get_serializer(video, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        values = dict(serializer.validated_data)
        prepared = None
        if "trim" in values:
            # A caller with an old version does not wait for S3.
            self.check(video)
            with refused_edits("trim"):
                prepared = trim_prepare(video, values.pop("trim"))
            # Given chapters are in times of the new edit.
            values = prepared.columns | values
        check = partial(self.check, values=values, prepared=prepared)
        write: dict[str, Any] = {"by": request.user.pk, "values": values, "check": check}
        return Response(self.document(video_update(video_uuid=video.pk, **write)))

    @describe(
        "hideVideo", "Hide a video", "Its files stay, and `PATCH` shows it again. Clips of it stay as they are.", DONE
    )
    def destroy(self, request: Request, uuid: str) -> HttpResponse:
        video_hide(video_uuid=uuid_in_path(uuid), check=self.check)
        return HttpResponse("OK", content_type="text/plain")

    @action(detail=True, read_scope="curate")
    @describe(
        "explainVideo",
        "Explain who finds and who plays a video",
        "The rules in their order: the first one that the video breaks is its `listing`, or the `result` of its "
        "playback. `callers` is what the routes answer to callers with these scopes.",
        Answer(serializers.ExplanationSerializer, "The rules with their results."),
    )
    def explain(self, request: Request, uuid: str) -> Response:
        explained = explanation(self.get_video(uuid), self.at)
        return Response(serializers.ExplanationSerializer(explained).data)

    @action(detail=True, methods=["post"])
    @describe(
        "joinVideos",
        "Join recordings into one video",
        "Shows several available recordings of one channel one after the other, each as it is trimmed. "
        "The video of the path is the first one, unless `with` says where it stands. The others are its parts: "
        "they are not listed until the join is undone. It needs a grant if one of them does.",
        Answer(serializers.VideoSerializer, "The joined video."),
        body=serializers.JoinSerializer,
    )
    def join(self, request: Request, uuid: str) -> Response:
        video, values = self.get_video(uuid), self.valid_body()
        self.check(video)
        with refused_edits("with"):
            prepared = join_prepare(video, values["others"])
        return Response(self.document(video_join(video_uuid=video.pk, prepared=prepared, check=self.check)))

    @join.mapping.delete
    @describe(
        "unjoinVideos",
        "Undo a join",
        "The parts are videos of their own again. `playback` stays as it is.",
        Answer(serializers.VideoSerializer, "The video as it is now."),
    )
    def unjoin(self, request: Request, uuid: str) -> Response:
        video = self.get_video(uuid)
        self.check(video)
        with refused_edits("with"):
            prepared = unjoin_prepare(video)
        return Response(self.document(video_unjoin(video_uuid=video.pk, prepared=prepared, check=self.check)))

    @action(detail=True, methods=["post"])
    @describe(
        "createClip",
        "Make a clip of a video",
        "A video of its own that shows a window of what this one shows now, with its own content and publication. "
        "It is hidden unless `active` is true, and needs a grant if its source does. "
        "Hiding the source does not hide it.",
        Answer(serializers.VideoSerializer, "The clip.", status=201),
        body=serializers.ClipSerializer,
    )
    def clips(self, request: Request, uuid: str) -> Response:
        video, values = self.get_video(uuid), self.valid_body()
        self.check(video)
        with refused_edits("start_ms"):
            prepared = clip_prepare(video, values.pop("start_ms"), values.pop("end_ms"))
        made: dict[str, Any] = {
            "by": request.user.pk,
            "active": values.pop("active"),
            "content": values,
            "check": self.check,
        }
        clip = clip_create(video_uuid=video.pk, prepared=prepared, **made)
        return Response(self.document(clip), status=201)

    @action(detail=True, read_scope="curate")
    @describe(
        "suggestEdits",
        "Get suggested edits of a recording",
        "A trim where the encoder sent nothing at the beginning or at the end, and a join of recordings of the channel "
        "that follow each other within five minutes. Nothing is suggested for a video that is edited.",
        Answer(serializers.SuggestionsSerializer, "The suggestions."),
    )
    def suggestions(self, request: Request, uuid: str) -> Response:
        return Response(serializers.SuggestionsSerializer(suggestions_for(self.get_video(uuid))).data)

    def valid_body(self) -> dict[str, Any]:
        """Return the values of the body; raise ValidationError if it is malformed."""
        serializer = self.get_serializer(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def video_list(self) -> RowList:
        """Return the filtered videos in the requested order; those of a search with their rank, best first."""
        filterset = self.get_filterset(VideoIndex.objects.all())
        query, order = filterset.query, filterset.order
        # The videos themselves say once more whether they are listed: what was hidden meanwhile is not shown.
        at = None if filterset.is_of_curators else self.at
        if query.search:
            return VideoRows(query, order, partial(videos_found, at=at, text=query.search))
        rows = VideoRows(query, order, partial(videos_of, at=at))
        return rows if at is None or rows.walked_lookups is None else WalkedVideoList(rows, at)

    def found(self, rows: QuerySet[Any] | RowList) -> Response:
        """Return a page of the rows; of a search that finds nothing, also a near miss that finds something."""
        response, text = self.page(rows), self.filter_values["search"]
        if text and not response.data["data"] and response.data["page"] == 1:
            near_miss = next((other for other, words in near_misses(text) if self._finds(other, words)), None)
            if near_miss:
                response.data["did_you_mean"] = near_miss
        return response

    def _finds(self, text: str, words: str) -> bool:
        """Return whether the same list, with this search, finds a video that contains these exact words."""
        query = self.request.query_params.copy()
        query["search"] = text
        filterset = VideoFilterSet(query, queryset=None, at=self.at)
        filterset.clean()
        return bool(find_videos(query=replace(filterset.query, exact=words), order="newest", limit=1))

    def get_video(self, uuid: str) -> Video:
        """Return the video of the path.

        Raises:
            ValidationError: the uuid is malformed.
            VideoNotFoundError: the caller may open no such video.
        """
        video = video_of(uuid_in_path(uuid), at=None if has_scope(self.request, "curate") else self.at)
        if video is None:
            raise VideoNotFoundError
        return video

    def document(self, video: Video) -> Any:
        """Return the video as `GET` shows it."""
        return serializers.VideoSerializer(video, context=self.get_serializer_context()).data

    def check(
        self, video: Video, values: Mapping[str, Any] | None = None, prepared: PreparedEdit | None = None
    ) -> None:
        """Check the version and the values of a write.

        Raises:
            PreconditionFailedError: the video has another version than `If-Match`.
            EditOutdatedError: it is not as it was when its edit was prepared.
            ValidationError: publication would end before it begins.
        """
        require_match(self.request, self.document(video))
        if prepared:
            prepared.require_unchanged(video)
        values = values or {}
        begin, end = (values.get(name, getattr(video, name)) for name in ("publish_from", "publish_until"))
        names = [name for name in ("publish_until", "publish_from") if name in values]
        try:
            if names:
                check_window(begin, end)
        except InvalidValueError as error:
            raise ValidationError({names[0]: error.messages}) from None


class TagViewSet(CatalogueViewSet):
    """Tags of listed videos."""

    filterset_class = TagFilterSet
    serializer_class = serializers.TagSerializer

    @describe("listTags", "List the tags of listed videos", "By name.", page_of("Tag", serializers.TagSerializer))
    def list(self, request: Request) -> Response:
        return self.page(self.filter_queryset(TagCount.objects.listed(self.at)))


class StreamViewSet(CatalogueViewSet):
    """Streams of a channel, with the videos that were made of them."""

    @describe(
        "listStreams",
        "List the streams of a channel",
        "The last one first, each with its listed videos; its history is for the scope `channels`.",
        page_of("Stream", serializers.ManagedStreamSerializer, serializers.StreamSerializer),
    )
    def list(self, request: Request, uuid: str) -> Response:
        is_managed = has_scope(request, "channels")
        channel = get_channel(visible_channels(request), uuid)
        streams = channel.streams.shown(to_managers=is_managed).newest_first()
        if is_managed:
            streams = streams.with_history()
        rows = self.paginate_queryset(self.filter_queryset(streams)) or []
        stream_ids = {stream.stream_id for stream in rows}
        videos = Video.objects.filter(channel=channel).of_streams(list(stream_ids))
        by_stream = defaultdict(list)
        for video in videos.listed(self.at).with_content().newest_first():
            for stream_id in stream_ids.intersection(video.stream_ids or ()):
                by_stream[stream_id].append(video)
        serializer_class = serializers.ManagedStreamSerializer if is_managed else serializers.StreamSerializer
        context = {**self.get_serializer_context(), "videos": by_stream}
        page = self.get_paginated_response(serializer_class(rows, many=True, context=context).data)
        return Response(page.data, headers=self.life(LIST_MAX_AGE, videos.next_publication_change(self.at)))
