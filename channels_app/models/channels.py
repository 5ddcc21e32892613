"""Channels, their streams and the history of streams.

`ivs_channels` and `ivs_state_changes` are the predecessor's tables: its columns keep their names, types and
meaning, and the name of each added column begins with `_`, so that its ORM ignores it.
"""

import uuid
from typing import Any, Self

from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.db.models import Case, F, Func, OuterRef, Prefetch, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce, Greatest, Least
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from channels_app.models.live_state import LiveState, shown_stream_id
from common.encryption import EncryptedTextField, decrypt
from common.rest.times import EARLIEST, LATEST


class ChannelType(models.TextChoices):
    # https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_CreateChannel.html
    STANDARD = "STANDARD", "STANDARD"
    BASIC = "BASIC", "BASIC"
    ADVANCED_SD = "ADVANCED_SD", "ADVANCED_SD"
    ADVANCED_HD = "ADVANCED_HD", "ADVANCED_HD"


class LatencyMode(models.TextChoices):
    """LOW is for interaction, NORMAL for a stable picture."""

    LOW = "LOW", "LOW"
    NORMAL = "NORMAL", "NORMAL"


class NewVideoState(models.TextChoices):
    """Publication state of the video of a new recording."""

    LISTED = "listed", pgettext_lazy("a video", "listed")
    UNLISTED = "unlisted", pgettext_lazy("a video", "unlisted")
    HIDDEN = "hidden", pgettext_lazy("a video", "hidden")


# The channels that anyone may know of, as `ivsvod_is_public_channel` has them.
PUBLIC = Q(active=True, private=False, status="ready")
# Lists are paged by the `created_at` that Python reads from the database: see ReadableTimeLoader.
READABLE_CREATED_AT = Case(When(created_at__isnull=False, then=Least(Greatest("created_at", EARLIEST), LATEST)))


def new_video_state(path: str = "") -> Func:
    """Return the expression of the `NewVideoState` of a channel; NULL: the setting NEW_VIDEO_STATE decides."""
    columns = (F(f"{path}{name}") for name in ("new_video_state", "private", "channel_data"))
    return Func(*columns, function="ivsvod_new_video_state", output_field=models.TextField())


class ChannelQuerySet(models.QuerySet["Channel"]):
    def owned_by(self, owner: uuid.UUID) -> QuerySet["Channel", uuid.UUID]:
        """Return the uuids of the channels of an owner."""
        return self.filter(owner=owner).values_list("uuid", flat=True)

    def private(self) -> Self:
        """Return the private channels."""
        # If `private` is not derived yet, the answer of IVS to the creation of the channel decides.
        return self.filter(Q(private=True) | Q(private__isnull=True, channel_data__Channel__Authorized=True))

    def shown(self, *, to_managers: bool) -> Self:
        """Return all channels to managers, and to other callers the active ones (not NULL) that are not private."""
        return self if to_managers else self.filter(PUBLIC)

    def newest_first(self) -> Self:
        """Order by creation, newest first, those of unknown age last; the uuid breaks ties."""
        return self.annotate(created_key=READABLE_CREATED_AT).order_by(F("created_key").desc(nulls_last=True), "-uuid")

    def latest_live_first(self) -> Self:
        """Order live channels by the start of their stream, newest first; needs `with_live_state`."""
        return self.order_by("-live_since", "-uuid")

    def in_state(self, state: str) -> Self:
        """Return the channels that are `live` or `offline`; needs `with_live_state`."""
        return self.filter(Q(("current_state", state)))

    def with_live_state(self) -> "ChannelQuerySet":
        """Annotate the columns of `Channel.live_state`; a join would probe the index for all channels."""
        live = ChannelLiveState.objects.filter(channel=OuterRef("pk"))
        return self.annotate(
            last_stream_id=Subquery(live.values("stream_id")),
            current_state=Subquery(live.values("state")),
            live_since=Subquery(live.values("since")),
        )

    def locked(self) -> Self:
        """Lock the channels for a write. The weaker lock lets the predecessor's foreign key checks pass."""
        return self.select_for_update(no_key=True)

    def by_arn(self, arn: str) -> "Channel | None":
        """Return the channel with this ARN, if any; the oldest, if rows written by hand share one."""
        return self.with_arn(arn).first()

    def with_arn(self, arn: Any) -> Self:
        """Return the channels with this ARN, the oldest first."""
        return self.filter(arn=arn).order_by("created_at", "uuid")

    def unfinished(self) -> Self:
        """Return the rows whose creation in IVS is not confirmed."""
        return self.filter(status=Channel.Status.PROVISIONING)

    def without_key(self) -> Self:
        """Return the channels without a stream key: banned ones, and those whose key a crash left out."""
        return self.filter(status=Channel.Status.READY, stream_key="")


class Channel(models.Model):
    """An IVS channel and its row. Its uuid is its name in IVS."""

    class Status(models.TextChoices):
        PROVISIONING = "provisioning", pgettext_lazy("a channel", "Provisioning")
        READY = "ready", pgettext_lazy("a channel", "Ready")
        DELETED = "deleted", pgettext_lazy("a channel", "Deleted")

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.UUIDField(_("owner"))
    created_at = models.DateTimeField(_("created"), null=True, default=timezone.now, editable=False)
    active = models.BooleanField(_("active"), null=True, default=True)
    arn = models.TextField(_("ARN"))
    rtmp_address = models.TextField(_("ingest host"))
    stream_key = EncryptedTextField(_("stream key"))
    channel_data = models.JSONField(default=dict)

    name = models.TextField(_("name"), null=True, db_column="_name")  # noqa: DJ001  (NULL: not derived yet)
    type = models.TextField(_("type"), null=True, db_column="_type", choices=ChannelType.choices)  # noqa: DJ001
    latency_mode = models.TextField(  # noqa: DJ001
        _("latency mode"), null=True, db_column="_latency_mode", choices=LatencyMode.choices
    )
    private = models.BooleanField(_("private"), null=True, db_column="_private")
    record = models.BooleanField(_("record"), null=True, db_column="_record")
    playback_url = models.TextField(_("playback URL"), null=True, db_column="_playback_url")  # noqa: DJ001
    status = models.TextField(_("status"), null=True, db_column="_status", choices=Status.choices)  # noqa: DJ001
    # NULL: the setting NEW_VIDEO_STATE decides.
    new_video_state = models.TextField(  # noqa: DJ001
        _("new videos"), null=True, db_column="_new_video_state", choices=NewVideoState.choices
    )

    objects = ChannelQuerySet.as_manager()

    class Meta:
        db_table = "ivs_channels"
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        permissions = [("reveal_stream_key", "Can reveal the stream key of a channel")]
        indexes = [
            HashIndex(fields=["owner"], name="idx_ivs_channels_owner"),
            HashIndex(fields=["arn"], name="ivs_channels_arn_idx"),
            models.Index(fields=["uuid"], name="channel_unfinished", condition=Q(status="provisioning")),
            models.Index(fields=["uuid"], name="channel_without_key", condition=Q(status="ready", stream_key="")),
        ]

    def __str__(self) -> str:
        return self.name or str(self.uuid)

    def reveal_stream_key(self) -> str:
        """Return the stream key; raise UnreadableSecretError if it was encrypted with a key that is no longer set."""
        return decrypt(self.stream_key)

    @property
    def ingest_url(self) -> str:
        """Return the URL for encoders; empty until IVS has reported the ingest host."""
        # https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/low-latency-network-requirements.html
        return f"rtmps://{self.rtmp_address}:443/app/" if self.rtmp_address else ""

    @property
    def has_streamed(self) -> bool:
        """Return whether the channel ever had a Stream Start or Stream End; needs `with_live_state`."""
        return self.last_stream_id is not None  # type: ignore[attr-defined]

    @property
    def live_state(self) -> LiveState:
        """Return the live state; needs `with_live_state`."""
        return LiveState(self.last_stream_id, self.current_state, self.live_since)  # type: ignore[attr-defined]


class ChannelLiveState(models.Model):
    """The database view that decides the live state of each channel."""

    channel = models.OneToOneField(
        Channel, on_delete=models.DO_NOTHING, primary_key=True, db_column="channel_uuid", related_name="+"
    )
    stream_id = models.TextField(null=True)  # noqa: DJ001  (NULL: it never streamed)
    state = models.TextField()
    since = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "ivsvod_live_states"

    def __str__(self) -> str:
        return f"{self.channel_id} {self.state}"


class StateChange(models.Model):
    """A Stream Start or Stream End, as the predecessor stores and reads it."""

    id = models.BigAutoField(primary_key=True, db_column="_id")
    timestamp = models.DateTimeField(default=timezone.now)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, db_column="ivs_channel_uuid", db_index=False)
    state = models.TextField()
    data = models.JSONField(null=True)
    event_id = models.TextField(null=True, db_column="_event_id")  # noqa: DJ001  (NULL: written by the predecessor)

    class Meta:
        db_table = "ivs_state_changes"
        indexes = [models.Index(fields=["channel", "timestamp"], name="idx_ivs_state_channels_channel")]

    def __str__(self) -> str:
        return f"{self.channel_id} {self.state} {self.timestamp:%Y-%m-%d %H:%M:%S}"


class StreamQuerySet(models.QuerySet["Stream"]):
    def with_start_or_end(self) -> Self:
        """Return the streams that have a start or an end: the others do not affect the live state."""
        return self.filter(Q(started_at__isnull=False) | Q(ended_at__isnull=False))

    def without_end(self) -> Self:
        """Return the streams with a start and no end: live, or their Stream End never arrived."""
        return self.filter(started_at__isnull=False, ended_at__isnull=True)

    def shown(self, *, to_managers: bool) -> Self:
        """Return all streams to managers, and to other callers those that went live."""
        return self if to_managers else self.with_start_or_end()

    def newest_first(self) -> Self:
        """Order by start, newest first: the reverse of the order that decides the live state."""
        return self.order_by("-order_at", "-stream_id")

    def with_history(self) -> Self:
        """Prefetch the last `StreamHistoryEntry.SHOWN` entries of each stream as `shown_history`, newest first."""
        entries = StreamHistoryEntry.objects.newest_first()[: StreamHistoryEntry.SHOWN]
        return self.prefetch_related(Prefetch("history", entries, to_attr="shown_history"))


class Stream(models.Model):
    """A stream of a channel. A trigger writes it for rows of the predecessor."""

    # The migration writes the constraint, with ON DELETE CASCADE: the predecessor deletes channels by SQL.
    channel = models.ForeignKey(
        Channel, on_delete=models.CASCADE, related_name="streams", db_index=False, db_constraint=False
    )
    stream_id = models.TextField(db_collation="C")
    first_event_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Whether `reconcile` reported the time, because no event did.
    start_reconciled = models.BooleanField(default=False)
    end_reconciled = models.BooleanField(default=False)
    # The time of the last comparison with IVS by `reconcile`; NULL: not since it ended.
    compared_at = models.DateTimeField(null=True)
    order_at = models.GeneratedField(
        expression=Coalesce(F("started_at"), F("first_event_at")), output_field=models.DateTimeField(), db_persist=True
    )

    objects = StreamQuerySet.as_manager()

    class Meta:
        verbose_name = _("stream")
        verbose_name_plural = _("streams")
        constraints = [models.UniqueConstraint(fields=["channel", "stream_id"], name="stream_of_channel")]
        indexes = [
            models.Index(
                *("channel", F("order_at").desc(), F("stream_id").desc()),
                name="stream_last_of_channel",
                condition=Q(started_at__isnull=False) | Q(ended_at__isnull=False),
            ),
            models.Index(
                fields=["id"], name="stream_without_end", condition=Q(started_at__isnull=False, ended_at__isnull=True)
            ),
            models.Index(F("order_at").desc(), F("stream_id").desc(), name="stream_newest"),
        ]

    def __str__(self) -> str:
        return self.stream_id

    @property
    def shown_id(self) -> str | None:
        """Return the id that IVS gave the stream; None if the predecessor recorded it without its id."""
        return shown_stream_id(self.stream_id)


class StreamHistoryEntryQuerySet(models.QuerySet["StreamHistoryEntry"]):
    def newest_first(self) -> Self:
        """Order by time, newest first; the id of the event breaks ties."""
        return self.order_by("-at", "-event_id")


class StreamHistoryEntry(models.Model):
    """An event of a stream beside its start and end."""

    # IVS keeps as many events of a stream.
    # https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_StreamSession.html
    SHOWN = 500

    # The migration writes the constraint, with ON DELETE CASCADE, as for streams.
    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="history", db_constraint=False)
    event_id = models.TextField(db_collation="C")
    at = models.DateTimeField()
    name = models.TextField()
    detail = models.JSONField()

    objects = StreamHistoryEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("stream history")
        constraints = [models.UniqueConstraint(fields=["event_id"], name="stream_history_event_id")]

    def __str__(self) -> str:
        return f"{self.name} {self.at:%Y-%m-%d %H:%M:%S}"
