"""Stored playlists as the service hands them out: their URIs rewritten, every other line as it was; pure.

The library m3u8 parses playlists elsewhere. It does not write them here, because it drops tags that it does not know.
https://datatracker.ietf.org/doc/html/rfc8216
"""

import re
from codecs import BOM_UTF8
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from ondemand.recordings.playlists import PlaylistError, path_inside, playlist_text

# Control characters, which no playlist may contain, stand in a template for what differs between viewers.
_FILES, _QUERY = "\x00", "\x01"
# Readers disagree on whether these end a line. A playlist may contain none of them but the line ends (section 4).
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]|\r(?!\n|\Z)")
_ATTRIBUTE = re.compile(r'([^=,"\s]+)=("[^"]*"|[^",]*)')
_WHOLE_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
_OTHER_HOST = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")

_PLAYLIST_TAGS = ("#EXT-X-MEDIA", "#EXT-X-I-FRAME-STREAM-INF", "#EXT-X-IMAGE-STREAM-INF")
_FILE_TAGS = (
    *("#EXT-X-KEY", "#EXT-X-MAP", "#EXT-X-PART", "#EXT-X-PRELOAD-HINT"),
    *("#EXT-X-SESSION-DATA", "#EXT-X-SESSION-KEY"),
)
Rewrite = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class PlaylistTemplate:
    """A playlist that lacks where its files are, so that many viewers share one rewriting."""

    content: bytes

    def finished(self, files_url: str, query: str = "") -> bytes:
        """Return the playlist; a file with the path `p` below the prefix of the recording has `{files_url}/{p}{query}`.

        Both are parts of a URL as it is written in a playlist, percent-encoded.
        """
        return self.content.replace(_FILES.encode(), files_url.encode()).replace(_QUERY.encode(), query.encode())


@dataclass(frozen=True, slots=True)
class MultivariantTemplate:
    """A multivariant playlist, and the paths below the prefix of the playlists that it names."""

    template: PlaylistTemplate
    playlists: frozenset[str]


def multivariant_template(content: bytes, folder: str) -> MultivariantTemplate:
    """Return a stored multivariant playlist to be served at the root of its recording; `folder` is its own.

    The URI of a playlist becomes its path below the prefix of the recording.

    Raises:
        PlaylistError: not such a playlist, or it names something outside of the recording by a relative URI.
    """
    text = readable_text(content)
    if "\n#EXTINF:" in text:
        raise PlaylistError("it is a media playlist")
    playlists = set()

    def playlist_uri(uri: str) -> str:
        path = path_of(uri, folder)
        if path is None:
            return uri
        playlists.add(path)
        return quote(path)

    tags = {**dict.fromkeys(_PLAYLIST_TAGS, playlist_uri), **dict.fromkeys(_FILE_TAGS, file_rewrite(folder))}
    template = PlaylistTemplate(_rewritten(text, playlist_uri, tags))
    return MultivariantTemplate(template, frozenset(playlists))


def media_template(content: bytes, folder: str) -> PlaylistTemplate:
    """Return the stored playlist of a rendition to be served; `folder` is its own, below the prefix of the recording.

    Raises:
        PlaylistError: not such a playlist, or it names something outside of the recording by a relative URI.
    """
    text = readable_text(content)
    if "\n#EXT-X-STREAM-INF:" in text:
        raise PlaylistError("it is a multivariant playlist")
    rewrite = file_rewrite(folder)
    return PlaylistTemplate(_rewritten(text, rewrite, dict.fromkeys(_FILE_TAGS, rewrite)))


def readable_text(content: bytes) -> str:
    """Return the text of a playlist whose lines all readers divide alike; a byte order mark is dropped.

    Raises:
        PlaylistError: no playlist, or one with control characters.
    """
    # Some players refuse the mark, as the standard demands.
    text = playlist_text(content.removeprefix(BOM_UTF8))
    if _CONTROL_CHARACTER.search(text):
        raise PlaylistError("it contains control characters")
    return text


def is_uri(line: str) -> bool:
    """Return whether a line of a playlist, without white space at its ends, is a URI."""
    return bool(line) and not line.startswith("#")


def attributes_of(text: str) -> dict[str, str]:
    """Return the attributes of a tag by name, as they are written: a quoted one with its marks."""
    return dict(_ATTRIBUTE.findall(text))


def whole_number(text: str) -> int:
    """Return the number that is the value of a tag or an attribute.

    Raises:
        PlaylistError: it is none.
    """
    if not _WHOLE_NUMBER.fullmatch(text):
        raise PlaylistError(f"it has no number where one must be: {ascii(text)[:100]}")
    return int(text)


def path_of(uri: str, folder: str) -> str | None:
    """Return the path below the prefix that a URI in a playlist names; None if it names a file of another host.

    Nothing outside of the prefix may ever be signed.

    Raises:
        PlaylistError: a relative URI that leaves the folder of the playlist, has a query or contains a variable.
    """
    if _OTHER_HOST.match(uri):
        return None
    path = path_inside(folder, uri)
    if path is None or "{$" in uri:
        raise PlaylistError(f"it names no file of the recording: {ascii(uri)[:100]}")
    return path


def file_rewrite(folder: str) -> Rewrite:
    """Return what makes of the URI of a file, in a playlist of this folder, the one in a template."""

    def rewrite(uri: str) -> str:
        path = path_of(uri, folder)
        return uri if path is None else f"{_FILES}/{quote(path)}{_QUERY}"

    return rewrite


def with_uri(attributes: str, rewrite: Rewrite) -> str:
    """Return an attribute list with its URI rewritten; an empty one names nothing."""

    def replacement(found: re.Match[str]) -> str:
        uri = found[2].strip().strip('"')
        return f'URI="{rewrite(uri)}"' if found[1] == "URI" and uri else found[0]

    return _ATTRIBUTE.sub(replacement, attributes)


def _rewritten(text: str, uri_line: Rewrite, tags: dict[str, Rewrite]) -> bytes:
    """Return the text with its URI lines rewritten, and the attribute URI of these tags."""
    lines = []
    for line in text.split("\n"):
        uri = line.strip()
        if is_uri(uri):
            lines.append(uri_line(uri) + "\r" * line.endswith("\r"))
            continue
        tag, colon, attributes = line.partition(":")
        rewrite = tags.get(tag.strip())
        lines.append(f"{tag}{colon}{with_uri(attributes, rewrite)}" if rewrite else line)
    return "\n".join(lines).encode()
