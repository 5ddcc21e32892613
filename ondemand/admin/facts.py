"""The technical facts of a recording: its files, its JSON documents and its streams."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from channels_app.admin.streams import events_address, stream_rows
from channels_app.models import Stream, StreamHistoryEntry
from channels_app.streams.timeline import streams_shown, timeline_of
from common.admin.pages import without_places
from common.rest.times import NOTHING, clock, zoned
from ondemand.models import Video
from ondemand.videos.files import CatalogueReader

# IVS puts at most twenty streams into one recording.
# https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
SHOWN_STREAMS = 20
SHOWN_ENTRIES = 100
LONGEST_DOCUMENT = 20_000


@dataclass(frozen=True)
class Failure:
    """Why a recording failed, when that was reported, and what can be done."""

    sentence: str
    reason: str
    at: str
    advice: str


@dataclass(frozen=True)
class Fact:
    """A line of the technical facts; its button copies `copied`."""

    label: str
    value: Any
    copied: str = ""


def failure_of(video: Video, *, shows_files: bool) -> Failure | None:
    """Return the failure of a recording by the event that reported it; None for every other video."""
    if video.status != Video.Status.FAILED:
        return None
    reported_reason = (video.data or {}).get("recording_status_reason")
    reason = reported_reason if isinstance(reported_reason, str) else ""
    sentence = _("Amazon IVS could not finish this recording.")
    advice = _("Some of its files may be in S3. If Amazon IVS completed them later, the video becomes available.")
    if not video.prefix:
        sentence = _("Amazon IVS could not begin this recording: the stream was not recorded.")
        advice = _(
            "Check the recording configuration of the channel. Its bucket must exist, in the region of the channel."
        )
    return Failure(sentence, reason if shows_files else without_places(reason), zoned(video.ended_at), advice)


def technical_facts(video: Video, reader: CatalogueReader) -> list[Fact]:
    """Return the facts from the events and the metadata of the recording, and those of its files that may be known."""
    original: SafeString | str = NOTHING
    if video.duplicate_of_id is not None:
        address = reverse("admin:ondemand_video_change", args=[video.duplicate_of_id])
        original = format_html('<a href="{}">{}</a>', address, video.duplicate_of_id)
    return [
        Fact(_("uuid"), video.pk, str(video.pk)),
        *(_file_facts(video, reader) if reader.sees_files(video) else []),
        Fact(_("Streams"), _lines(video.stream_ids or [])),
        Fact(_("Recording session"), video.session_id or NOTHING, video.session_id or ""),
        Fact(_("Status"), video.get_status_display() or NOTHING),
        Fact(_("Start"), zoned(video.started_at)),
        Fact(_("End"), zoned(video.ended_at)),
        Fact(_("Length"), f"{clock(video.duration)} ({video.length_ms:,} ms)" if video.length_ms else NOTHING),
        Fact(_("Duplicate of"), original),
    ]


def _file_facts(video: Video, reader: CatalogueReader) -> list[Fact]:
    pictures, location = video.picture_paths, reader.location(video)
    link = format_html('<a href="{0}">{0}</a>', location) if location else NOTHING
    return [
        Fact(_("Playlist"), link, location or ""),
        Fact(_("Bucket"), video.files_bucket or NOTHING, video.files_bucket),
        Fact(_("Prefix"), video.prefix or NOTHING, video.prefix or ""),
        Fact(_("Renditions"), _lines(_rendition(item) for item in video.renditions)),
        Fact(_("Pictures"), ngettext("{count} picture", "{count} pictures", len(pictures)).format(count=len(pictures))),
    ]


def _rendition(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    size = f"{item['width']} x {item['height']}" if item.get("width") and item.get("height") else _("sound")
    return f"{item.get('path', '')} ({size})"


def _lines(texts: Iterable[str]) -> SafeString | str:
    return format_html_join("", "<div>{}</div>", ((text,) for text in texts)) or NOTHING


def documents(video: Video, *, shows_files: bool) -> list[dict[str, Any]]:
    """Return the stored JSON documents that are not empty; those that locate the files only if `shows_files`.

    Each has a `label`, a `text` that may be cut, and in `left` the number of characters that are not shown.
    """
    stored = [
        (_("Metadata of the recording"), video.facts if shows_files else None),
        (_("Metadata of applications"), video.metadata),
        (_("Data of the event"), video.data if shows_files else None),
    ]
    texts = [(label, json.dumps(value, indent=2, ensure_ascii=False)) for label, value in stored if value]
    return [
        {"label": label, "text": text[:LONGEST_DOCUMENT], "left": max(0, len(text) - LONGEST_DOCUMENT)}
        for label, text in texts
    ]


def stream_section(request: HttpRequest, video: Video) -> dict[str, Any] | None:
    """Return the streams as `rows`, their `timeline`, and `links` to their events, in two queries.

    Return None if the caller may not see streams, or none is recorded.
    """
    may_see = any(request.user.has_perm(f"channels_app.{name}") for name in ("view_stream", "view_channel"))
    if not may_see or not video.stream_ids or video.channel_id is None:
        return None
    of_video = Stream.objects.filter(channel_id=video.channel_id, stream_id__in=video.stream_ids)
    streams = list(streams_shown(of_video).order_by("order_at", "stream_id")[:SHOWN_STREAMS])
    links = []
    if request.user.has_perm("channels_app.view_inboxevent"):
        addresses = ((stream.shown_id, events_address(stream)) for stream in streams)
        links = [(_("Events of {stream}").format(stream=name), address) for name, address in addresses if address]
    return {"rows": stream_rows(streams), "timeline": list(_timeline_rows(video, streams)), "links": links}


def _timeline_rows(video: Video, streams: list[Stream]) -> Iterator[dict[str, Any]]:
    """Yield the entries of the streams; `second` is the position in the video, None if it does not show that moment."""
    keys = [stream.pk for stream in streams]
    history = list(StreamHistoryEntry.objects.filter(stream__in=keys).newest_first()[:SHOWN_ENTRIES])
    entries = [
        entry
        for stream in streams
        for entry in timeline_of(stream, (row for row in history if row.stream_id == stream.pk))
    ]
    for entry in sorted(entries, key=lambda entry: entry.at):
        second, position = None, ""
        shown_ms = video.time_of(entry.at) if video.is_playable else None
        if shown_ms is not None:
            second, position = shown_ms // 1000, clock(timedelta(milliseconds=shown_ms))
        yield {"at": zoned(entry.at), "entry": entry, "second": second, "position": position}
