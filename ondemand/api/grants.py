"""The ViewSets of playback grants."""

import re
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.utils import timezone
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app.api.viewsets import NO_STORE, get_channel, idempotency_key
from channels_app.channels.idempotency import body_digest
from channels_app.channels.viewer_tokens import LONGEST_VIEWER_ID, RESOLUTIONS
from channels_app.models import Channel
from common.rest import throttling
from common.rest.description import Answer, describe, page_of
from common.rest.fields import (
    PlainChoiceField,
    PlainTextField,
    StrictBooleanField,
    StrictSerializer,
    TimeField,
    WholeNumberField,
    uuid_in_path,
)
from common.rest.filters import BooleanFilter, StrictFilterSet, TextFilter, UUIDFilter
from common.rest.scopes import has_scope
from common.rest.viewsets import StrictFilterViewSet
from ondemand.api.viewsets import CatalogueViewSet
from ondemand.models import PlaybackGrant, PlaybackGrantQuerySet
from ondemand.playback.grants import (
    GrantRequest,
    channel_grant_create,
    grant_revoke,
    grant_url,
    video_grant_create,
    viewer_revoke,
)
from ondemand.search.rows import video_of
from ondemand.videos.links import public_origin
from ondemand.videos.services import VideoNotFoundError

# Seconds.
SHORTEST, LONGEST, DEFAULT = 60, 86_400, 3600
_MOST_ORIGINS = 20
ORIGIN = r"https?://\*?[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?"


class GrantCreateSerializer(StrictSerializer):
    """The body of a new grant; without a `viewer` it is for anyone who has its URL."""

    viewer = PlainTextField(
        max_length=LONGEST_VIEWER_ID,
        allow_blank=True,
        default="",
        help_text="Your id of the viewer; it may be sent to Amazon IVS. Empty: anyone with the URL may play.",
    )
    ttl_seconds = WholeNumberField(
        min_value=SHORTEST, max_value=LONGEST, default=DEFAULT, help_text="How long it lasts, in seconds."
    )

    example: dict[str, Any] = {"viewer": "member-42", "ttl_seconds": 3600}


class OriginField(PlainTextField):
    """The origin of a page, `https://www.example.com`; its host may begin with `*`."""

    schema: dict[str, Any] = {"pattern": f"^{ORIGIN}$"}
    default_error_messages = {"origin": "Not an origin such as https://www.example.com."}

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not re.fullmatch(ORIGIN, text):
            self.fail("origin")
        return text


class ChannelGrantCreateSerializer(GrantCreateSerializer):
    """The body of a new grant for a channel; the limits of a private one are those of a token of IVS."""

    origins = serializers.ListField(
        child=OriginField(),
        max_length=_MOST_ORIGINS,
        default=list,
        help_text="Of the pages that may play it; none for any.",
    )
    single_use = StrictBooleanField(default=False, help_text="Whether one player alone may start to play.")
    maximum_resolution = PlainChoiceField(
        RESOLUTIONS[1:], default=None, help_text="The highest resolution that plays; absent for any."
    )


class ViewerSerializer(StrictSerializer):
    """The body of the revocation of all grants of a viewer."""

    viewer = PlainTextField(max_length=LONGEST_VIEWER_ID, help_text="Your id of the viewer, as in the grants.")

    example: dict[str, Any] = {"viewer": "member-42"}
    schema: dict[str, Any] = {"viewer": {"minLength": 1}}


class RevokedSerializer(serializers.Serializer):
    """The number of grants that were revoked."""

    revoked = serializers.IntegerField(help_text="The number of grants that were revoked.")


class CreatedGrantSerializer(serializers.Serializer):
    """A new grant. Nothing else shows its URL."""

    id = serializers.UUIDField(help_text="The id of the grant, by which it is revoked.")
    url = serializers.CharField(help_text="The URL of the multivariant playlist, for any HLS player.")
    expires_at = TimeField(
        allow_null=True, help_text="Expiry time; null for a public video or channel, whose grant does not expire."
    )

    example: dict[str, Any] = {
        "url": "https://vod.example.com/play/g/AbCdEf-shown-once/master.m3u8",
        "expires_at": "2026-03-04T12:05:00Z",
    }


class GrantSerializer(serializers.Serializer):
    """A grant in the list, without its URL."""

    id = serializers.UUIDField(help_text="The id of the grant, by which it is revoked.")
    video = serializers.UUIDField(
        source="video_id", allow_null=True, help_text="The uuid of the video; null if it is for a channel."
    )
    channel = serializers.UUIDField(
        source="channel_id", allow_null=True, help_text="The uuid of the channel; null if it is for a video."
    )
    viewer = serializers.CharField(help_text="Your id of the viewer. Empty: anyone with the URL may play.")
    created_at = TimeField(source="made_at", help_text="When it was made.")
    created_by = serializers.UUIDField(
        source="by", help_text="The uuid of the account that made it; zero for the shared key."
    )
    expires_at = TimeField(
        allow_null=True, help_text="Expiry time; null for a public video or channel, whose grant does not expire."
    )
    revoked_at = TimeField(allow_null=True, help_text="When it was revoked; null if it was not.")
    uses = serializers.IntegerField(help_text="How often it was used, counted once a minute at most.")
    last_used_at = TimeField(allow_null=True, help_text="When it was last used; null if it never was.")

    example: dict[str, Any] = {
        "video": "6f1f3a52-3c1e-5f0a-9d55-0a7c6f5d8b21",
        "viewer": "member-42",
        "expires_at": "2026-03-04T12:05:00Z",
    }


class GrantFilterSet(StrictFilterSet):
    """Filter grants; `lasting` is whether a grant is neither revoked nor ended."""

    video = UUIDFilter(field_name="video_id", help_text="Grants for this video.")
    channel = UUIDFilter(field_name="channel_id", help_text="Grants for this channel.")
    viewer = TextFilter(help_text="Grants of this viewer.")
    lasting = BooleanFilter(help_text="`true`: grants that are neither revoked nor ended; `false`: the others.")

    def filter_queryset(self, queryset: PlaybackGrantQuerySet) -> PlaybackGrantQuerySet:
        """Return the grants that match all filters."""
        lasting = self.values.pop("lasting")
        if lasting is not None:
            now = PlaybackGrant.objects.lasting(timezone.now()).values("pk")
            queryset = queryset.filter(pk__in=now) if lasting else queryset.exclude(pk__in=now)
        return super().filter_queryset(queryset)


class PlaybackGrantViewSet(StrictFilterViewSet):
    """Grants: list them, revoke one, or all of a viewer."""

    lookup_field = "uuid"
    read_scope = write_scope = "playback"
    has_versions = False
    filterset_class = GrantFilterSet
    serializer_class = GrantSerializer
    queryset = PlaybackGrant.objects.newest_first()
    primary_actions = ("list",)

    @describe(
        "listGrants", "List playback grants", "Newest first, without their URLs.", page_of("Grant", GrantSerializer)
    )
    def list(self, request: Request) -> Response:
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)

    @describe(
        "revokeGrant",
        "Revoke a playback grant",
        "Players stop at their next request for a playlist; on a private channel Amazon IVS ends the sessions of the "
        "viewer soon.",
        Answer(None, "Done.", status=204),
    )
    def destroy(self, request: Request, uuid: str) -> Response:
        grant_revoke(grant_id=uuid_in_path(uuid))
        return Response(status=204)

    @action(detail=False, methods=["post"], filterset_class=StrictFilterSet)
    @describe(
        "revokeViewer",
        "Revoke all playback grants of a viewer",
        "",
        Answer(RevokedSerializer, "The number of grants that were revoked."),
        body=ViewerSerializer,
    )
    def revoke(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        revoked = viewer_revoke(viewer=serializer.validated_data["viewer"])
        return Response(RevokedSerializer({"revoked": revoked}).data)


class GrantCreateViewSet(CatalogueViewSet):
    """Base of the two routes that make grants. Requests with the same `Idempotency-Key` make one grant."""

    write_scope = "playback"
    has_versions = False

    def requested(self, target: UUID) -> GrantRequest:
        """Return the valid request for this video or channel, which is counted; raise ValidationError if malformed."""
        key, serializer = idempotency_key(self.request), self.get_serializer(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        values, caller = serializer.validated_data, cast(UUID, self.request.user.pk)
        throttling.count_grants(str(caller))
        return GrantRequest(
            viewer=values.pop("viewer"),
            ttl=timedelta(seconds=values.pop("ttl_seconds")),
            by=caller,
            claims=values,
            key=key,
            digest=body_digest([str(target), self.request.data]) if key else "",
        )

    def created(self, grant: PlaybackGrant) -> Response:
        """Return the answer with the URL."""
        made = {"id": grant.pk, "url": grant_url(grant, public_origin(self.request)), "expires_at": grant.expires_at}
        return Response(CreatedGrantSerializer(made).data, status=201, headers=NO_STORE)


class VideoGrantViewSet(GrantCreateViewSet):
    """Grants for a video."""

    @describe(
        "grantVideo",
        "Grant playback of a video",
        "The URL plays in any HLS player, without a header or a cookie, until it expires or is revoked. A public video "
        "gets its plain URL, without an end. `viewer` is a name of your own for whom it is.",
        Answer(CreatedGrantSerializer, "The grant with its URL.", status=201),
        body=GrantCreateSerializer,
    )
    def create(self, request: Request, uuid: str) -> Response:
        video = video_of(uuid_in_path(uuid), at=None if has_scope(request, "curate") else self.at)
        if video is None:
            raise VideoNotFoundError
        return self.created(video_grant_create(video=video, request=self.requested(video.pk)))


class ChannelGrantViewSet(GrantCreateViewSet):
    """Grants for the live stream of a channel."""

    @describe(
        "grantChannel",
        "Grant playback of the live stream of a channel",
        "A private channel gets a URL with a token of Amazon IVS, by which one may start to play until it expires: at "
        "most 10 minutes ahead if it names a viewer or is for single use. A public one gets its plain URL.",
        Answer(CreatedGrantSerializer, "The grant with its URL.", status=201),
        body=ChannelGrantCreateSerializer,
    )
    def create(self, request: Request, uuid: str) -> Response:
        channel = get_channel(Channel.objects.filter(active=True, status=Channel.Status.READY), uuid)
        return self.created(channel_grant_create(channel=channel, request=self.requested(channel.pk)))
