"""Videos, their content and their tags.

`on_demand_videos` and `on_demand_video_content` are the predecessor's tables; see `channels_app/models/channels.py`.
"""

import re
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.fields.json import KeyTransform
from django.db.models.lookups import IsNull
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from channels_app.models import Channel
from common.rest.compiled import ReadableDecoder
from ondemand.models.chapters import Chapter, chapters_of
from ondemand.models.publication import (
    LISTING_BY_ROW,
    TO_REVIEW,
    Listing,
    Reasons,
    broken_rules,
    listing_reasons,
)
from ondemand.models.querysets import RECORDED, VideoQuerySet, beginnings

# The playlist that IVS writes today; used until the metadata of the recording could be read.
# https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
DEFAULT_PLAYLIST = "media/hls/master.m3u8"
# IVS gives the files of all recordings the same names.
quoted = lru_cache(maxsize=2048)(quote)
# The path of a file of a part of an edited video.
_IN_PART = re.compile(r"edited/(\d{1,3})/(.+)", re.ASCII | re.DOTALL)
_NEWEST = (F("started_at").desc(nulls_last=True), F("uuid").desc())


def evenly_spread(items: Sequence[str], most: int) -> list[str]:
    """Return at most `most` (2 or more) items at even intervals, with the first and the last."""
    if len(items) <= most:
        return list(items)
    return [items[round(n * (len(items) - 1) / (most - 1))] for n in range(most)]


class Video(models.Model):
    """The catalogue entry of a recording."""

    class Status(models.TextChoices):
        """The state of the recording."""

        RECORDING = "recording", pgettext_lazy("a recording", "Recording")
        AVAILABLE = "available", pgettext_lazy("a recording", "Available")
        FAILED = "failed", pgettext_lazy("a recording", "Failed")

    class Visibility(models.TextChoices):
        """An unlisted video opens by its uuid, and is in no list."""

        PUBLIC = "public", pgettext_lazy("a video", "Public")
        UNLISTED = "unlisted", pgettext_lazy("a video", "Unlisted")

    class Playback(models.TextChoices):
        """Anyone may play a public video that they can open; the other kind is played with a grant."""

        PUBLIC = "public", pgettext_lazy("playback", "Public")
        GRANT = "grant", pgettext_lazy("playback", "With a grant")

    class Qa(models.TextChoices):
        """The result of the quality check: `warning` plays with oddities, `failed` would not play."""

        UNVERIFIED = "unverified", pgettext_lazy("files", "unverified")
        OK = "ok", pgettext_lazy("files", "ok")
        WARNING = "warning", pgettext_lazy("files", "warning")
        FAILED = "failed", pgettext_lazy("files", "failed")

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # A channel may be missing: the predecessor's table has no foreign key.
    channel = models.ForeignKey(
        Channel,
        on_delete=models.DO_NOTHING,
        db_column="ivs_channel_uuid",
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="videos",
        verbose_name=_("channel"),
    )
    created_at = models.DateTimeField(default=timezone.now)
    active = models.BooleanField(_("shown"), null=True, default=True)
    data = models.JSONField(default=dict)

    status = models.TextField(_("status"), null=True, db_column="_status", choices=Status.choices)  # noqa: DJ001
    bucket = models.TextField(null=True, db_column="_bucket")  # noqa: DJ001
    prefix = models.TextField(null=True, db_column="_prefix")  # noqa: DJ001
    started_at = models.DateTimeField(_("start"), null=True, db_column="_started_at")
    ended_at = models.DateTimeField(_("end"), null=True, db_column="_ended_at")
    duration_ms = models.BigIntegerField(_("duration in milliseconds"), null=True, db_column="_duration_ms")
    session_id = models.TextField(null=True, db_column="_session_id")  # noqa: DJ001
    stream_ids = ArrayField(models.TextField(), null=True, db_column="_stream_ids")
    # The facts of `events/recording-ended.json` and the listed pictures; see `ondemand/recordings/metadata.py`.
    facts = models.JSONField(null=True, db_column="_facts")
    qa = models.TextField(_("files"), null=True, db_column="_qa", choices=Qa.choices)  # noqa: DJ001
    # A list of short sentences.
    qa_reasons = models.JSONField(_("findings in the files"), null=True, db_column="_qa_reasons")
    duplicate_of = models.ForeignKey(
        "self",
        on_delete=models.DO_NOTHING,
        db_column="_duplicate_of",
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="duplicates",
        verbose_name=_("duplicate of"),
    )

    # NULL, as in `active` and `held`: undecided until Recording End.
    visibility = models.TextField(  # noqa: DJ001
        _("visibility"),
        null=True,
        db_column="_visibility",
        choices=Visibility.choices,
        default=Visibility.PUBLIC,
        db_default=Visibility.PUBLIC.value,
    )
    # Decided when the recording starts (`ivsvod_new_playback`), or by people. NULL, not derived yet, is as `grant`.
    playback = models.TextField(  # noqa: DJ001
        _("playback"), null=True, db_column="_playback", choices=Playback.choices
    )
    publish_from = models.DateTimeField(_("publish from"), null=True, db_column="_publish_from")
    publish_until = models.DateTimeField(_("publish until"), null=True, db_column="_publish_until")
    # `[{"at_ms", "title"}]`, read by `shown_chapters`.
    chapters = models.JSONField(_("chapters"), null=True, db_column="_chapters", decoder=ReadableDecoder)
    metadata = models.JSONField(
        _("metadata"), default=dict, db_column="_metadata", db_default=Value({}, output_field=models.JSONField())
    )
    # A new recording that waits for a decision of staff.
    held = models.BooleanField(_("held"), null=True, db_column="_held", default=False, db_default=False)
    # It is held until the check of its files is good.
    held_by_check = models.BooleanField(
        _("held by the check of its files"), db_column="_held_by_check", default=False, db_default=False
    )
    # NEW_VIDEO_STATE or its channel made it hidden or unlisted. Every decision of staff writes False, even if nothing
    # else changes; see `VideoQuerySet.to_review`.
    awaits_review = models.BooleanField(
        _("waits for review"), db_column="_awaits_review", default=False, db_default=False
    )
    # What it shows instead of its whole recording: a list of `{"recording", "start_ms", "end_ms"}`, where the first is
    # the uuid of a video, and None the begin or the end of its recording. People decide it.
    edit = models.JSONField(_("edit"), null=True, db_column="_edit")
    # What that gave; see `ondemand/playback/edit_services.py`.
    edited = models.JSONField(null=True, db_column="_edited")
    # The joined video that shows it.
    part_of = models.ForeignKey(
        "self",
        on_delete=models.DO_NOTHING,
        db_column="_part_of",
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="joined",
        verbose_name=_("part of"),
    )
    # A clip has no recording of its own: neither bucket nor prefix.
    clip_of = models.ForeignKey(
        "self",
        on_delete=models.DO_NOTHING,
        db_column="_clip_of",
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="clips",
        verbose_name=_("clip of"),
    )

    objects = VideoQuerySet.as_manager()

    # The listing that the query has checked, at the time of the request; see `ondemand/search/rows.py`.
    known_listing: Listing | None = None
    # Annotations of `with_content`.
    channel_name: str | None
    has_public_channel: bool | None

    class Meta:
        db_table = "on_demand_videos"
        verbose_name = _("video")
        verbose_name_plural = _("videos")
        indexes = [
            models.Index(fields=["bucket", "prefix"], name="on_demand_videos_place_idx"),
            models.Index("channel", *_NEWEST, name="video_of_channel"),
            models.Index(*_NEWEST, name="on_demand_videos_newest_idx"),
            *(
                models.Index(fields=[name], name=f"video_{name}", condition=Q((f"{name}__isnull", False)))
                for name in ("publish_from", "publish_until")
            ),
            models.Index(fields=["uuid"], name="video_held", condition=Q(held=True)),
            models.Index(*_NEWEST, name="video_to_review", condition=TO_REVIEW),
            models.Index(*_NEWEST, name="video_failed", condition=Q(status="failed")),
            models.Index(*_NEWEST, name="video_grant", condition=Q(playback="grant")),
            models.Index(*_NEWEST, name="video_recording", condition=Q(status="recording")),
            models.Index("qa", *_NEWEST, name="video_by_qa"),
            # Listed videos have an index already.
            models.Index(
                LISTING_BY_ROW,
                *_NEWEST,
                name="video_by_listing",
                condition=Q(IsNull(LISTING_BY_ROW, False)),
            ),
            # The charts of the start page add up these values by an index-only scan.
            models.Index(fields=["started_at"], include=["duration_ms"], name="video_days", condition=RECORDED),
            GinIndex(beginnings("stream_ids"), name="video_stream_ids"),
            # What shows a recording.
            GinIndex(
                KeyTransform("parts", "edited"),
                name="video_parts",
                condition=Q(edited__isnull=False),
            ),
            *(
                models.Index(fields=[name], name=f"video_{name}", condition=Q((f"{name}__isnull", False)))
                for name in ("part_of", "clip_of")
            ),
        ]

    def __str__(self) -> str:
        return str(self.uuid)

    @property
    def own_content(self) -> "Content | None":
        """Return the content of this row, if any."""
        return getattr(self, "content", None)

    @property
    def shown_content(self) -> "Content | None":
        """Return the content that is shown: its own or, for a duplicate without any, the first row's."""
        content = self.own_content
        return self.duplicate_of.own_content if content is None and self.duplicate_of else content

    @property
    def length_ms(self) -> int:
        """Return the length in milliseconds: of what an edit shows, else of the recording; 0 if it is unknown."""
        return (self.duration_ms if self.edited is None else self.edited["duration_ms"]) or 0

    @property
    def duration(self) -> timedelta:
        """Return the length; 0 if it is unknown."""
        return timedelta(milliseconds=self.length_ms)

    @property
    def duration_seconds(self) -> int | float:
        """Return the length in seconds, as an integer if it is whole."""
        whole, rest = divmod(self.length_ms, 1000)
        return self.length_ms / 1000 if rest else whole

    @property
    def shown_chapters(self) -> list[Chapter]:
        """Return the chapters in rising order; none if there are none, or if another program stored something else."""
        return chapters_of(self.chapters, self.length_ms) if self.chapters else []

    @property
    def is_playable(self) -> bool:
        """Return whether there is something to play."""
        shows_something = bool(self.prefix) if self.edit is None else bool(self.parts)
        return self.status == self.Status.AVAILABLE and shows_something

    @property
    def is_joined(self) -> bool:
        """Return whether it shows several recordings."""
        return self.clip_of_id is None and len(self.edit or ()) > 1

    @property
    def parts(self) -> list[dict[str, Any]]:
        """Return the windows of recordings that an edited video shows; none if it is not edited, or if one is gone."""
        return (self.edited or {}).get("parts", [])

    @property
    def trim(self) -> dict[str, int | None] | None:
        """Return `start_ms` and `end_ms` of a trimmed video; None if it is not trimmed."""
        if not self.edit or self.is_joined or self.clip_of_id is not None:
            return None
        return {name: self.edit[0][name] for name in ("start_ms", "end_ms")}

    @property
    def has_readable_bucket(self) -> bool:
        """Return whether the files of all that it shows are in buckets that this service may read."""
        if self.edit is None:
            return self.files_bucket in settings.RECORDING_BUCKETS
        return {self.place_of_part(number)[0] for number in range(len(self.parts))} <= set(settings.RECORDING_BUCKETS)

    @property
    def playlist(self) -> str:
        """Return the path of the multivariant playlist below the prefix."""
        return (self.facts or {}).get("playlist") or DEFAULT_PLAYLIST

    @property
    def needs_grant(self) -> bool:
        """Return whether it is played with a grant alone."""
        return self.playback != self.Playback.PUBLIC

    def listing_at(self, at: datetime) -> Listing:
        """Return its listing at that time; a row that a public list has read keeps the one of its request."""
        return self.known_listing or next(broken_rules(self, at), Listing.LISTED)

    def listing_reasons_at(self, at: datetime) -> Reasons:
        """Return its listing at that time, and each rule with its sentence."""
        return listing_reasons(self, at)

    def next_publication_change(self, at: datetime) -> datetime | None:
        """Return the next time at which its publication, or that of the video that shows it, begins or ends."""
        rows = [self, *filter(None, (self.duplicate_of, self.part_of))]
        times = (time for row in rows for time in (row.publish_from, row.publish_until))
        return min((time for time in times if time and time > at), default=None)

    @property
    def picture_paths(self) -> list[str]:
        """Return the paths of the pictures that IVS made of what it shows, in their order."""
        return self.recorded_pictures if self.edited is None else [path for path, _at_ms in self.timed_pictures]

    @property
    def timed_pictures(self) -> list[tuple[str, int]]:
        """Return the path of each of these pictures, and the milliseconds at which the video shows it."""
        if self.edited is not None:
            return [(self._path_in_part(part, path), at_ms) for part, path, at_ms in self.edited["pictures"]]
        return self.timed_recorded_pictures

    def time_of(self, at: datetime) -> int | None:
        """Return the milliseconds at which the video shows this moment of its own recording; None if it does not."""
        if self.started_at is None or self.clip_of_id is not None:
            return None
        recorded = (at - self.started_at) // timedelta(milliseconds=1)
        if self.edited is None:
            return recorded if 0 <= recorded < self.length_ms else None
        own = (part for part in self.parts if (part["bucket"], part["prefix"]) == (self.bucket or "", self.prefix))
        inside = (part for part in own if part["start_ms"] <= recorded < part["end_ms"])
        return next((part["at_ms"] + recorded - part["start_ms"] for part in inside), None)

    @property
    def recorded_pictures(self) -> list[str]:
        """Return the paths of the pictures that IVS made of its whole recording, in their order."""
        return (self.facts or {}).get("thumbnails", [])

    @property
    def timed_recorded_pictures(self) -> list[tuple[str, int]]:
        """Return the path of each of these pictures, and its milliseconds: IVS makes them at even intervals."""
        paths = self.recorded_pictures
        return [(path, (self.duration_ms or 0) * number // len(paths)) for number, path in enumerate(paths)]

    @property
    def pictures(self) -> dict[str, str]:
        """Return the URL of each picture that IVS made, by its path, in the form in which it is stored if chosen."""
        return {path: url for path in self.picture_paths if (url := self.url_of(path))}

    @property
    def renditions(self) -> list[dict[str, Any]]:
        """Return the path, width and height of each rendition; width and height are None for sound alone."""
        return ((self.facts if self.edited is None else self.edited) or {}).get("renditions", [])

    @property
    def rendition_playlists(self) -> set[str]:
        """Return the paths of the playlists of its renditions that the metadata names."""
        return {f"{each['path']}/{each['playlist']}" for each in self.renditions}

    @property
    def files_bucket(self) -> str:
        """Return the bucket of its files; RECORDING_BUCKET if it names none."""
        return self.bucket or settings.RECORDING_BUCKET

    @property
    def files_url(self) -> str | None:
        """Return the URL of the folder of this recording; None if its bucket or prefix is unknown."""
        return files_url(self.files_bucket, self.prefix)

    def url_of(self, path: str) -> str | None:
        """Return the URL of a file of this recording, or of a part; None if its bucket or prefix is unknown."""
        place = self.place_of(path)
        url = place and files_url(*place[:2])
        return f"{url}/{quoted(place[2])}" if place and url else None

    def path_of(self, url: str) -> str | None:
        """Return the path that `url_of` made this URL of; None if it made it of none."""
        places = {self._path_in_part(number, ""): self.place_of_part(number) for number in range(len(self.parts))}
        for path, place in {"": (self.files_bucket, self.prefix or ""), **places}.items():
            base = files_url(*place)
            if base and url.startswith(f"{base}/"):
                return path + unquote(url.removeprefix(f"{base}/"))
        return None

    def place_of(self, path: str) -> tuple[str, str, str] | None:
        """Return bucket, prefix and path below it of a file of this recording, or of a part; None if there is none."""
        found = _IN_PART.fullmatch(path)
        if found is None:
            return self.files_bucket, self.prefix or "", path
        number = int(found[1])
        return (*self.place_of_part(number), found[2]) if number < len(self.parts) else None

    def place_of_part(self, number: int) -> tuple[str, str]:
        """Return bucket and prefix of the recording of a part."""
        part = self.parts[number]
        return part["bucket"] or settings.RECORDING_BUCKET, part["prefix"]

    def _path_in_part(self, number: int, path: str) -> str:
        """Return the path of a file of a part: recordings have files of the same names."""
        part = self.parts[number]
        is_own = (part["bucket"], part["prefix"]) == (self.bucket or "", self.prefix)
        return path if is_own else f"edited/{number}/{path}"


def files_url(bucket: str, prefix: str | None) -> str | None:
    """Return the URL of the folder of a recording; None if its bucket or prefix is unknown."""
    if not bucket or not prefix:
        return None
    own = bucket in settings.RECORDING_BUCKETS and settings.PLAYBACK_BASE_URL
    base = settings.PLAYBACK_BASE_URL if own else f"https://{bucket}.s3.amazonaws.com"
    return f"{base}/{quoted(prefix)}"


def _flat(items: list[Any]) -> Iterator[Any]:
    for item in items:
        if isinstance(item, list):
            yield from _flat(item)
        else:
            yield item


class Content(models.Model):
    """The title, description, tags and picture that people give a video."""

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    video = models.OneToOneField(
        Video, on_delete=models.CASCADE, db_column="on_demand_video_uuid", related_name="content"
    )
    created_at = models.DateTimeField(null=True, default=timezone.now, editable=False)
    created_by = models.UUIDField(editable=False)
    title = models.TextField(_("title"), null=True, blank=True)  # noqa: DJ001  (the predecessor's columns take NULL)
    description = models.TextField(_("description"), null=True, blank=True)  # noqa: DJ001
    tags = ArrayField(models.TextField(null=True, blank=True), verbose_name=_("tags"), null=True, blank=True)
    data = models.JSONField(null=True, editable=False)
    thumbnail = models.TextField(_("picture"), null=True, blank=True)  # noqa: DJ001

    class Meta:
        db_table = "on_demand_video_content"
        verbose_name = verbose_name_plural = _("content")
        # The predecessor's idx_on_demand_video_user_content is not here: Django allows names of 30 characters.

    def __str__(self) -> str:
        return self.title or str(self.uuid)

    @property
    def shown_title(self) -> str:
        """Return the title; empty if it is NULL."""
        return self.title or ""

    @property
    def shown_description(self) -> str:
        """Return the description; empty if it is NULL."""
        return self.description or ""

    @property
    def shown_thumbnail(self) -> str:
        """Return the URL of the chosen picture; empty if there is none."""
        return self.thumbnail or ""

    @property
    def shown_tags(self) -> list[str]:
        """Return the tags without NULL and empty ones; PostgreSQL lets another program store lists of lists, too."""
        return [tag for tag in _flat(self.tags or []) if tag]
