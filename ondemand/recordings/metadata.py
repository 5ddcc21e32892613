"""The metadata that IVS writes beside a recording, and the listing of its thumbnails.

https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html#r2s3-json-schema
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels_app import aws
from channels_app.envelopes import MalformedEventError, jsonb_safe, load_json, whole_milliseconds
from ivsvod.rest.times import parse_time
from ondemand.recordings.paths import is_inside
from ondemand.spread import evenly_spread

ENDED = "recording-ended.json"
FAILED = "recording-failed.json"
LONGEST = 1024 * 1024
# A picture a minute for 48 hours is 2,880; what is listed at most, and what is kept of it.
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
    """Paths are relative to the recording's prefix. A rendition is path, width and height (None: sound alone)."""

    started_at: datetime | None
    ended_at: datetime | None
    duration_ms: int
    playlist: str
    renditions: list[dict[str, Any]]
    thumbnail_folder: str
    latest_thumbnail: str


def parse_metadata(content: bytes) -> Metadata:
    """Read `events/recording-ended.json` or `recording-failed.json`.

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
    return Metadata(
        started_at=moment_of(document, "recording_started_at"),
        ended_at=moment_of(document, "recording_ended_at"),
        duration_ms=duration,
        playlist=_joined("playlist", folder, _member(hls, "playlist", str)),
        renditions=_renditions(_member(hls, "renditions", list), folder),
        thumbnail_folder=_path(media, "thumbnails"),
        latest_thumbnail=_path(media, "latest_thumbnail"),
    )


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


def moment_of(document: dict[str, Any], name: str) -> datetime | None:
    """Return a time of the object in UTC, or None if it is missing.

    Raises:
        MetadataError: not RFC 3339, without a zone, or not of the years 2000 to 9000.
    """
    if document.get(name) is None:
        return None
    try:
        moment = parse_time(_member(document, name, str))
    except MetadataError:
        raise
    except ValueError as error:
        raise MetadataError(f"{name} is {error}") from None
    if not 2000 <= moment.year <= 9000:
        raise MetadataError(f"{name} is out of range")
    return moment


def _member(document: Any, name: str, kind: type) -> Any:
    value = document.get(name) if isinstance(document, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise MetadataError(f"{name} is missing or not of type {kind.__name__}")
    return jsonb_safe(value)


def _renditions(items: list[Any], folder: str) -> list[dict[str, Any]]:
    if len(items) > _MOST_RENDITIONS:
        raise MetadataError(f"renditions are more than {_MOST_RENDITIONS}")
    renditions = []
    for item in items:
        path, playlist = _member(item, "path", str).strip("/"), _member(item, "playlist", str)
        _joined("playlist", folder, path, playlist)
        sizes = {name: _pixels(item.get(f"resolution_{name}")) for name in ("width", "height")}
        renditions.append({"path": _joined("path", folder, path), "playlist": playlist, **sizes})
    return renditions


def _pixels(value: Any) -> int | None:
    """Return the size of a picture; None if there is none, as for sound alone."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 100_000 else None


def _path(media: dict[str, Any], name: str) -> str:
    item = media.get(name)
    path = _member(item, "path", str).strip("/") if isinstance(item, dict) else ""
    return _joined(name, path) if path else ""


def _joined(name: str, *parts: str) -> str:
    path = "/".join(part for part in parts if part)
    if not is_inside(path):
        raise MetadataError(f"{name} leads out of the recording")
    return path


def facts_fetch(*, bucket: str, prefix: str, name: str) -> dict[str, Any] | None:
    """Return the facts of `events/<name>` and the listing, as stored with the video; None if S3 has no such object.

    Keys: `source`, `started_at`, `ended_at` (RFC 3339 or None), `duration_ms`, `playlist`, `renditions`, `thumbnails`.

    Raises:
        AwsError: S3 could not be read; for a caller without ListBucket a missing object is kind `denied`, too.
        PicturesUnlistedError: the object was read, and its pictures could not be listed.
        MetadataError: the object cannot be understood.
    """
    content = aws.object_read(bucket=bucket, key=f"{prefix}/events/{name}", longest=LONGEST)
    if content is None:
        return None
    metadata = parse_metadata(content)
    facts = {
        "source": name,
        "started_at": metadata.started_at.isoformat() if metadata.started_at else None,
        "ended_at": metadata.ended_at.isoformat() if metadata.ended_at else None,
        "duration_ms": metadata.duration_ms,
        "playlist": metadata.playlist,
        "renditions": metadata.renditions,
    }
    try:
        return {**facts, "thumbnails": _thumbnails(bucket, prefix, metadata)}
    except aws.AwsError as error:
        raise PicturesUnlistedError(facts, error) from error


def facts_columns(facts: dict[str, Any] | None) -> dict[str, Any]:
    """Return the columns of a known video that the facts decide; empty without facts."""
    if facts is None:
        return {}
    texts = {name: facts[name] for name in ("started_at", "ended_at") if facts[name]}
    moments = {name: datetime.fromisoformat(text) for name, text in texts.items()}
    return {"facts": facts, "duration_ms": facts["duration_ms"], **moments}


def _thumbnails(bucket: str, prefix: str, metadata: Metadata) -> list[str]:
    """Return the paths of the pictures in the order of their numbers; their names are not documented, so list them."""
    keys: list[str] = []
    if metadata.thumbnail_folder:
        folder = f"{prefix}/{metadata.thumbnail_folder}/"
        keys = aws.object_keys(bucket=bucket, prefix=folder, pages=_MOST_PAGES)
    pictures = [key.removeprefix(f"{prefix}/") for key in keys if key.lower().endswith((".jpg", ".jpeg", ".png"))]
    found = sorted(pictures, key=_numbers_as_numbers) or [path for path in [metadata.latest_thumbnail] if path]
    return evenly_spread(found, _MOST_THUMBNAILS)


def _numbers_as_numbers(path: str) -> tuple[list[int], str]:
    return [int(digits) for digits in _NUMBER.findall(path)], path
