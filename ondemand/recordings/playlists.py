"""HLS playlists as typed values, and paths in a recording; pure. Any bytes are either parsed or refused.

https://datatracker.ietf.org/doc/html/rfc8216
"""

import math
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import m3u8

from channels_app.envelopes import MAX_ACCEPTED_DURATION_MS

# 48 hours of segments of 10 s are 17,280: a playlist of less than a megabyte.
LONGEST_PLAYLIST = 4 * 1024 * 1024
_MOST_LINES = 150_000
_LONGEST_LINE = 8192
# A key of S3 has at most 1024 bytes, the prefix of the recording included.
_LONGEST_PATH = 800
# The tags that are read. The library would parse the others of a hostile playlist too slowly.
_TAGS = (
    "#EXTINF:",
    "#EXT-X-BYTERANGE:",
    "#EXT-X-DISCONTINUITY",
    "#EXT-X-ENDLIST",
    "#EXT-X-GAP",
    "#EXT-X-MAP:",
    "#EXT-X-MEDIA:",
    "#EXT-X-STREAM-INF:",
)
# The exceptions of the library for malformed attributes.
_MALFORMED = (m3u8.ParseError, ValueError, LookupError, TypeError, AttributeError, OverflowError)


class PlaylistError(ValueError):
    """A playlist that no player can read; the message says why."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A media segment. `begins_anew`: it does not continue the one before. `init`: URI of its initialization section.

    URIs are as the playlist writes them.
    """

    uri: str
    seconds: float
    is_gap: bool
    begins_anew: bool
    init: str


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """The playlist of one rendition."""

    segments: tuple[Segment, ...]
    is_ended: bool


def parse_multivariant(content: bytes) -> list[str]:
    """Return the URIs of the renditions that a multivariant playlist names, each once, in their order.

    Raises:
        PlaylistError: not such a playlist, or a hostile one.
    """
    document = _parse(content)
    media = [item for item in document["media"] if item.get("type") in {"AUDIO", "VIDEO"}]
    uris = [item.get("uri") for item in [*document["playlists"], *media]]
    return list(dict.fromkeys(uri for uri in uris if uri))


def parse_media(content: bytes) -> MediaPlaylist:
    """Return the playlist of a rendition; a segment that was cut off before its URI is left out.

    Raises:
        PlaylistError: not such a playlist, or a hostile one.
    """
    document = _parse(content)
    if document["playlists"]:
        raise PlaylistError("it is a multivariant playlist")
    segments = []
    for item in document["segments"]:
        if not item.get("uri"):
            continue
        seconds = usable_seconds(item.get("duration"))
        is_gap, begins_anew = bool(item.get("gap_tag")), bool(item.get("discontinuity"))
        segments.append(
            Segment(item["uri"], seconds, is_gap, begins_anew, item.get("init_section", {}).get("uri") or "")
        )
    return MediaPlaylist(tuple(segments), is_ended=bool(document["is_endlist"]))


def playlist_text(content: bytes) -> str:
    """Return the text of a playlist that is not too large to be read.

    Raises:
        PlaylistError: no playlist, or a hostile one.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise PlaylistError("it is not text") from None
    lines = text.splitlines()
    if not lines or lines[0].rstrip() != "#EXTM3U":
        raise PlaylistError("it does not begin with #EXTM3U")
    if len(lines) > _MOST_LINES or max(map(len, lines)) > _LONGEST_LINE:
        raise PlaylistError(f"it has more than {_MOST_LINES} lines, or one of more than {_LONGEST_LINE} characters")
    return text


def _parse(content: bytes) -> dict[str, Any]:
    text = playlist_text(content)
    try:
        # A parser that returns True has handled the line.
        return m3u8.parse(text, custom_tags_parser=lambda line, *_: not line.startswith(_TAGS))
    except _MALFORMED as error:
        raise PlaylistError(f"it is malformed: {type(error).__name__}") from None


def usable_seconds(seconds: float | None) -> float:
    """Return the duration of a segment.

    Raises:
        PlaylistError: it has none, or one that cannot be.
    """
    if seconds is None or not math.isfinite(seconds) or not 0 <= seconds * 1000 <= MAX_ACCEPTED_DURATION_MS:
        raise PlaylistError("a segment has no usable duration")
    return seconds


def is_inside(path: str) -> bool:
    """Return whether a path stays inside the folder that it is joined to, and is no longer than a key may be."""
    return not {"", ".", ".."} & set(path.split("/")) and len(path.encode()) <= _LONGEST_PATH


def path_inside(folder: str, uri: str) -> str | None:
    """Return the path that a URI names relative to a folder; None if it leads to another host or out of the recording.

    A URI with a query names no object of S3.
    """
    path = unquote(uri)
    if any(character in path for character in ":\\?#") or not is_inside(path):
        return None
    return f"{folder}/{path}" if folder else path
