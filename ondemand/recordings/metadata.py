"""The metadata that IVS writes beside a recording, and the listing of its thumbnails.

https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html#r2s3-json-schema
"""

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from channels_app.envelopes import MalformedEventError, jsonb_safe, load_json, whole_milliseconds
from common import aws
from common.rest.times import is_readable, parse_time
from ondemand.models import evenly_spread
from ondemand.recordings.playlists import is_inside

ENDED = "recording-ended.json"
FAILED = "recording-failed.json"
LONGEST = 1024 * 1024
# A picture a minute for 48 hours is 2,880: at most 10,000 are listed, and 1,000 of them kept.
_MOST_PAGES = 10
_MOST_THUMBNAILS = 1000
_MOST_RENDITIONS = 100
_NUMBER = re.compile(r"\d+")


class MetadataError(ValueError):
    """The metadata cannot be understood; the message names the field."""


class PicturesUnlistedError(Exception):
    """The pictures could not be listed, by `cause`; `facts` is the metadata without `thumbnails`."""

    def __init__(self, facts: dict[str, Any], cause: aws.AwsError) -> None:
        super().__init__(str(cause))
        self.facts = facts
        self.cause = cause


def facts_complete(facts: dict[str, Any] | None, *, source: str) -> bool:
    """Return whether the facts are those of this metadata file, with its pictures."""
    return facts is not None and facts.get("source") == source and "thumbnails" in facts


@dataclass(frozen=True)
class Metadata:
    """Paths are relative to the recording's prefix. A rendition is path, width and height (None: sound alone).

    `byte_range_playlist` is empty if there is none.
    """

    started_at: datetime | None
    ended_at: datetime | None
    duration_ms: int
    playlist: str
    byte_range_playlist: str
    renditions: list[dict[str, Any]]
    thumbnail_folder: str
    latest_thumbnail: str


def parse_metadata(content: bytes) -> Metadata:
    """Return the metadata of an `events/recording-ended.json` or `recording-failed.json`.

    Raises:
        MetadataError: truncated, not JSON, or a field is missing, has a wrong type or leads out of the recording.
    """
    document = document_of(content)
    media = _member(document, "media", dict)
    hls = _member(media, "hls", dict)
    folder = _member(hls, "path", str).strip("/")
    duration = whole_milliseconds(hls.get("duration_ms"))
    if duration is None:
        raise MetadataError("duration_ms is no length of a recording")
    items = _member(hls, "renditions", list)
    if len(items) > _MOST_RENDITIONS:
        raise MetadataError(f"renditions are more than {_MOST_RENDITIONS}")
    renditions = []
    for item in items:
        path, playlist = _member(item, "path", str).strip("/"), _member(item, "playlist", str)
        _joined("playlist", folder, path, playlist)
        sizes = {name: item.get(f"resolution_{name}") for name in ("width", "height")}
        # Sound alone has no size.
        pixels = {name: size if type(size) is int and 0 < size < 100_000 else None for name, size in sizes.items()}
        renditions.append({"path": _joined("path", folder, path), "playlist": playlist, **pixels})

    def folder_path(name: str) -> str:
        item = media.get(name)
        path = _member(item, "path", str).strip("/") if isinstance(item, dict) else ""
        return _joined(name, path) if path else ""

    return Metadata(
        started_at=time_of(document, "recording_started_at"),
        ended_at=time_of(document, "recording_ended_at"),
        duration_ms=duration,
        playlist=_joined("playlist", folder, _member(hls, "playlist", str)),
        byte_range_playlist=_byte_ranges(hls, folder),
        renditions=renditions,
        thumbnail_folder=folder_path("thumbnails"),
        latest_thumbnail=folder_path("latest_thumbnail"),
    )


def _byte_ranges(hls: dict[str, Any], folder: str) -> str:
    """Return the path of the multivariant playlist with shorter segments, parts of the same files; empty if unusable.

    AWS documents it as required, and leaves it out itself. It only makes cuts finer.
    """
    name = hls.get("byte_range_playlist")
    try:
        return _joined("byte_range_playlist", folder, jsonb_safe(name)) if isinstance(name, str) and name else ""
    except MetadataError:
        return ""


def document_of(content: bytes) -> dict[str, Any]:
    """Return the JSON object of an `events/recording-*.json`.

    Raises:
        MetadataError: truncated, not JSON, or not an object.
    """
    try:
        document = load_json(content.decode())
    except (MalformedEventError, UnicodeDecodeError) as error:
        raise MetadataError(str(error)) from None
    if not isinstance(document, dict):
        raise MetadataError("it is not an object")
    return document


def time_of(document: dict[str, Any], name: str) -> datetime | None:
    """Return a time of the object in UTC, or None if it is missing.

    Raises:
        MetadataError: not RFC 3339, without a zone, or not of the years 2000 to 9000.
    """
    if document.get(name) is None:
        return None
    text = _member(document, name, str)
    try:
        time = parse_time(text)
    except ValueError as error:
        raise MetadataError(f"{name} is {error}") from None
    if time.year < 2000 or not is_readable(time):
        raise MetadataError(f"{name} is out of range")
    return time


def _member(document: Any, name: str, kind: type) -> Any:
    value = document.get(name) if isinstance(document, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise MetadataError(f"{name} is missing or not of type {kind.__name__}")
    return jsonb_safe(value)


def _joined(name: str, *parts: str) -> str:
    path = "/".join(part for part in parts if part)
    if not is_inside(path):
        raise MetadataError(f"{name} leads out of the recording")
    return path


def facts_fetch(*, bucket: str, prefix: str, name: str) -> dict[str, Any] | None:
    """Return the facts of `events/<name>` and its pictures, as stored with the video; None if S3 has no such object.

    Keys: `source`, `started_at`, `ended_at` (RFC 3339 or None), `duration_ms`, `playlist`, `byte_range_playlist`,
    `renditions`, `thumbnails`.

    Raises:
        AwsError: S3 could not be read; for a caller without ListBucket a missing object is kind `denied`, too.
        PicturesUnlistedError: the object was read, and its pictures could not be listed.
        MetadataError: the object cannot be understood.
    """
    content = aws.object_read(bucket=bucket, key=f"{prefix}/events/{name}", longest=LONGEST)
    if content is None:
        return None
    metadata = asdict(parse_metadata(content))
    folder, latest = metadata.pop("thumbnail_folder"), metadata.pop("latest_thumbnail")
    times = {key: metadata[key] and metadata[key].isoformat() for key in ("started_at", "ended_at")}
    facts = {"source": name, **metadata, **times}
    keys: list[str] = []
    if folder:
        # The names of the pictures are not documented.
        try:
            keys = aws.object_keys(bucket=bucket, prefix=f"{prefix}/{folder}/", pages=_MOST_PAGES)
        except aws.AwsError as error:
            raise PicturesUnlistedError(facts, error) from error
    pictures = [key.removeprefix(f"{prefix}/") for key in keys if key.lower().endswith((".jpg", ".jpeg", ".png"))]
    pictures.sort(key=lambda path: ([int(digits) for digits in _NUMBER.findall(path)], path))
    return {**facts, "thumbnails": evenly_spread(pictures or [latest] * bool(latest), _MOST_THUMBNAILS)}


def facts_columns(facts: dict[str, Any] | None) -> dict[str, Any]:
    """Return the columns of an existing video that the facts decide; empty without facts."""
    if facts is None:
        return {}
    times = {name: datetime.fromisoformat(facts[name]) for name in ("started_at", "ended_at") if facts[name]}
    return {"facts": facts, "duration_ms": facts["duration_ms"], **times}
