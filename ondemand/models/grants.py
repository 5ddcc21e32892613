"""Playback grants: who may play a video or watch a channel, and until when."""

import uuid
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Exists, OuterRef, Prefetch, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from channels_app.models import Channel
from ondemand.models.videos import Video


class GrantState(models.TextChoices):
    """The state of a grant in one word; `no_end` plays what is public, and is as good as `lasting`."""

    LASTING = "lasting", pgettext_lazy("a grant", "lasting")
    NO_END = "no_end", pgettext_lazy("a grant", "no end")
    ENDED = "ended", pgettext_lazy("a grant", "ended")
    REVOKED = "revoked", pgettext_lazy("a grant", "revoked")


class PlaybackGrantQuerySet(models.QuerySet["PlaybackGrant"]):
    """Reads of playback grants."""

    def newest_first(self) -> Self:
        """Order by creation, newest first; the id breaks ties."""
        return self.order_by("-made_at", "-id")

    def lasting(self, at: Any) -> Self:
        """Return the grants that are neither revoked nor ended; those without an end are of what is public."""
        return self.filter(Q(expires_at__gt=at) | Q(expires_at__isnull=True), revoked_at__isnull=True)

    def in_state(self, state: GrantState, at: datetime) -> Self:
        """Return the grants that are in this state at that time; see `PlaybackGrant.state_at`."""
        conditions = {
            GrantState.LASTING: Q(revoked_at__isnull=True, expires_at__gt=at),
            GrantState.NO_END: Q(revoked_at__isnull=True, expires_at__isnull=True),
            GrantState.ENDED: Q(revoked_at__isnull=True, expires_at__lte=at),
            GrantState.REVOKED: Q(revoked_at__isnull=False),
        }
        return self.filter(conditions[state])

    def with_target(self) -> Self:
        """Read with the grants what lists show of their videos and channels."""
        joined = self.select_related("channel").prefetch_related(Prefetch("video", Video.objects.with_content()))
        return joined.defer("digest", "channel__channel_data", "channel__stream_key")

    def playing(self, at: Any) -> Self:
        """Return the lasting grants whose video opens by its uuid."""
        # By its key: PostgreSQL would look through all videos for `IN`.
        return self.lasting(at).filter(Exists(Video.objects.reachable(at).filter(pk=OuterRef("video"))))


class PlaybackGrant(models.Model):
    """The permission of a viewer to play one video, or to watch one channel. Its URL is not stored.

    The URL of a video holds a token, of which only a digest is here; that of a private channel holds a token of IVS.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # The migration writes both constraints, with ON DELETE CASCADE: the predecessor deletes rows by SQL.
    video = models.ForeignKey(
        Video,
        on_delete=models.CASCADE,
        related_name="+",
        null=True,
        db_constraint=False,
        db_index=False,
        verbose_name=_("video"),
    )
    channel = models.ForeignKey(
        Channel,
        on_delete=models.CASCADE,
        related_name="+",
        null=True,
        db_constraint=False,
        db_index=False,
        verbose_name=_("channel"),
    )
    # The name that the integrator gave the viewer; empty: anyone who has the URL.
    viewer = models.TextField(_("viewer"), blank=True)
    # SHA-256 of the token; NULL if the URL has none of this service.
    digest = models.TextField(null=True)  # noqa: DJ001
    # The claims of a token of IVS that the caller chose, and the version of the viewer's session.
    claims = models.JSONField(default=dict)
    by = models.UUIDField()
    by_name = models.TextField(_("made by"))
    made_at = models.DateTimeField(_("made"), default=timezone.now)
    # NULL: it has no end, since what it plays is public.
    expires_at = models.DateTimeField(_("end"), null=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True)
    # Counted when a playlist is requested, at most once a minute.
    uses = models.PositiveIntegerField(_("uses"), default=0)
    last_used_at = models.DateTimeField(_("last used"), null=True)
    # The `Idempotency-Key` of the request, and the digest of its body.
    request_key = models.TextField(null=True)  # noqa: DJ001
    request_digest = models.TextField(blank=True)

    objects = PlaybackGrantQuerySet.as_manager()

    class Meta:
        app_label = "ondemand"
        verbose_name = _("playback grant")
        verbose_name_plural = _("playback grants")
        default_permissions = ("view", "change")
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="grant_digest"),
            models.UniqueConstraint(fields=["by", "request_key"], name="grant_of_request"),
            models.CheckConstraint(
                condition=Q(video__isnull=True) ^ Q(channel__isnull=True), name="grant_of_video_or_channel"
            ),
        ]
        indexes = [
            models.Index(fields=["-made_at", "-id"], name="grant_newest"),
            *(
                models.Index(fields=[name, "-made_at", "-id"], name=f"grant_of_{name}")
                for name in ("viewer", "video", "channel")
            ),
            models.Index(fields=["-made_at", "-id"], name="grant_revoked", condition=Q(revoked_at__isnull=False)),
            models.Index(fields=["expires_at"], name="grant_end", condition=Q(revoked_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return str(self.id)

    def state_at(self, at: datetime) -> GrantState:
        """Return its state at that time; `in_state` says it of rows."""
        if self.revoked_at is not None:
            return GrantState.REVOKED
        if self.expires_at is None:
            return GrantState.NO_END
        return GrantState.LASTING if self.expires_at > at else GrantState.ENDED
