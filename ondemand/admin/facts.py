"""What is known of a recording beside what people write: its files, and the streams that it holds."""

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
from channels_app.timeline import TimelineEntry, streams_shown, timeline_of
from channels_app.times import NOTHING, clock, zoned
from ondemand.models import Video

# IVS puts at most twenty streams into one recording.
# https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
SHOWN_STREAMS = 20
SHOWN_ENTRIES = 100
LONGEST_DOCUMENT = 20_000


@dataclass(frozen=True)
class Fact:
    """A line of the technical facts; `copied` is what its button copies."""

    label: str
    value: Any
    copied: str = ""


def technical_facts(video: Video, *, shows_files: bool) -> list[Fact]:
    """What the events and the metadata say of the recording; of its files only where they are shown."""
    return [
        Fact(_("uuid"), video.pk, str(video.pk)),
        *(_file_facts(video) if shows_files else []),
        Fact(_("Streams"), _lines(video.stream_ids or [])),
        Fact(_("Recording session"), video.session_id or NOTHING, video.session_id or ""),
        Fact(_("Status"), video.get_status_display() or NOTHING),
        Fact(_("Start"), zoned(video.started_at)),
        Fact(_("End"), zoned(video.ended_at)),
        Fact(_("Length"), f"{clock(video.duration)} ({video.duration_ms:,} ms)" if video.duration_ms else NOTHING),
        Fact(_("Duplicate of"), _original(video)),
    ]


def _file_facts(video: Video) -> list[Fact]:
    pictures, location = video.pictures, video.location
    link = format_html('<a href="{0}">{0}</a>', location) if location else NOTHING
    return [
        Fact(_("Playlist"), link, location or ""),
        Fact(_("Bucket"), video.files_bucket or NOTHING, video.files_bucket),
        Fact(_("Prefix"), video.prefix or NOTHING, video.prefix or ""),
        Fact(_("Renditions"), _lines(_rendition(item) for item in video.renditions)),
        Fact(_("Pictures"), ngettext("{count} picture", "{count} pictures", len(pictures)).format(count=len(pictures))),
    ]


@dataclass(frozen=True)
class Document:
    """A JSON document, indented; `left` characters of it are not shown."""

    label: str
    text: str
    left: int


def documents(video: Video, *, shows_files: bool) -> list[Document]:
    """What is stored as JSON, as far as there is any; what leads to the files only where they are shown."""
    stored = [
        (_("Metadata of the recording"), video.facts if shows_files else None),
        (_("What applications noted"), video.metadata),
        (_("Data of the event"), video.data if shows_files else None),
    ]
    return [_document(label, value) for label, value in stored if value]


def _document(label: str, value: Any) -> Document:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return Document(label, text[:LONGEST_DOCUMENT], max(0, len(text) - LONGEST_DOCUMENT))


@dataclass(frozen=True)
class Happening:
    """An entry of the timeline of a stream; `second` is where it is in the recording, None if it is not in it."""

    at: str
    entry: TimelineEntry
    second: int | None
    moment: str


@dataclass(frozen=True)
class StreamSection:
    """The streams of a recording, what happened to them, and lists that tell more: label and address."""

    rows: list[dict[str, Any]]
    happenings: list[Happening]
    links: list[tuple[str, str]]


def stream_section(request: HttpRequest, video: Video) -> StreamSection | None:
    """The streams, in two queries; None for who may not see streams, or where none is known."""
    may_see = any(request.user.has_perm(f"channels_app.{name}") for name in ("view_stream", "view_channel"))
    if not may_see or not video.stream_ids or video.channel_id is None:
        return None
    of_video = Stream.objects.filter(channel_id=video.channel_id, stream_id__in=video.stream_ids)
    streams = list(streams_shown(of_video).order_by("order_at", "stream_id")[:SHOWN_STREAMS])
    return StreamSection(stream_rows(streams), list(_happenings(video, streams)), _event_links(request, streams))


def _happenings(video: Video, streams: Iterable[Stream]) -> Iterator[Happening]:
    by_pk = {stream.pk: stream for stream in streams}
    history = list(StreamHistoryEntry.objects.filter(stream__in=list(by_pk)).newest_first()[:SHOWN_ENTRIES])
    entries = [
        entry
        for stream in by_pk.values()
        for entry in timeline_of(stream, (told for told in history if told.stream_id == stream.pk))
    ]
    for entry in sorted(entries, key=lambda entry: entry.at):
        second = _second(video, entry)
        yield Happening(zoned(entry.at), entry, second, "" if second is None else clock(timedelta(seconds=second)))


def _second(video: Video, entry: TimelineEntry) -> int | None:
    if video.started_at is None or not video.duration_ms or not video.location:
        return None
    second = int((entry.at - video.started_at).total_seconds())
    return second if 0 <= second * 1000 < video.duration_ms else None


def _event_links(request: HttpRequest, streams: Iterable[Stream]) -> list[tuple[str, str]]:
    if not request.user.has_perm("channels_app.view_inboxevent"):
        return []
    found = ((stream.shown_id, events_address(stream)) for stream in streams)
    return [(_("Events of {stream}").format(stream=name), address) for name, address in found if address]


def _lines(texts: Iterable[str]) -> SafeString | str:
    return format_html_join("", "<div>{}</div>", ((text,) for text in texts)) or NOTHING


def _rendition(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    size = f"{item['width']} x {item['height']}" if item.get("width") and item.get("height") else _("sound")
    return f"{item.get('path', '')} ({size})"


def _original(video: Video) -> str | SafeString:
    if video.duplicate_of_id is None:
        return NOTHING
    address = reverse("admin:ondemand_video_change", args=[video.duplicate_of_id])
    return format_html('<a href="{}">{}</a>', address, video.duplicate_of_id)
