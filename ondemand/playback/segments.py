"""The segments of a stored rendition, each with all that it needs to be played in another playlist; pure.

https://datatracker.ietf.org/doc/html/rfc8216#section-4.3.2
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

from ondemand.playback.playlists import attributes_of, file_rewrite, is_uri, readable_text, whole_number, with_uri
from ondemand.recordings.playlists import PlaylistError, usable_seconds

_BYTE_RANGE = re.compile(r"(\d{1,18})(?:@(\d{1,18}))?", re.ASCII)
_IDENTITY = '"identity"'
_METHODS_WITH_IV = {"AES-128", "AES-256", "SAMPLE-AES"}


class SegmentKey(NamedTuple):
    """An EXT-X-KEY line with URIs of a template; keys of several formats may apply at once."""

    format: str
    line: str
    # The sequence number of a segment in its own playlist is used in place of the missing initialization vector.
    lacks_iv: bool


class Init(NamedTuple):
    """An EXT-X-MAP line with the URI of a template; "" for a segment without. `keys` decrypt what it names."""

    line: str = ""
    keys: tuple[SegmentKey, ...] = ()


NO_INIT = Init()


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A segment; URIs as in a template. `info` is the value of its EXTINF, `byte_range` has its offset or is empty.

    `date` is when it was recorded, and `date_text` what its own EXT-X-PROGRAM-DATE-TIME says.
    `begins_anew`: it does not continue the one before.
    """

    uri: str
    info: str
    microseconds: int
    byte_range: str
    is_gap: bool
    begins_anew: bool
    keys: tuple[SegmentKey, ...]
    init: Init
    date: datetime | None
    date_text: str


@dataclass(frozen=True, slots=True)
class StoredRendition:
    """The playlist of a rendition. Segment n lasts from `bounds_ms[n]` to `bounds_ms[n + 1]` of the recording."""

    segments: tuple[StoredSegment, ...]
    bounds_ms: tuple[int, ...]
    version: int
    is_independent: bool
    is_frames_only: bool


def stored_rendition(content: bytes, folder: str) -> StoredRendition:
    """Return what a media playlist says; `folder` is its own, below the prefix of the recording.

    Comments, unknown tags, date ranges and parts of low latency are left out, and a segment that was cut off.

    Raises:
        PlaylistError: not such a playlist, or it names something outside of the recording by a relative URI.
    """
    reader = _SegmentReader(folder)
    for line in readable_text(content).split("\n"):
        line = line.strip()
        if is_uri(line):
            reader.end_segment(line)
        elif line:
            tag, _, value = line.partition(":")
            reader.read_tag(tag, value)
    bounds = accumulate((segment.microseconds for segment in reader.segments), initial=0)
    return StoredRendition(
        tuple(reader.segments),
        # Whole milliseconds everywhere, so that a cut at a bound that was shown is a cut at that bound.
        tuple(round(bound / 1000) for bound in bounds),
        reader.version,
        reader.is_independent,
        reader.is_frames_only,
    )


@dataclass
class _SegmentReader:
    """The state of reading a playlist line by line: it holds the segments so far, and the tags for the next one."""

    folder: str
    segments: list[StoredSegment] = field(default_factory=list)
    version: int = 1
    is_independent: bool = False
    is_frames_only: bool = False
    sequence: int = 0
    # Of all segments to come.
    keys: tuple[SegmentKey, ...] = ()
    init: Init = NO_INIT
    date: datetime | None = None
    # Of the next segment alone.
    info: str | None = None
    byte_range: str = ""
    is_gap: bool = False
    begins_anew: bool = False
    date_text: str = ""
    # Where a byte range without an offset continues.
    last_uri: str = ""
    last_byte: int = 0

    def read_tag(self, tag: str, value: str) -> None:
        match tag:
            case "#EXTINF":
                self.info = value
            case "#EXT-X-BYTERANGE":
                self.byte_range = value
            case "#EXT-X-GAP":
                self.is_gap = True
            case "#EXT-X-DISCONTINUITY":
                self.begins_anew = True
            case "#EXT-X-PROGRAM-DATE-TIME":
                self.date_text = value
            case "#EXT-X-KEY":
                self.read_key(value)
            case "#EXT-X-MAP":
                self.init = Init(f"{tag}:{with_uri(value, file_rewrite(self.folder))}", self.keys)
            case "#EXT-X-MEDIA-SEQUENCE":
                self.sequence = whole_number(value)
            case "#EXT-X-VERSION":
                self.version = whole_number(value)
            case "#EXT-X-INDEPENDENT-SEGMENTS":
                self.is_independent = True
            case "#EXT-X-I-FRAMES-ONLY":
                self.is_frames_only = True
            case "#EXT-X-STREAM-INF":
                raise PlaylistError("it is a multivariant playlist")

    def read_key(self, value: str) -> None:
        attributes = attributes_of(value)
        method, form = attributes.get("METHOD"), attributes.get("KEYFORMAT", _IDENTITY)
        if method == "NONE":
            self.keys = ()
            return
        lacks_iv = form == _IDENTITY and method in _METHODS_WITH_IV and "IV" not in attributes
        key = SegmentKey(form, f"#EXT-X-KEY:{with_uri(value, file_rewrite(self.folder))}", lacks_iv)
        self.keys = (*(other for other in self.keys if other.format != form), key)

    def end_segment(self, uri: str) -> None:
        uri = file_rewrite(self.folder)(uri)
        microseconds = self.microseconds()
        if self.date_text:
            self.date = _date(self.date_text)
        elif self.begins_anew:
            # How much time lies between is unknown.
            self.date = None
        self.segments.append(
            StoredSegment(
                uri=uri,
                info=self.info or "",
                microseconds=microseconds,
                byte_range=self.whole_byte_range(uri),
                is_gap=self.is_gap,
                begins_anew=self.begins_anew,
                keys=tuple(_with_iv(key, self.sequence) for key in self.keys),
                init=self.init,
                date=self.date,
                date_text=self.date_text,
            )
        )
        self.sequence += 1
        self.date = _later(self.date, microseconds)
        self.info, self.byte_range, self.date_text = None, "", ""
        self.is_gap = self.begins_anew = False

    def microseconds(self) -> int:
        try:
            seconds = None if self.info is None else float(self.info.partition(",")[0])
        except ValueError:
            seconds = None
        return round(usable_seconds(seconds) * 1_000_000)

    def whole_byte_range(self, uri: str) -> str:
        """Return the byte range with an offset: the segment that it continues may be cut off."""
        if not self.byte_range:
            self.last_uri = ""
            return ""
        found = _BYTE_RANGE.fullmatch(self.byte_range)
        if found is None or (found[2] is None and uri != self.last_uri):
            raise PlaylistError("a byte range is malformed or continues none")
        offset = self.last_byte if found[2] is None else int(found[2])
        self.last_uri, self.last_byte = uri, offset + int(found[1])
        return f"{found[1]}@{offset}"


def _with_iv(key: SegmentKey, sequence: int) -> SegmentKey:
    return key._replace(line=f"{key.line},IV=0x{sequence:032X}", lacks_iv=False) if key.lacks_iv else key


def _date(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _later(date: datetime | None, microseconds: int) -> datetime | None:
    try:
        return date and date + timedelta(microseconds=microseconds)
    except OverflowError:
        return None
