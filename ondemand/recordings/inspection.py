"""Inspection of the files of a recording, bounded in calls, bytes and time; `ondemand/recordings/quality.py` judges it.

At most 61 calls: the multivariant playlist, and of each rendition its playlist and up to four files.
"""

import logging
from dataclasses import dataclass
from time import monotonic
from typing import Any

from django.conf import settings

from channels_app import aws
from channels_app.aws import AwsError, Kind
from ondemand.models import DEFAULT_PLAYLIST
from ondemand.recordings.metadata import MetadataError, PicturesUnlistedError, facts_fetch
from ondemand.recordings.paths import is_inside
from ondemand.recordings.playlists import LONGEST_PLAYLIST, PlaylistError, parse_media, parse_multivariant, path_inside
from ondemand.recordings.quality import (
    InspectedRendition,
    Inspection,
    Verdict,
    expected_facts,
    verdict_of,
    verdict_of_error,
    verdict_of_metadata_error,
)

logger = logging.getLogger(__name__)

MOST_RENDITIONS = 12
# An inspection must leave a Lambda time for the rest of its batch.
SECONDS = 20
_MOST_NAMES = 20


@dataclass(frozen=True)
class FactsFound:
    """The facts of a recording; None if there is no such object.

    If they could not be read whole, `verdict` says what is known of the files, and `problem` why, for log and event.
    """

    facts: dict[str, Any] | None = None
    verdict: Verdict | None = None
    problem: str = ""


def facts_look(*, bucket: str, prefix: str, name: str) -> FactsFound:
    """Return the result of `facts_fetch`, with its errors as a verdict."""
    try:
        return FactsFound(facts_fetch(bucket=bucket, prefix=prefix, name=name))
    except PicturesUnlistedError as error:
        verdict = verdict_of_error(error.cause)
        return FactsFound(error.facts, verdict, f"{verdict.reasons[0]} {error}")
    except AwsError as error:
        verdict = verdict_of_error(error, name)
        return FactsFound(None, verdict, f"{verdict.reasons[0]} {error}")
    except MetadataError as error:
        return FactsFound(None, verdict_of_metadata_error(error, name), str(error))


def recording_check(*, bucket: str, prefix: str, facts: dict[str, Any] | None, duration_ms: int | None) -> Verdict:
    """Inspect the playlists, and the first and the last segment of each rendition.

    Never raises: an S3 that cannot be asked is in the verdict. `facts` as of `facts_fetch`; without any, the recording
    is expected in today's layout, and its length is compared with `duration_ms`.
    """
    if bucket not in settings.RECORDING_BUCKETS or not prefix:
        return Verdict(reasons=("It is in no bucket that may be read (RECORDING_BUCKETS).",))
    playlist = (facts or {}).get("playlist") or DEFAULT_PLAYLIST
    try:
        verdict = verdict_of(_inspect(_Files(bucket, prefix), playlist), expected_facts(facts, duration_ms))
    except AwsError as error:
        verdict = verdict_of_error(error)
    logger.info("recording checked prefix=%s qa=%s reasons=%d", prefix, verdict.qa, len(verdict.reasons))
    return verdict


class _Files:
    """The files of one recording; all reads share one time limit."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self.bucket = bucket
        self.prefix = prefix
        self.until = monotonic() + SECONDS

    def content(self, path: str) -> bytes | None:
        """Return a playlist; None if it is missing."""
        left = self._seconds_left()
        key = f"{self.prefix}/{path}"
        return aws.object_read(bucket=self.bucket, key=key, longest=LONGEST_PLAYLIST, seconds=left)

    def has(self, path: str) -> bool:
        """Return whether a file is there, and not empty."""
        self._seconds_left()
        return bool(aws.object_size(bucket=self.bucket, key=f"{self.prefix}/{path}"))

    def _seconds_left(self) -> float:
        left = self.until - monotonic()
        if left <= 0:
            raise AwsError("check", f"{self.bucket}/{self.prefix}", Kind.TIMEOUT, f"not done in {SECONDS} s")
        return left


def _inspect(files: _Files, playlist: str) -> Inspection:
    if not is_inside(playlist):
        return Inspection(problem="is outside of the recording")
    content = files.content(playlist)
    if content is None:
        return Inspection(problem="is missing")
    try:
        uris = parse_multivariant(content)
    except PlaylistError as error:
        return Inspection(problem=f"cannot be read: {error}")
    paths, outside = _paths(playlist, uris)
    renditions = tuple(_inspect_rendition(files, path) for path in paths[:MOST_RENDITIONS])
    return Inspection(renditions=renditions, outside=outside, unread=len(paths) - len(renditions))


def _inspect_rendition(files: _Files, path: str) -> InspectedRendition:
    content = files.content(path)
    if content is None:
        return InspectedRendition(path, "is missing")
    try:
        playlist = parse_media(content)
    except PlaylistError as error:
        return InspectedRendition(path, f"cannot be read: {error}")
    playing = [segment for segment in playlist.segments if not segment.is_gap]
    _, outside = _paths(path, [uri for segment in playing for uri in (segment.init, segment.uri) if uri])
    inside, _ = _paths(path, [segment.uri for segment in playing])
    if not inside:
        return InspectedRendition(path, "has no segment of this recording that could be played", outside=outside)
    ends = [uri for segment in (playing[0], playing[-1]) for uri in (segment.init, segment.uri) if uri]
    needed, _ = _paths(path, ends)
    return InspectedRendition(
        path,
        lost=tuple(file for file in needed if not files.has(file)),
        outside=outside,
        segments=len(playlist.segments),
        duration_ms=sum(segment.seconds for segment in playlist.segments) * 1000,
        gaps=len(playlist.segments) - len(playing),
        jumps=sum(segment.begins_anew for segment in playlist.segments[1:]),
        is_ended=playlist.is_ended,
    )


def _paths(playlist: str, uris: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the paths that a playlist names, each once, and the first of the URIs that lead out of the recording."""
    folder = playlist.rpartition("/")[0]
    paths = {uri: path_inside(folder, uri) for uri in uris}
    outside = [uri for uri, path in paths.items() if path is None]
    return list(dict.fromkeys(path for path in paths.values() if path)), tuple(outside[:_MOST_NAMES])
