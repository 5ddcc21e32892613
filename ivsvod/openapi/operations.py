"""What each operation takes and answers, in the order of the document. A new route needs its entry here."""

from dataclasses import dataclass, field
from typing import Any

from channels_app import serializers as channels
from ivsvod.openapi import examples
from ondemand import serializers as videos
from ondemand import stream_serializers as streams

TAGS = {
    "Channels": "Channels of Amazon IVS: create, run, and see what is live.",
    "Videos": "The catalogue: find, play, and curate recordings.",
    "Service": "The service itself.",
}
_JSON, _TEXT, _HTML = "application/json", "text/plain", "text/html"
_OK = {(200, _TEXT): ({"type": "string", "const": "OK"}, "Done.", "OK")}
_ANY_CHANNEL = (channels.ManagedChannelSerializer, channels.ChannelSerializer)
# Status and media type: a schema, a serializer, several of which one fits, or the name of a component; what it says;
# an example.
Answers = dict[tuple[int, str], tuple[Any, str, Any]]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one route."""

    id: str
    tag: str
    summary: str
    answers: Answers
    description: str = ""
    # "" where nobody is asked who they are.
    scope: str = "read"
    body: Any = None
    body_example: Any = None
    is_body_optional: bool = False
    # What the rows of a list are called.
    page_of: str = ""
    is_write: bool = False
    # If-None-Match, If-Match, Idempotency-Key.
    has_version: bool = False
    has_condition: bool = False
    has_idempotency_key: bool = False
    calls_aws: bool = False
    refusals: tuple[int, ...] = field(default=())


def _one(schema: Any, sentence: str, example: Any) -> Answers:
    return {(200, _JSON): (schema, sentence, example)}


def _page(schema: Any, row: Any) -> Answers:
    return _one(schema, "A page.", examples.page_of(row))


OPERATIONS: dict[str, Operation] = {
    "GET /channels": Operation(
        id="listChannels",
        tag="Channels",
        summary="List channels",
        description="Newest first. With the scope `channels` each is whole, and private and inactive ones are there.",
        answers=_page(_ANY_CHANNEL, examples.CHANNEL),
        page_of="Channel",
        has_version=True,
    ),
    "POST /channels": Operation(
        id="createChannel",
        tag="Channels",
        summary="Create a channel",
        description=(
            "In Amazon IVS and here, or in neither. `owner` is another name of `userId`: one is needed. Unknown fields "
            "are a 400 that names them."
        ),
        scope="channels",
        body=channels.ChannelCreateSerializer,
        body_example=examples.CHANNEL_CREATE,
        answers=_one(channels.CreatedChannelSerializer, "The channel with its stream key.", examples.CREATED_CHANNEL),
        is_write=True,
        has_idempotency_key=True,
        calls_aws=True,
    ),
    "GET /channels/live": Operation(
        id="listLiveChannels",
        tag="Channels",
        summary="List what is live now",
        description="The latest to go live first.",
        answers=_page(_ANY_CHANNEL, examples.CHANNEL),
        page_of="Channel",
        has_version=True,
    ),
    "GET /channels/{uuid}": Operation(
        id="getChannel",
        tag="Channels",
        summary="Get a channel",
        answers=_one(_ANY_CHANNEL, "The channel.", examples.MANAGED_CHANNEL),
        has_version=True,
    ),
    "PATCH /channels/{uuid}": Operation(
        id="changeChannel",
        tag="Channels",
        summary="Change a channel",
        description="Changes the fields that are given, and no other; unknown ones are a 400 that names them.",
        scope="channels",
        body=channels.ChannelUpdateSerializer,
        body_example=examples.CHANNEL_CHANGES,
        answers=_one(channels.ManagedChannelSerializer, "The channel as it is now.", examples.MANAGED_CHANNEL),
        is_write=True,
        has_condition=True,
        calls_aws=True,
    ),
    "DELETE /channels/{uuid}": Operation(
        id="deleteChannel",
        tag="Channels",
        summary="Delete a channel in Amazon IVS",
        description="Its row and its videos stay.",
        scope="channels",
        answers=_one(channels.ManagedChannelSerializer, "The channel, no longer active.", examples.MANAGED_CHANNEL),
        is_write=True,
        has_condition=True,
        calls_aws=True,
    ),
    "POST /channels/{uuid}/stream-key": Operation(
        id="rotateStreamKey",
        tag="Channels",
        summary="Replace the stream key",
        description="The old key works no longer. Heals a channel that a crash left without one.",
        scope="channels",
        answers=_one(channels.StreamKeySerializer, "The new key.", examples.STREAM_KEY),
        is_write=True,
        has_condition=True,
        calls_aws=True,
    ),
    "POST /channels/{uuid}/stop": Operation(
        id="stopStream",
        tag="Channels",
        summary="End the stream",
        description="With `ban` the stream key is removed first, so that the encoder cannot come back.",
        scope="channels",
        body=channels.StreamStopSerializer,
        body_example={"ban": False},
        is_body_optional=True,
        answers=_one(channels.ManagedChannelSerializer, "The channel.", examples.MANAGED_CHANNEL),
        is_write=True,
        has_condition=True,
        calls_aws=True,
    ),
    "GET /channels/{uuid}/live": Operation(
        id="getLiveState",
        tag="Channels",
        summary="Get the live state of a channel",
        description="A channel that has never streamed is offline since it was made.",
        answers=_one(channels.LiveStateSerializer, "The live state.", examples.LIVE_STATE),
        has_version=True,
    ),
    "GET /channels/{uuid}/streams": Operation(
        id="listStreams",
        tag="Channels",
        summary="List the streams of a channel",
        description="The last one first, each with its listed videos; its history is for the scope `channels`.",
        answers=_page((streams.ManagedStreamSerializer, streams.StreamSerializer), examples.STREAM),
        page_of="Stream",
        has_version=True,
    ),
    "GET /on-demand": Operation(
        id="listVideos",
        tag="Videos",
        summary="List, filter and search videos",
        description="Newest start first; with `search` the best match first, with `rank` and `highlight`.",
        answers=_page((videos.FoundVideoSerializer, videos.VideoSerializer), examples.VIDEO),
        page_of="Video",
        has_version=True,
    ),
    "GET /on-demand/search": Operation(
        id="searchVideos",
        tag="Videos",
        summary="Search videos, with flat hits",
        description="The same search as that of the list, in the form of older clients. An empty search finds nothing.",
        answers=_page((videos.HitSerializer,), examples.HIT),
        page_of="Hit",
        has_version=True,
    ),
    "GET /on-demand/{uuid}": Operation(
        id="getVideo",
        tag="Videos",
        summary="Get a video",
        description="Listed and unlisted videos; with the scope `curate` all.",
        answers=_one(videos.VideoSerializer, "The video.", examples.VIDEO),
        has_version=True,
    ),
    "PUT /on-demand/{uuid}": Operation(
        id="replaceContent",
        tag="Videos",
        summary="Replace the content of a video",
        description="What is absent or null becomes empty; unknown fields are ignored.",
        scope="curate",
        body=videos.ContentPutSerializer,
        body_example=examples.CONTENT,
        answers=_one(videos.WrittenContentSerializer, "The content.", examples.STORED_CONTENT),
        is_write=True,
        has_condition=True,
    ),
    "PATCH /on-demand/{uuid}": Operation(
        id="changeVideo",
        tag="Videos",
        summary="Change a video, or show it again",
        description=(
            "Changes the fields that are given, and no other; unknown ones are a 400 that names them. Without a body, "
            "or with `{}` or `null`, the video is shown again and the answer is the text `OK`."
        ),
        scope="curate",
        body=videos.VideoPatchSerializer,
        body_example=examples.VIDEO_CHANGES,
        is_body_optional=True,
        answers={**_one(videos.VideoSerializer, "The video as it is now.", examples.VIDEO), **_OK},
        is_write=True,
        has_condition=True,
    ),
    "DELETE /on-demand/{uuid}": Operation(
        id="hideVideo",
        tag="Videos",
        summary="Hide a video",
        description="Its files stay, and `PATCH` shows it again.",
        scope="curate",
        answers=_OK,
        is_write=True,
        has_condition=True,
    ),
    "GET /tags": Operation(
        id="listTags",
        tag="Videos",
        summary="List the tags of listed videos",
        description="The most used first.",
        answers=_page((videos.TagSerializer,), examples.TAG),
        page_of="Tag",
        has_version=True,
    ),
    "GET /healthz": Operation(
        id="getHealth",
        tag="Service",
        summary="Ask whether the service works",
        description="503 while its database does not answer.",
        scope="",
        answers=_one("Health", "It works.", {"status": "ok"}),
    ),
    "GET /schema": Operation(
        id="getSchema",
        tag="Service",
        summary="Get this document",
        scope="",
        answers=_one({"type": "object"}, "OpenAPI 3.1.", {"openapi": "3.1.1"}),
        has_version=True,
    ),
    "GET /docs": Operation(
        id="getDocs",
        tag="Service",
        summary="Read this document in a browser",
        scope="",
        answers={(200, _HTML): ({"type": "string"}, "A page.", "<!doctype html>")},
        has_version=True,
    ),
}
