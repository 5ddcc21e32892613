"""The ViewSet of channels: each action validates, calls one service or reads, and answers."""

from typing import Any, cast
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, ValidationError

from channels_app.api import serializers
from channels_app.api.filters import ChannelFilterSet
from channels_app.channels.idempotency import LONGEST_KEY, body_digest, channel_create_once
from channels_app.channels.provisioning import channel_create
from channels_app.channels.stream_keys import stream_key_rotate, stream_stop
from channels_app.channels.updates import channel_delete, channel_update
from channels_app.models import Channel, ChannelQuerySet
from channels_app.models.live_state import LiveState
from common.errors import ChannelNotFoundError
from common.rest.caching import LIST_MAX_AGE, LIVE_MAX_AGE, Life, require_match
from common.rest.compiled import CompiledQuery, Parameter
from common.rest.description import Answer, body_of, describe, page_of
from common.rest.fields import uuid_in_path
from common.rest.filters import StrictFilterSet
from common.rest.scopes import has_scope
from common.rest.viewsets import StrictFilterViewSet

NO_STORE = {"Cache-Control": "no-store"}
# Compiled once: players ask for it every few seconds.
_LIVE_STATES = CompiledQuery(
    lambda: (
        Channel.objects.with_live_state()
        .filter(pk=Parameter("uuid"))
        .values_list("last_stream_id", "current_state", "live_since")  # type: ignore[misc]
    )
)
_BOTH = (serializers.ManagedChannelSerializer, serializers.ChannelSerializer)
_MANAGED = serializers.ManagedChannelSerializer


class ChannelViewSet(StrictFilterViewSet):
    """Channels. Callers with the scope `channels` see all fields, and private and inactive channels too."""

    lookup_field = "uuid"
    write_scope = "channels"
    filterset_class = ChannelFilterSet
    # The live state is kept for 2 seconds, and a replica may be later than that.
    primary_actions = ("live", "live_state", "retrieve")

    @property
    def any_content_type(self) -> bool:
        """Return whether the body may have any Content-Type, as the predecessor's `POST /channels` may."""
        return self.action == "create"

    def get_queryset(self) -> ChannelQuerySet:
        return visible_channels(self.request)

    def get_serializer_class(self) -> type[BaseSerializer]:
        return body_of(self) or channel_serializer(self.request)

    @describe(
        "listChannels",
        "List channels",
        "Newest first. With the scope `channels`: all fields, and private and inactive channels too.",
        page_of("Channel", *_BOTH),
    )
    def list(self, request: Request) -> Response:
        channels = self.filter_queryset(self.get_queryset())
        if self.filter_values["active"] is False and not has_scope(request, "channels"):
            self.permission_denied(request, message="The filter active=false needs the scope channels")
        return self.page(channels, LIST_MAX_AGE)

    @action(detail=False, filterset_class=StrictFilterSet)
    @describe("listLiveChannels", "List live channels", "The latest to go live first.", page_of("Channel", *_BOTH))
    def live(self, request: Request) -> Response:
        channels = self.get_queryset().in_state("live").latest_live_first()
        return self.page(self.filter_queryset(channels), LIVE_MAX_AGE)

    @describe(
        "createChannel",
        "Create a channel",
        "Made in Amazon IVS and here, or in neither. `owner` is another name of `userId`: one is needed. "
        "Unknown fields are a 400 that names them.",
        Answer(serializers.CreatedChannelSerializer, "The channel with its stream key."),
        body=serializers.ChannelCreateSerializer,
    )
    def create(self, request: Request) -> Response:
        """Create a channel in IVS. Requests with the same `Idempotency-Key` create one channel."""
        key = idempotency_key(request)
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        if key is None:
            channel = channel_create(**values)
        else:
            caller, digest = cast(UUID, request.user.pk), body_digest(request.data)
            channel = channel_create_once(caller=caller, key=key, digest=digest, values=values).channel
        created = Channel.objects.with_live_state().get(pk=channel.pk)
        return Response(serializers.CreatedChannelSerializer(created).data, headers=NO_STORE)

    @describe(
        "getChannel",
        "Get a channel",
        "With the scope `channels`: all fields, and private and inactive channels too.",
        Answer(_BOTH, "The channel."),
    )
    def retrieve(self, request: Request, uuid: str) -> Response:
        return Response(self.document(uuid), headers=Life.of(LIVE_MAX_AGE).headers)

    @describe(
        "changeChannel",
        "Change a channel",
        "Changes only the given fields; unknown fields are a 400 that names them.",
        Answer(_MANAGED, "The channel as it is now."),
        body=serializers.ChannelUpdateSerializer,
    )
    def partial_update(self, request: Request, uuid: str) -> Response:
        channel = self.matching_channel(uuid)
        serializer = self.get_serializer(channel, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        channel_update(channel=channel, values=serializer.validated_data)
        return Response(self.document(uuid))

    @describe(
        "deleteChannel",
        "Delete a channel in Amazon IVS",
        "Its row and its videos stay.",
        Answer(_MANAGED, "The channel, no longer active."),
    )
    def destroy(self, request: Request, uuid: str) -> Response:
        channel_delete(channel=self.matching_channel(uuid))
        return Response(self.document(uuid))

    @action(detail=True, url_path="live")
    @describe(
        "getLiveState",
        "Get the live state of a channel",
        "A channel that has never streamed is offline since it was made.",
        Answer(serializers.LiveStateSerializer, "The live state."),
    )
    def live_state(self, request: Request, uuid: str) -> Response:
        """Return the live state of any channel, hidden ones too, as the predecessor did."""
        found = _LIVE_STATES.rows(uuid=uuid_in_path(uuid))
        if not found:
            raise ChannelNotFoundError
        document = serializers.LiveStateSerializer(LiveState(*found[0])).data
        return Response(document, headers=Life.of(LIVE_MAX_AGE).headers)

    @action(detail=True, methods=["post"], url_path="stream-key")
    @describe(
        "rotateStreamKey",
        "Replace the stream key",
        "The old key stops working. Repairs a channel that a crash left without a key.",
        Answer(serializers.StreamKeySerializer, "The new key."),
        body=serializers.StreamKeyRotateSerializer,
        needs_body=False,
    )
    def rotate_stream_key(self, request: Request, uuid: str) -> Response:
        channel = self.matching_channel(uuid)
        self.optional_body()
        return Response(serializers.StreamKeySerializer(stream_key_rotate(channel=channel)).data, headers=NO_STORE)

    @action(detail=True, methods=["post"], url_path="stop")
    @describe(
        "stopStream",
        "End the stream",
        "With `ban` the stream key is removed first, so that the encoder cannot come back.",
        Answer(_MANAGED, "The channel."),
        body=serializers.StreamStopSerializer,
        needs_body=False,
    )
    def stop_stream(self, request: Request, uuid: str) -> Response:
        channel = self.matching_channel(uuid)
        stream_stop(channel=channel, ban=self.optional_body()["ban"])
        return Response(self.document(uuid))

    def page(self, channels: QuerySet[Channel], max_age: int) -> Response:
        """Return a page of the channels, which caches may keep for `max_age` seconds."""
        documents = self.get_serializer(self.paginate_queryset(channels), many=True).data
        return Response(self.get_paginated_response(documents).data, headers=Life.of(max_age).headers)

    def document(self, uuid: str) -> Any:
        """Return the fields of the channel that the caller may see; raises as `get_channel` does."""
        return channel_serializer(self.request)(get_channel(self.get_queryset(), uuid)).data

    def matching_channel(self, uuid: str) -> Channel:
        """Return the channel of the path; raise PreconditionFailedError if `If-Match` has another version."""
        channel = get_channel(self.get_queryset(), uuid)
        require_match(self.request, channel_serializer(self.request)(channel).data)
        return channel

    def optional_body(self) -> dict[str, Any]:
        """Return the values of a body that may be absent or null; a ValidationError if malformed."""
        serializer = self.get_serializer(data={} if self.request.data is None else self.request.data)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data


def idempotency_key(request: Request) -> str | None:
    """Return the header `Idempotency-Key`, None if there is none; raise ValidationError if it is malformed."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        sentence = f"Not a text of 1 to {LONGEST_KEY} printable ASCII characters."
        raise ValidationError({"Idempotency-Key": [sentence]})
    return key


def visible_channels(request: Request) -> ChannelQuerySet:
    """Return the channels visible to the caller, newest first, with their live state."""
    return Channel.objects.with_live_state().shown(to_managers=has_scope(request, "channels")).newest_first()


def get_channel(channels: ChannelQuerySet, uuid: str) -> Channel:
    """Return the channel of a path; raise ValidationError for a malformed uuid, ChannelNotFoundError if missing."""
    channel = channels.filter(pk=uuid_in_path(uuid)).first()
    if channel is None:
        raise ChannelNotFoundError
    return channel


def channel_serializer(request: Request) -> type[serializers.ChannelSerializer]:
    """Return the serializer of the fields that the caller may see."""
    return serializers.ManagedChannelSerializer if has_scope(request, "channels") else serializers.ChannelSerializer
