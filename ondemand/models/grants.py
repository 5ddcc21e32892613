"""Playback grants: who may play a video or watch a channel, and until when."""

import uuid
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from channels_app.models import Channel
from ondemand.models.videos import Video


class PlaybackGrantQuerySet(models.QuerySet["PlaybackGrant"]):
    """Reads of playback grants."""

    def newest_first(self) -> Self:
        """Order by creation, newest first; the id breaks ties."""
        return self.order_by("-made_at", "-id")

    def lasting(self, at: datetime) -> Self:
        """Return the grants that are neither revoked nor ended; those without an end are of what is public."""
        return self.filter(Q(expires_at__gt=at) | Q(expires_at__isnull=True), revoked_at__isnull=True)

    def playing(self, at: datetime) -> Self:
        """Return the lasting grants whose video opens by its uuid; those of curators play hidden videos too."""
        return self.lasting(at).filter(Q(of_curator=True) | Q(video__in=Video.objects.reachable(at)))


class PlaybackGrant(models.Model):
    """The permission of a viewer to play one video, or to watch one channel. Its URL is not stored.

    The URL of a video holds a token, of which only a digest is here; that of a private channel holds a token of IVS.
    """

    LONGEST_VIEWER = 40

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # The migration writes both constraints, with ON DELETE CASCADE: the predecessor deletes rows by SQL.
    video = models.ForeignKey(
        Video, on_delete=models.CASCADE, related_name="+", null=True, db_constraint=False, verbose_name=_("video")
    )
    channel = models.ForeignKey(
        Channel, on_delete=models.CASCADE, related_name="+", null=True, db_constraint=False, verbose_name=_("channel")
    )
    # The name that the integrator gave the viewer; empty: anyone who has the URL.
    viewer = models.TextField(_("viewer"), blank=True)
    # SHA-256 of the token; NULL if the URL has none of this service.
    digest = models.TextField(null=True)  # noqa: DJ001
    # It was made for the player of the admin.
    of_curator = models.BooleanField(default=False)
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
            models.Index(fields=["viewer", "-made_at", "-id"], name="grant_of_viewer"),
        ]

    def __str__(self) -> str:
        return str(self.id)
