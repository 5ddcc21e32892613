"""The routes of channels: validate, call one service or read, answer."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, ValidationError

from channels_app.channel_filters import ChannelFilterSet
from channels_app.conditional import public_life, require_match
from channels_app.control import channel_delete, channel_update
from channels_app.errors import ChannelNotFoundError
from channels_app.fields import uuid_in_path
from channels_app.filters import StrictFilterBackend, StrictFilterSet
from channels_app.idempotency import LONGEST_KEY, body_digest, channel_create_once
from channels_app.keys import stream_key_rotate, stream_stop
from channels_app.models import Channel, ChannelQuerySet
from channels_app.publishing import LIVE_STATE_MAX_AGE
from channels_app.scopes import has_scope
from channels_app.serializers import (
    ChannelCreateSerializer,
    ChannelSerializer,
    ChannelUpdateSerializer,
    CreatedChannelSerializer,
    LiveStateSerializer,
    ManagedChannelSerializer,
    StreamKeyRotateSerializer,
    StreamKeySerializer,
    StreamStopSerializer,
)
from channels_app.services import channel_create

LIST_MAX_AGE = 10
NO_STORE = {"Cache-Control": "no-store"}


class ChannelView(GenericAPIView):
    """`/channels/{uuid}`, and what the other routes of channels share."""

    write_scope = "channels"
    http_method_names: Sequence[str] = ("get", "patch", "delete", "head", "options")
    serializer_class: type[BaseSerializer] = ManagedChannelSerializer

    def get(self, request: Request, uuid: str) -> Response:
        """One channel."""
        return Response(self.document(self.channel(uuid)), headers=public_life(LIVE_STATE_MAX_AGE))

    def patch(self, request: Request, uuid: str) -> Response:
        """Change some of its fields."""
        channel = self.matched(uuid)
        serializer = ChannelUpdateSerializer(channel, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        channel_update(channel=channel, values=serializer.validated_data)
        return Response(self.document(self.channel(uuid)))

    def delete(self, request: Request, uuid: str) -> Response:
        """Delete it in IVS; its row and its videos stay."""
        channel_delete(channel=self.matched(uuid))
        return Response(self.document(self.channel(uuid)))

    @property
    def is_managed(self) -> bool:
        """Whether the caller sees the whole of a channel, and the private and inactive ones."""
        return has_scope(self.request, "channels")

    def get_queryset(self) -> ChannelQuerySet:
        """The channels that the caller may know of."""
        return Channel.objects.with_live_state().shown(to_managers=self.is_managed).newest_first()

    def channel(self, uuid: str) -> Channel:
        """The channel of the route.

        Raises:
            ValidationError: the uuid is malformed.
            ChannelNotFoundError: there is none that the caller may know of.
        """
        channel = self.get_queryset().filter(pk=uuid_in_path(uuid)).first()
        if channel is None:
            raise ChannelNotFoundError
        return channel

    def matched(self, uuid: str) -> Channel:
        """The channel of the route, in the version that `If-Match` names where it is given.

        Raises:
            PreconditionFailedError: it has another version; else as `channel`.
        """
        channel = self.channel(uuid)
        require_match(self.request, self.document(channel))
        return channel

    def document(self, channel: Channel) -> Any:
        """The channel as this caller may see it."""
        return (ManagedChannelSerializer if self.is_managed else ChannelSerializer)(channel).data


class ChannelListView(ChannelView):
    """`/channels`"""

    http_method_names: Sequence[str] = ("get", "post", "head", "options")
    any_content_type = True
    filter_backends = (StrictFilterBackend,)
    filterset_class: type[StrictFilterSet] | None = ChannelFilterSet

    def get(self, request: Request) -> Response:  # type: ignore[override]
        """The channels, newest first."""
        channels = self.filter_queryset(self.get_queryset())
        if request.query_params.get("active") == "false" and not self.is_managed:
            self.permission_denied(request, message="The filter active=false needs the scope channels")
        return self.page(channels, LIST_MAX_AGE)

    def post(self, request: Request) -> Response:
        """Create a channel in IVS; with an `Idempotency-Key` no more than one, however often it is sent."""
        key = idempotency_key(request)
        serializer = ChannelCreateSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        if key is None:
            channel = channel_create(**values)
        else:
            caller, digest = cast(UUID, request.user.pk), body_digest(request.data)
            channel = channel_create_once(caller=caller, key=key, digest=digest, values=values).channel
        made = Channel.objects.with_live_state().get(pk=channel.pk)
        return Response(CreatedChannelSerializer(made).data, headers=NO_STORE)

    def page(self, channels: QuerySet[Channel], seconds: int) -> Response:
        """One page of them."""
        documents = [self.document(channel) for channel in self.paginate_queryset(channels) or []]
        return Response(self.get_paginated_response(documents).data, headers=public_life(seconds))


class LiveChannelListView(ChannelListView):
    """`GET /channels/live`"""

    http_method_names = ("get", "head", "options")
    filterset_class = None

    def get(self, request: Request) -> Response:  # type: ignore[override]
        """The channels that are live now, the latest to go live first."""
        channels = self.get_queryset().in_state("live").latest_live_first()
        return self.page(self.filter_queryset(channels), LIVE_STATE_MAX_AGE)


class StreamKeyView(ChannelView):
    """`POST /channels/{uuid}/stream-key`"""

    http_method_names = ("post", "options")
    serializer_class = StreamKeySerializer

    def post(self, request: Request, uuid: str) -> Response:
        """Replace the stream key."""
        channel = self.matched(uuid)
        StreamKeyRotateSerializer(data=document_or_empty(request)).is_valid(raise_exception=True)
        channel = stream_key_rotate(channel=channel)
        return Response(StreamKeySerializer(channel).data, headers=NO_STORE)


class StreamStopView(ChannelView):
    """`POST /channels/{uuid}/stop`"""

    http_method_names = ("post", "options")

    def post(self, request: Request, uuid: str) -> Response:
        """End the stream, and with `ban` keep its encoder from coming back."""
        channel = self.matched(uuid)
        serializer = StreamStopSerializer(data=document_or_empty(request))
        serializer.is_valid(raise_exception=True)
        stream_stop(channel=channel, ban=serializer.validated_data["ban"])
        return Response(self.document(self.channel(uuid)))


class LiveStateView(GenericAPIView):
    """`GET /channels/{uuid}/live`; of any channel, as the predecessor answered."""

    serializer_class = LiveStateSerializer

    def get(self, request: Request, uuid: str) -> Response:
        """Whether the channel is live, and since when."""
        channel = Channel.objects.with_live_state().filter(pk=uuid_in_path(uuid)).first()
        if channel is None:
            raise ChannelNotFoundError
        return Response(LiveStateSerializer(channel.live_state).data, headers=public_life(LIVE_STATE_MAX_AGE))


def document_or_empty(request: Request) -> Any:
    """Return the body of a route that may do without one; null is none."""
    return {} if request.data is None else request.data


def idempotency_key(request: Request) -> str | None:
    """The key that the client gave to its request; None where it gave none.

    Raises:
        ValidationError: it is empty, too long, or holds characters that a header cannot.
    """
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise ValidationError({"Idempotency-Key": [f"Not a text of 1 to {LONGEST_KEY} printable ASCII characters."]})
    return key
