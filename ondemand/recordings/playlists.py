"""HLS playlists, as typed values; pure. Whatever the bytes are, they are understood or refused.

https://datatracker.ietf.org/doc/html/rfc8216
"""

import math
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import m3u8

from ondemand.recordings.paths import is_inside

# 48 hours of segments of 10 s are 17,280: a playlist of less than a megabyte.
LONGEST_PLAYLIST = 4 * 1024 * 1024
_MOST_LINES = 150_000
_LONGEST_LINE = 8192
# All that is asked of a playlist. The library reads what else may stand there too, in more time than there is.
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
# What the library raises where attributes are not what they should be.
_NOT_UNDERSTOOD = (m3u8.ParseError, ValueError, LookupError, TypeError, AttributeError, OverflowError)


class PlaylistError(ValueError):
    """A playlist that no player can read; the message says why."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A media segment. `begins_anew`: what it holds does not continue the one before. `init`: what must be read first.

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
    """The URIs of the renditions that a multivariant playlist names, each once, in their order.

    Raises:
        PlaylistError: not such a playlist, or a hostile one.
    """
    document = _parse(content)
    media = [item for item in document["media"] if item.get("type") in {"AUDIO", "VIDEO"}]
    uris = [item.get("uri") for item in [*document["playlists"], *media]]
    return list(dict.fromkeys(uri for uri in uris if uri))


def parse_media(content: bytes) -> MediaPlaylist:
    """The playlist of a rendition; a segment that was cut off before its URI is left out.

    Raises:
        PlaylistError: not such a playlist, or a hostile one.
    """
    document = _parse(content)
    if document["playlists"]:
        raise PlaylistError("it is a multivariant playlist")
    segments = tuple(_segment(item) for item in document["segments"] if item.get("uri"))
    return MediaPlaylist(segments, is_ended=bool(document["is_endlist"]))


def _parse(content: bytes) -> dict[str, Any]:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise PlaylistError("it is not text") from None
    lines = text.splitlines()
    if not lines or lines[0].rstrip() != "#EXTM3U":
        raise PlaylistError("it does not begin with #EXTM3U")
    if len(lines) > _MOST_LINES or max(map(len, lines)) > _LONGEST_LINE:
        raise PlaylistError(f"it has more than {_MOST_LINES} lines, or one of more than {_LONGEST_LINE} characters")
    try:
        return m3u8.parse(text, custom_tags_parser=_is_unneeded)
    except _NOT_UNDERSTOOD as error:
        raise PlaylistError(f"it is malformed: {type(error).__name__}") from None


def _is_unneeded(line: str, *_: Any) -> bool:
    return not line.startswith(_TAGS)


def _segment(item: dict[str, Any]) -> Segment:
    seconds = item.get("duration")
    if seconds is None or not math.isfinite(seconds) or not 0 <= seconds <= 366 * 86_400:
        raise PlaylistError("a segment has no usable duration")
    return Segment(
        uri=item["uri"],
        seconds=seconds,
        is_gap=bool(item.get("gap_tag")),
        begins_anew=bool(item.get("discontinuity")),
        init=item.get("init_section", {}).get("uri") or "",
    )


def path_inside(folder: str, uri: str) -> str | None:
    """The path that a URI names relative to a folder; None where it leads to another host or out of the recording.

    One with a query names no object of S3.
    """
    path = unquote(uri)
    if any(character in path for character in ":\\?#") or not is_inside(path):
        return None
    return f"{folder}/{path}" if folder else path
