"""Make the OpenAPI document by drf-spectacular, from the views, serializers and filters.

A new operation needs its summary, body and answer here. `schema.py` derives the rest from the method, the path and the
view.
"""

from pathlib import Path
from typing import Any

from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
from drf_spectacular.settings import patched_settings
from drf_spectacular.utils import OpenApiExample, OpenApiRequest, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.settings import api_settings

from channels_app.api import serializers as channels
from channels_app.api.viewsets import ChannelViewSet
from ivsvod.api import views as service_views
from ondemand.api import grants
from ondemand.api import serializers as videos
from ondemand.api.grants import ChannelGrantViewSet, PlaybackGrantViewSet, VideoGrantViewSet
from ondemand.api.play import GrantedPlayViewSet, PlayViewSet
from ondemand.api.viewsets import StreamViewSet, TagViewSet, VideoViewSet
from tools.openapi import examples
from tools.openapi.components import HEADERS, NAMED, RESPONSES, AnyOf, reference
from tools.openapi.errors import error_table
from tools.openapi.schema import ApiSchema

# Not in the settings: routers look the class up when they load, and production has no drf-spectacular.
api_settings.DEFAULT_SCHEMA_CLASS = ApiSchema  # type: ignore[assignment]  # the stubs type the setting, not its import

_TAGS = {
    "Channels": "Channels of Amazon IVS: create, run, and see what is live.",
    "Videos": "The catalogue: find, play, and curate recordings.",
    "Playback": "Who may play: grants for videos and channels, and the URLs that players load.",
    "Service": "The service itself.",
}
_SETTINGS = {
    "TITLE": "ivsvod",
    "DESCRIPTION": Path(__file__).with_name("guide.md").read_text() + error_table(),
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVERS": [{"url": "/", "description": "This service"}],
    "TAGS": [{"name": name, "description": text} for name, text in _TAGS.items()],
    "APPEND_COMPONENTS": {
        "schemas": NAMED,
        "headers": HEADERS,
        "responses": RESPONSES,
        "securitySchemes": {
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "The shared key, an API token, or a JWT of the identity provider.",
            },
            "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": "sessionid",
                "description": "A session of the admin; writes also need the header X-CSRFToken.",
            },
        },
    },
    "POSTPROCESSING_HOOKS": [],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "COMPONENT_SPLIT_PATCH": True,
    "SORT_OPERATIONS": False,
    "SORT_OPERATION_PARAMETERS": False,
    "SCHEMA_PATH_PREFIX": "",
}

_Answers = dict[tuple[int, str], OpenApiResponse]
_ANY_CHANNEL = (channels.ManagedChannelSerializer, channels.ChannelSerializer)


def _body(serializer: type, example: Any) -> dict[str, OpenApiRequest]:
    return {"application/json": OpenApiRequest(serializer, examples=[OpenApiExample("body", example)])}


def _answer(
    schema: Any, sentence: str, example: Any, media_type: str = "application/json", status: int = 200
) -> _Answers:
    """Return an answer: a serializer, a schema, or `AnyOf`, with its sentence and example."""
    examples = [OpenApiExample("answer", example, media_type=media_type)]
    return {(status, media_type): OpenApiResponse(schema, sentence, examples)}


def _page(name: str, kinds: tuple[type, ...], row: dict[str, Any]) -> _Answers:
    """Return the answer of a list, whose rows are called `name` and have one of the kinds."""
    page = {"data": [row], "page": 1, "pageSize": 25, "next": None}
    return _answer(AnyOf(kinds, page_of=name), "A page.", page)


_DONE = _answer({"type": "string", "const": "OK"}, "Done.", "OK", "text/plain")

# /channels
extend_schema_view(
    list=extend_schema(
        operation_id="listChannels",
        summary="List channels",
        description="Newest first. With the scope `channels`: all fields, and private and inactive channels too.",
        responses=_page("Channel", _ANY_CHANNEL, examples.CHANNEL),
    ),
    create=extend_schema(
        operation_id="createChannel",
        summary="Create a channel",
        description="Made in Amazon IVS and here, or in neither. `owner` is another name of `userId`: one is needed. "
        "Unknown fields are a 400 that names them.",
        request=_body(channels.ChannelCreateSerializer, examples.CHANNEL_CREATE),
        responses=_answer(
            channels.CreatedChannelSerializer, "The channel with its stream key.", examples.CREATED_CHANNEL
        ),
    ),
    live=extend_schema(
        operation_id="listLiveChannels",
        summary="List live channels",
        description="The latest to go live first.",
        responses=_page("Channel", _ANY_CHANNEL, examples.CHANNEL),
    ),
    retrieve=extend_schema(
        operation_id="getChannel",
        summary="Get a channel",
        description="With the scope `channels`: all fields, and private and inactive channels too.",
        responses=_answer(AnyOf(_ANY_CHANNEL), "The channel.", examples.MANAGED_CHANNEL),
    ),
    partial_update=extend_schema(
        operation_id="changeChannel",
        summary="Change a channel",
        description="Changes only the given fields; unknown fields are a 400 that names them.",
        request=_body(channels.ChannelUpdateSerializer, examples.CHANNEL_CHANGES),
        responses=_answer(channels.ManagedChannelSerializer, "The channel as it is now.", examples.MANAGED_CHANNEL),
    ),
    destroy=extend_schema(
        operation_id="deleteChannel",
        summary="Delete a channel in Amazon IVS",
        description="Its row and its videos stay.",
        responses=_answer(
            channels.ManagedChannelSerializer, "The channel, no longer active.", examples.MANAGED_CHANNEL
        ),
    ),
    rotate_stream_key=extend_schema(
        operation_id="rotateStreamKey",
        summary="Replace the stream key",
        description="The old key stops working. Repairs a channel that a crash left without a key.",
        responses=_answer(channels.StreamKeySerializer, "The new key.", examples.STREAM_KEY),
    ),
    stop_stream=extend_schema(
        operation_id="stopStream",
        summary="End the stream",
        description="With `ban` the stream key is removed first, so that the encoder cannot come back.",
        request=_body(channels.StreamStopSerializer, {"ban": False}),
        responses=_answer(channels.ManagedChannelSerializer, "The channel.", examples.MANAGED_CHANNEL),
    ),
    live_state=extend_schema(
        operation_id="getLiveState",
        summary="Get the live state of a channel",
        description="A channel that has never streamed is offline since it was made.",
        responses=_answer(channels.LiveStateSerializer, "The live state.", examples.LIVE_STATE),
    ),
)(ChannelViewSet)
# /channels/{uuid}/streams
extend_schema_view(
    list=extend_schema(
        operation_id="listStreams",
        summary="List the streams of a channel",
        description="The last one first, each with its listed videos; its history is for the scope `channels`.",
        responses=_page("Stream", (videos.ManagedStreamSerializer, videos.StreamSerializer), examples.STREAM),
    ),
)(StreamViewSet)
# /on-demand
extend_schema_view(
    list=extend_schema(
        operation_id="listVideos",
        summary="List, filter and search videos",
        description="Newest start first; with `search` the best match first, with `rank` and `highlight`.",
        responses=_page("Video", (videos.FoundVideoSerializer, videos.VideoSerializer), examples.VIDEO),
    ),
    search=extend_schema(
        operation_id="searchVideos",
        summary="Search videos, with flat hits",
        description="The search of the list, in the form for older clients. An empty search finds nothing.",
        responses=_page("Hit", (videos.HitSerializer,), examples.HIT),
    ),
    retrieve=extend_schema(
        operation_id="getVideo",
        summary="Get a video",
        description="Listed and unlisted videos; all with the scope `curate`.",
        responses=_answer(videos.VideoSerializer, "The video.", examples.VIDEO),
    ),
    explain=extend_schema(
        operation_id="explainVideo",
        summary="Explain who finds and who plays a video",
        description="The rules in their order: the first one that the video breaks is its `listing`, or the `result` "
        "of its playback. `callers` is what the routes answer to callers with these scopes.",
        responses=_answer(videos.ExplanationSerializer, "The rules with their results.", examples.EXPLANATION),
    ),
    update=extend_schema(
        operation_id="replaceContent",
        summary="Replace the content of a video",
        description="Absent or null fields become empty; unknown fields are ignored.",
        request=_body(videos.ContentPutSerializer, examples.CONTENT),
        responses=_answer(videos.WrittenContentSerializer, "The content.", examples.STORED_CONTENT),
    ),
    partial_update=extend_schema(
        operation_id="changeVideo",
        summary="Change a video, or show it again",
        description="Changes only the given fields; unknown fields are a 400 that names them. "
        "Without a body, or with `{}` or `null`, the video is shown again and the answer is the text `OK`.",
        request=_body(videos.VideoPatchSerializer, examples.VIDEO_CHANGES),
        responses=_answer(videos.VideoSerializer, "The video as it is now.", examples.VIDEO) | _DONE,
    ),
    destroy=extend_schema(
        operation_id="hideVideo",
        summary="Hide a video",
        description="Its files stay, and `PATCH` shows it again. Clips of it stay as they are.",
        responses=_DONE,
    ),
    join=[
        extend_schema(
            methods=["POST"],
            operation_id="joinVideos",
            summary="Join recordings into one video",
            description="Shows several available recordings of one channel one after the other, each as it is trimmed. "
            "The video of the path is the first one, unless `with` says where it stands. The others are its parts: "
            "they are not listed until the join is undone. It needs a grant if one of them does.",
            request=_body(videos.JoinSerializer, examples.JOIN),
            responses=_answer(videos.VideoSerializer, "The joined video.", examples.VIDEO),
        ),
        extend_schema(
            methods=["DELETE"],
            operation_id="unjoinVideos",
            summary="Undo a join",
            description="The parts are videos of their own again. `playback` stays as it is.",
            request=None,
            responses=_answer(videos.VideoSerializer, "The video as it is now.", examples.VIDEO),
        ),
    ],
    clips=extend_schema(
        operation_id="createClip",
        summary="Make a clip of a video",
        description="A video of its own that shows a window of what this one shows now, with its own content and "
        "publication. It is hidden unless `active` is true, and needs a grant if its source does. Hiding the source "
        "does not hide it.",
        request=_body(videos.ClipSerializer, examples.CLIP_CREATE),
        responses=_answer(videos.VideoSerializer, "The clip.", examples.CLIP, status=201),
    ),
    suggestions=extend_schema(
        operation_id="suggestEdits",
        summary="Get suggested edits of a recording",
        description="A trim where the encoder sent nothing at the beginning or at the end, and a join of recordings of "
        "the channel that follow each other within five minutes. Nothing is suggested for a video that is edited.",
        responses=_answer(videos.SuggestionsSerializer, "The suggestions.", examples.SUGGESTIONS),
    ),
)(VideoViewSet)
# /on-demand/{uuid}/playback-grants, /channels/{uuid}/playback-grants
extend_schema_view(
    create=extend_schema(
        operation_id="grantVideo",
        summary="Grant playback of a video",
        description="The URL plays in any HLS player, without a header or a cookie, until it expires or is revoked. "
        "A public video gets its plain URL, without an end. `viewer` is a name of your own for whom it is.",
        request=_body(grants.GrantCreateSerializer, examples.GRANT_CREATE),
        responses=_answer(grants.CreatedGrantSerializer, "The grant with its URL.", examples.CREATED_GRANT, status=201),
    ),
)(VideoGrantViewSet)
extend_schema_view(
    create=extend_schema(
        operation_id="grantChannel",
        summary="Grant playback of the live stream of a channel",
        description="A private channel gets a URL with a token of Amazon IVS, by which one may start to play until it "
        "expires: at most 10 minutes ahead if it names a viewer or is for single use. A public one gets its plain URL.",
        request=_body(grants.ChannelGrantCreateSerializer, examples.GRANT_CREATE),
        responses=_answer(grants.CreatedGrantSerializer, "The grant with its URL.", examples.CREATED_GRANT, status=201),
    ),
)(ChannelGrantViewSet)
# /playback-grants
extend_schema_view(
    list=extend_schema(
        operation_id="listGrants",
        summary="List playback grants",
        description="Newest first, without their URLs.",
        responses=_page("Grant", (grants.GrantSerializer,), examples.GRANT),
    ),
    destroy=extend_schema(
        operation_id="revokeGrant",
        summary="Revoke a playback grant",
        description="Players stop at their next request for a playlist; on a private channel Amazon IVS ends the "
        "sessions of the viewer soon.",
        responses={204: OpenApiResponse(None, "Done.")},
    ),
    revoke=extend_schema(
        operation_id="revokeViewer",
        summary="Revoke all playback grants of a viewer",
        request=_body(grants.ViewerSerializer, {"viewer": "member-42"}),
        responses=_answer(grants.RevokedSerializer, "The number of grants that were revoked.", {"revoked": 2}),
    ),
)(PlaybackGrantViewSet)
# /play/{uuid}/{path}, /play/g/{token}/{path}
_FILES: dict[Any, OpenApiResponse] = {
    **_answer({"type": "string"}, "A playlist, or a small picture.", "#EXTM3U", "application/vnd.apple.mpegurl"),
    **_answer({"type": "string", "format": "binary"}, "A playlist, or a small picture.", "RIFF", "image/webp"),
    302: OpenApiResponse(None, "The URL of the picture, with its signature."),
}
extend_schema_view(
    retrieve=extend_schema(
        operation_id="playVideo",
        summary="Get a playlist or a picture of a public video",
        description="`master.m3u8` is the multivariant playlist. With the scope `curate`: of any video.",
        responses=_FILES,
    ),
)(PlayViewSet)
extend_schema_view(
    retrieve=extend_schema(
        operation_id="playGrantedVideo",
        summary="Get a playlist or a picture by a playback grant",
        description="`master.m3u8` is the multivariant playlist.",
        responses=_FILES,
    ),
)(GrantedPlayViewSet)
# /tags
extend_schema_view(
    list=extend_schema(
        operation_id="listTags",
        summary="List the tags of listed videos",
        description="By name.",
        responses=_page("Tag", (videos.TagSerializer,), examples.TAG),
    ),
)(TagViewSet)
# /healthz
extend_schema_view(
    get=extend_schema(
        operation_id="getHealth",
        summary="Check the health of the service",
        description="503 while its database does not answer.",
        responses=_answer(reference("Health"), "It works.", {"status": "ok"}),
    ),
)(service_views.HealthView)
# /schema
extend_schema_view(
    get=extend_schema(
        operation_id="getSchema",
        summary="Get this document",
        responses=_answer({"type": "object"}, "OpenAPI 3.1.", {"openapi": "3.1.1"}),
    ),
)(service_views.SchemaView)
# /docs
extend_schema_view(
    get=extend_schema(
        operation_id="getDocs",
        summary="Read this document in a browser",
        responses=_answer({"type": "string"}, "A page.", "<!doctype html>", "text/html"),
    ),
)(service_views.DocsView)


class _Enumerator(EndpointEnumerator):
    """Endpoints with their methods in a fixed order: drf-spectacular takes those of view sets from a set."""

    def get_allowed_methods(self, callback: Any) -> list[str]:
        """Return the methods of a route, `GET` first."""
        return sorted(super().get_allowed_methods(callback), key=["GET", "POST", "PUT", "PATCH", "DELETE"].index)


class _Generator(SchemaGenerator):
    endpoint_inspector_cls = _Enumerator


def document() -> dict[str, Any]:
    """Return the whole document, ready to be written as JSON.

    Raises:
        KeyError: a route of the API is not described above; the message names it.
    """
    with patched_settings(_SETTINGS):
        return _without_marks(_Generator().get_schema(public=True))


def _without_marks(result: Any) -> Any:
    """Return the document without the marks that drf-spectacular leaves for its own hooks."""
    if isinstance(result, dict):
        return {name: _without_marks(value) for name, value in result.items() if name != "x-spec-enum-id"}
    return [_without_marks(value) for value in result] if isinstance(result, list) else result
