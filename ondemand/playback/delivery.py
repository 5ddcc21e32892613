"""Playlists and pictures of recordings, as this service serves them: read from S3, with signatures for their files."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from threading import Condition
from typing import Any

from cachetools import TTLCache, cached
from django.conf import settings

from common import aws
from common.errors import ServiceError
from ondemand.models import Video
from ondemand.models.querysets import MAX_RECORDING_DURATION
from ondemand.models.videos import files_url
from ondemand.playback.parts import Cut, EditedTemplate, EditError, Timeline, edited_template
from ondemand.playback.playlists import MultivariantTemplate, PlaylistTemplate, media_template, multivariant_template
from ondemand.playback.renditions import (
    EDITED_PLAYLIST,
    EditedMultivariant,
    StoredMultivariant,
    edited_multivariant,
    stored_multivariant,
)
from ondemand.playback.segments import StoredRendition, stored_rendition
from ondemand.playback.signing import UrlSigner, configured_signer, files_below, one_file
from ondemand.recordings.playlists import LONGEST_PLAYLIST, PlaylistError
from ondemand.videos.files import MASTER, RECORDING, shown_path, uploaded_name

# The life of a playlist in the memory of a process, and the memory for each of the four kinds of playlists: that of
# recordings is about 200 hours of one rendition.
KEPT_SECONDS = 300
_KEPT_BYTES = 16 * 1024 * 1024
# The time in which S3 must send a playlist.
_READ_SECONDS = 10
# A viewer may pause a public video for so long. The end of a signature is a whole hour, so that many viewers share it.
_PAUSE = timedelta(hours=12)
_STEP = timedelta(hours=1)
# `ivs/v1/<account>/<channel>/<year>/<month>/<day>/<hours>/<minutes>/<recording>`
# https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
_PREFIX_PARTS = 10
_EDITED = re.compile(re.escape(EDITED_PLAYLIST).replace(r"\{\}", r"(\d{1,4})"), re.ASCII)
# Bucket, prefix and the path of the multivariant playlist of a recording.
_Part = tuple[str, str, str]


class PlaylistUnreadableError(ServiceError):
    """S3 has no such playlist, or one that cannot be served."""

    status_code = 502
    code = "playlist_unreadable"
    sentence = "The playlist of this recording cannot be read"


def shared_end(video: Video, at: datetime) -> datetime:
    """Return until when the files of a public video are signed: longer than it plays, with pauses."""
    end = at + min(video.duration, MAX_RECORDING_DURATION) + _PAUSE + _STEP
    return end.replace(minute=0, second=0, microsecond=0)


def playlist_content(video: Video, path: str, end: datetime, *, to_curator: bool = False) -> bytes | None:
    """Return the playlist at a path below the URL of a video, its files signed until `end`; None if there is none.

    A curator finds the playlists of the whole recording of an edited video too.

    Raises:
        AwsError: S3 cannot be read.
        PlaylistUnreadableError: S3 has no such playlist, or one that cannot be served.
    """
    if video.edit is not None and (not to_curator or path == MASTER or _EDITED.fullmatch(path)):
        return _edited_content(video, path, end)
    place = _place(video)
    if place is None:
        return None
    if path == (MASTER if video.edit is None else RECORDING):
        template = _multivariant(*place, video.playlist).template
    # What the metadata names needs no look into the multivariant playlist. No other object can be asked for.
    elif path in video.rendition_playlists or path in _multivariant(*place, video.playlist).playlists:
        template = _media(*place, path)
    else:
        return None
    return template.finished(*_files(*place, end))


def picture_url(video: Video, path: str, end: datetime) -> str | None:
    """Return the URL of a picture that IVS made, signed until `end`, or of the chosen upload; None for another path.

    A trimmed video keeps the pictures of its whole recording: one of them may be chosen.
    """
    if uploaded_name(path) and path == shown_path(video):
        return files_url(settings.RECORDING_BUCKET, path)
    place = video.place_of(path)
    if not video.is_playable or place is None or place[0] not in settings.RECORDING_BUCKETS:
        return None
    if path not in video.picture_paths and path not in video.recorded_pictures:
        return None
    key = f"{place[1]}/{place[2]}"
    return f"{video.url_of(path)}{_query(lambda: one_file(settings.PLAYBACK_BASE_URL, key), end)}"


def stored_playlists(bucket: str, prefix: str, path: str) -> StoredMultivariant:
    """Return the multivariant playlist of a recording, for an edited video.

    Raises:
        AwsError: S3 cannot be read.
        PlaylistUnreadableError: S3 has no such playlist, or one that cannot be served.
    """
    return _read(bucket, prefix, path, stored_multivariant)


def stored_segments(bucket: str, prefix: str, path: str) -> StoredRendition:
    """Return the playlist of a rendition, for an edited video; raise as `stored_playlists`."""
    return _read(bucket, prefix, path, stored_rendition)


def _edited_content(video: Video, path: str, end: datetime) -> bytes | None:
    """Return a playlist of an edited video. Each part has a signature of its own."""
    if not video.is_playable or not video.has_readable_bucket:
        return None
    parts = tuple((*video.place_of_part(number), part["playlist"]) for number, part in enumerate(video.parts))
    if path == MASTER:
        return _edited_multivariant(parts).content
    number = _EDITED.fullmatch(path)
    if number is None or int(number[1]) >= len(_edited_multivariant(parts).paths):
        return None
    cuts = tuple(Cut(part["start_ms"], part["end_ms"], part["at_ms"]) for part in video.parts)
    template = _edited_media(parts, cuts, int(number[1]))
    return template.finished([_files(bucket, prefix, end) for bucket, prefix, _playlist in parts])


def _files(bucket: str, prefix: str, end: datetime) -> tuple[str, str]:
    """Return the URL of the files of a recording, and the query that is their signature."""
    return files_url(bucket, prefix) or "", _query(lambda: _all_files(prefix), end)


def _all_files(prefix: str) -> str:
    """Return the resource of the files of a recording; raise ValueError if it would hold those of others."""
    parts = prefix.split("/")
    if parts[0] == "ivs" and len(parts) < _PREFIX_PARTS:
        raise ValueError("the prefix is cut off")
    return files_below(settings.PLAYBACK_BASE_URL, prefix)


def _place(video: Video) -> tuple[str, str] | None:
    """Return bucket and prefix of its own recording; None if it has none that plays, or its bucket may not be read."""
    if not video.prefix or not video.is_playable or not video.has_readable_bucket:
        return None
    return video.files_bucket, video.prefix


def _query(resource: Callable[[], str], end: datetime) -> str:
    """Return the signature for a resource; empty with direct delivery."""
    signer = configured_signer()
    if signer is None:
        return ""
    try:
        return f"?{_signed(signer, resource(), end)}"
    except ValueError:
        # A signature for this prefix would open other files too.
        raise PlaylistUnreadableError from None


@lru_cache(maxsize=1024)
def _signed(signer: UrlSigner, resource: str, end: datetime) -> str:
    return signer.query(resource, end)


def _size(template: Any) -> int:
    match template:
        case MultivariantTemplate():
            return len(template.template.content)
        case EditedTemplate():
            return sum(len(part.content) for part in template.parts)
        case _:
            return len(template.content)


def _kept() -> Any:
    """Return a decorator that keeps what a function returns; callers who ask for the same at once wait for one read."""
    return cached(TTLCache(_KEPT_BYTES, KEPT_SECONDS, getsizeof=_size), condition=Condition())


@_kept()
def _multivariant(bucket: str, prefix: str, path: str) -> MultivariantTemplate:
    return _read(bucket, prefix, path, multivariant_template)


@_kept()
def _media(bucket: str, prefix: str, path: str) -> PlaylistTemplate:
    return _read(bucket, prefix, path, media_template)


@_kept()
def _edited_multivariant(parts: tuple[_Part, ...]) -> EditedMultivariant:
    with _edit_errors():
        return edited_multivariant([stored_playlists(*part) for part in parts])


@_kept()
def _edited_media(parts: tuple[_Part, ...], cuts: tuple[Cut, ...], number: int) -> EditedTemplate:
    paths = _edited_multivariant(parts).paths[number]
    renditions = [stored_segments(*part[:2], path) for part, path in zip(parts, paths, strict=True)]
    with _edit_errors():
        return edited_template(Timeline(cuts), renditions)


@contextmanager
def _edit_errors() -> Iterator[None]:
    try:
        yield
    except EditError as error:
        raise PlaylistUnreadableError(f"The playlists of this video cannot be joined: {error}") from None


def _read(bucket: str, prefix: str, path: str, parse: Any) -> Any:
    key, content = f"{prefix}/{path}", None
    # No playlist, or one that is too long.
    with aws.ignored(aws.AwsErrorKind.INVALID):
        content = aws.object_read(bucket=bucket, key=key, longest=LONGEST_PLAYLIST, seconds=_READ_SECONDS)
    if content is None:
        raise PlaylistUnreadableError
    try:
        return parse(content, path.rpartition("/")[0])
    except PlaylistError as error:
        raise PlaylistUnreadableError(f"The playlist of this recording cannot be served: {error}") from None
