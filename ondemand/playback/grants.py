"""Playback grants: make them, find the one of a token, count their uses, revoke and remove them."""

import base64
import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db.models import Count, DateTimeField, F, Max, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.crypto import salted_hmac

from channels_app.channels.viewer_tokens import ViewerClaims, ViewerToken, playback_url_with_token, viewer_token
from channels_app.models import Channel, IdempotencyKey
from common import aws
from common.audit import actor_name, audited
from common.errors import IdempotencyKeyReusedError, ServiceError
from common.rest.compiled import CompiledInstances, Parameter
from ondemand.models import PlaybackGrant, PlaybackGrantQuerySet, Video
from ondemand.videos.files import MASTER, CatalogueReader, is_signed

_USE_STEP = timedelta(minutes=1)
# The grants of a viewer whose uses are added up.
SUMMED = 1_000
_REMOVED_AT_ONCE = 1000
# A stream lasts 48 hours at most. https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/service-quotas.html
_LONGEST_SESSION = timedelta(hours=49)
# Players request a playlist by it again and again.
_PLAYING = CompiledInstances(
    lambda: PlaybackGrant.objects.playing(Parameter("at", DateTimeField())).filter(digest=Parameter("digest")),
    related=["video"],
    unread=["video__created_at", "video__data"],
)


class PlaybackNotConfiguredError(ServiceError):
    """The service lacks the key that it would sign with; the message names the variables."""

    code = "playback_not_configured"
    sentence = "Grants for recordings need signed delivery: CLOUDFRONT_KEY_ID and CLOUDFRONT_PRIVATE_KEY are not set"


class NothingToPlayError(ServiceError):
    code = "nothing_to_play"
    sentence = "There is nothing to play: no recording that is finished and known, or no playback URL of IVS"


class PlaybackGrantRevokedError(ServiceError):
    code = "grant_revoked"
    sentence = "The grant of this Idempotency-Key was revoked: use a new key for a new grant"


class PlaybackGrantNotFoundError(ServiceError):
    status_code = 404
    code = "not_found"
    sentence = "There is no such playback grant, or it has ended"


class ChannelKeyMissingError(PlaybackNotConfiguredError):
    sentence = "Grants for private channels need IVS_PLAYBACK_KEY_ARN and IVS_PLAYBACK_PRIVATE_KEY, which are not set"


@dataclass(frozen=True)
class ViewerUses:
    """The number of grants of a viewer, and of their uses."""

    grants: int
    uses: int


@dataclass(frozen=True)
class GrantRequest:
    """The request for a grant: its viewer, its length, and the limits of a token of IVS.

    `key` is its `Idempotency-Key`, if any, and `digest` that of its target and body.
    """

    viewer: str
    ttl: timedelta
    by: UUID
    claims: dict[str, Any] = field(default_factory=dict)
    key: str | None = None
    digest: str = ""


@audited()
def video_grant_create(*, video: Video, request: GrantRequest) -> PlaybackGrant:
    """Return a new grant for a video, or the earlier one of the same request. One for a public video has no end.

    Raises:
        PlaybackNotConfiguredError: the video needs a grant, and its files can be fetched without a signature.
        NothingToPlayError: the video has no location, and is not being recorded.
        IdempotencyKeyReusedError, PlaybackGrantRevokedError: the key came with another body, or its grant is revoked.
    """
    if refusal := grant_refusal(video):
        raise refusal
    grant = PlaybackGrant(video=video)
    if video.needs_grant:
        # Signatures end at whole seconds.
        grant.expires_at = (timezone.now() + request.ttl).replace(microsecond=0)
        grant.digest = _digest(_token(grant))
    return _inserted(grant, request)


def grant_refusal(video: Video) -> type[ServiceError] | None:
    """Return the error with which a grant for this video is refused; None if it can be made."""
    if video.needs_grant and not is_signed():
        return PlaybackNotConfiguredError
    # A token may be given out before the end of the recording.
    is_awaited = video.needs_grant and video.status == Video.Status.RECORDING
    return None if video.is_playable or is_awaited else NothingToPlayError


@audited()
def channel_grant_create(*, channel: Channel, request: GrantRequest) -> PlaybackGrant:
    """Return a new grant for a channel, or the earlier one of the same request. One for a public channel has no end.

    Raises:
        ChannelKeyMissingError: the channel is private, and there is no key to sign with.
        NothingToPlayError: IVS has reported no playback URL.
        IdempotencyKeyReusedError, PlaybackGrantRevokedError: the key came with another body, or its grant is revoked.
    """
    if not channel.playback_url:
        raise NothingToPlayError
    grant = PlaybackGrant(channel=channel)
    if channel.private:
        grant.claims = request.claims
        grant.expires_at = _viewer_token(grant, channel, request.viewer, timezone.now() + request.ttl).expires_at
    return _inserted(grant, request)


def grant_url(grant: PlaybackGrant, origin: str) -> str:
    """Return the URL that plays; it is made from the row again, for it is not stored.

    Raises:
        PlaybackGrantNotFoundError: SECRET_KEY was changed since the grant was made, so that nobody can tell its URL.
    """
    if grant.channel is not None:
        url = grant.channel.playback_url or ""
        if grant.expires_at is None:
            return url
        return playback_url_with_token(url, _viewer_token(grant, grant.channel, grant.viewer, grant.expires_at).value)
    if grant.digest is None:
        return CatalogueReader(is_curator=True, origin=origin).location(cast(Video, grant.video)) or ""
    token = _token(grant)
    if _digest(token) != grant.digest:
        raise PlaybackGrantNotFoundError
    return f"{origin}play/g/{token}/{MASTER}"


def grant_playing(*, token: str, at: datetime) -> PlaybackGrant:
    """Return the grant of a token, with its video, that plays at that time.

    Raises:
        PlaybackNotConfiguredError: files would be delivered without a signature, and so without an end.
        PlaybackGrantNotFoundError: there is none.
    """
    if not is_signed():
        raise PlaybackNotConfiguredError
    found: list[PlaybackGrant] = _PLAYING.instances(at=at, digest=_digest(token))
    if not found:
        raise PlaybackGrantNotFoundError
    return found[0]


def grant_use(*, grant: PlaybackGrant, at: datetime) -> None:
    """Count a use of the grant, at most once a minute."""
    before = at - _USE_STEP
    if grant.last_used_at is None or grant.last_used_at <= before:
        unused = Q(last_used_at__isnull=True) | Q(last_used_at__lte=before)
        PlaybackGrant.objects.filter(unused, pk=grant.pk).update(uses=F("uses") + 1, last_used_at=at)


def grant_revoke(*, grant_id: UUID) -> None:
    """End a grant: at the next playlist request of its players, and for a private channel as soon as IVS does.

    IVS knows a viewer by name and session version, so older sessions of the same viewer end too.

    Raises:
        PlaybackGrantNotFoundError: there is no such grant.
        AwsError: IVS was not reached; the grant is revoked, and may be revoked again to end what plays.
    """
    grants = PlaybackGrant.objects.filter(pk=grant_id)
    if not grants.exists():
        raise PlaybackGrantNotFoundError
    _revoke(grants)


def grants_revoke(*, grant_ids: Collection[UUID]) -> int:
    """End these grants, as `grant_revoke`; return how many were not revoked before."""
    return _revoke(PlaybackGrant.objects.filter(pk__in=grant_ids))


def viewer_revoke(*, viewer: str) -> int:
    """End all grants of a viewer, as `grant_revoke`; return how many were not revoked before."""
    return _revoke(PlaybackGrant.objects.filter(viewer=viewer))


def viewer_uses(*, viewer: str) -> ViewerUses:
    """Return the grants of a viewer and their uses, of the newest `SUMMED` grants and one more."""
    newest = PlaybackGrant.objects.filter(viewer=viewer).newest_first()[: SUMMED + 1]
    return ViewerUses(**newest.aggregate(grants=Count("pk"), uses=Coalesce(Sum("uses"), 0)))


def grants_prunable(*, made_before: datetime) -> int:
    """Return how many grants `grants_prune` would remove."""
    return PlaybackGrant.objects.filter(made_at__lt=made_before).count()


def grants_prune(*, made_before: datetime) -> int:
    """Remove the grants that were made before that time, in committed batches; return their number.

    None lasts longer than a day, but for those of what is public, which decide nothing.
    """
    removed, old = 0, PlaybackGrant.objects.filter(made_at__lt=made_before).order_by("made_at", "pk")
    while batch := list(old.values_list("pk", flat=True)[:_REMOVED_AT_ONCE]):
        removed += PlaybackGrant.objects.filter(pk__in=batch).delete()[0]
    return removed


def _revoke(grants: PlaybackGrantQuerySet) -> int:
    with audited():
        revoked = grants.filter(revoked_at__isnull=True).update(revoked_at=timezone.now())
    # A session may play on for long after its token has ended, but not after its stream.
    recent = grants.filter(made_at__gt=timezone.now() - _LONGEST_SESSION, channel__isnull=False)
    named = recent.filter(expires_at__isnull=False).exclude(viewer="")
    failures = []
    for arn, viewer, made_at in named.values_list("channel__arn", "viewer").annotate(Max("made_at")).order_by():
        try:
            # A channel that is gone from IVS has no session.
            with aws.ignored(aws.AwsErrorKind.NOT_FOUND):
                aws.viewer_sessions_revoke(channel_arn=arn, viewer_id=viewer, version=_session_version(made_at))
        except aws.AwsError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return revoked


def _inserted(grant: PlaybackGrant, request: GrantRequest) -> PlaybackGrant:
    grant.viewer, grant.by, grant.by_name = request.viewer, request.by, actor_name()
    if request.key is None:
        grant.save(force_insert=True)
        return grant
    grant.request_key, grant.request_digest = request.key, request.digest
    same = PlaybackGrant.objects.filter(by=grant.by, request_key=request.key)
    same.filter(made_at__lte=timezone.now() - IdempotencyKey.MAX_AGE).update(request_key=None)
    # One that another request is inserting with the same key is waited for.
    PlaybackGrant.objects.bulk_create([grant], ignore_conflicts=True)
    stored = same.select_related("video", "channel").get()
    # What was public is played with a grant now, which the earlier answer is not.
    was_public = stored.expires_at is None and grant.expires_at is not None
    if was_public or stored.request_digest != request.digest:
        raise IdempotencyKeyReusedError
    if stored.revoked_at is not None:
        raise PlaybackGrantRevokedError
    return stored


def _viewer_token(grant: PlaybackGrant, channel: Channel, viewer: str, end: datetime) -> ViewerToken:
    """Return the token of IVS for a grant until `end`, or for as long as IVS allows."""
    if not settings.IVS_PLAYBACK_PRIVATE_KEY:
        raise ChannelKeyMissingError
    claims = ViewerClaims(
        channel_arn=channel.arn,
        viewer_id=viewer,
        session_version=_session_version(grant.made_at) if viewer else 0,
        allowed_origins=tuple(grant.claims["origins"]),
        single_use=grant.pk if grant.claims["single_use"] else None,
        maximum_resolution=grant.claims["maximum_resolution"] or "",
    )
    at = grant.made_at
    return viewer_token(claims, private_key=settings.IVS_PLAYBACK_PRIVATE_KEY, at=at, ttl=end - at)


def _session_version(made_at: datetime) -> int:
    """Return the version of the session of a grant in IVS: later grants have larger ones."""
    return int(made_at.timestamp() * 1000)


def _token(grant: PlaybackGrant) -> str:
    """Return the token of a grant: only who has SECRET_KEY can make it from the id."""
    digest = salted_hmac("ivsvod.playback.grant", str(grant.pk), algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
