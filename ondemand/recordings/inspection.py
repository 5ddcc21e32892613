"""Inspection of the files of a recording, bounded in calls, bytes and time; `ondemand/recordings/quality.py` judges it.

At most 61 calls: the multivariant playlist, and of each rendition its playlist and up to four files.
Recordings that are in the catalogue already are checked again: adopted ones, and those for which S3 gave no answer.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from time import monotonic
from typing import Any, TypeVar

from django.conf import settings

from common import aws
from common.audit import audited
from common.aws import AwsError, AwsErrorKind
from common.rest.ordering import rows_after
from ondemand.models import DEFAULT_PLAYLIST, Video
from ondemand.models.querysets import VideoQuerySet
from ondemand.recordings.metadata import (
    ENDED,
    MetadataError,
    PicturesUnlistedError,
    facts_columns,
    facts_complete,
    facts_fetch,
)
from ondemand.recordings.playlists import (
    LONGEST_PLAYLIST,
    PlaylistError,
    is_inside,
    parse_media,
    parse_multivariant,
    path_inside,
)
from ondemand.recordings.quality import (
    InspectedRendition,
    Inspection,
    Verdict,
    better_verdict,
    expected_facts,
    shown_name,
    verdict_of,
    verdict_of_error,
    verdict_of_video,
)

logger = logging.getLogger(__name__)
T = TypeVar("T")

MOST_RENDITIONS = 12
# An inspection must leave a Lambda time for the rest of its batch.
SECONDS = 20
_MOST_NAMES = 20
_BATCH = 100
_CHECKED_COLUMNS = ("status", "bucket", "prefix", "facts", "qa", "qa_reasons")


@dataclass(frozen=True)
class FactsFound:
    """The facts of a recording; None if there is no such object.

    If they could not be read whole, `verdict` is that of the files so far, and `problem` the reason, for log and event.
    """

    facts: dict[str, Any] | None = None
    verdict: Verdict | None = None
    problem: str = ""


def facts_look(*, bucket: str, prefix: str, name: str) -> FactsFound:
    """Return the facts of `facts_fetch`, or a verdict in place of its errors."""
    try:
        return FactsFound(facts_fetch(bucket=bucket, prefix=prefix, name=name))
    except PicturesUnlistedError as error:
        verdict = verdict_of_error(error.cause)
        return FactsFound(error.facts, verdict, f"{verdict.reasons[0]} {error}")
    except AwsError as error:
        verdict = verdict_of_error(error, name)
        return FactsFound(None, verdict, f"{verdict.reasons[0]} {error}")
    except MetadataError as error:
        # A later inspection finds the same.
        verdict = Verdict(reasons=(f"{name} cannot be understood: {shown_name(str(error))}.",))
        return FactsFound(None, verdict, str(error))


def recording_check(*, bucket: str, prefix: str, facts: dict[str, Any] | None, duration_ms: int | None) -> Verdict:
    """Return the verdict by the playlists, and by the first and the last segment of each rendition.

    Never raises: a failure of S3 is in the verdict. `facts` as of `facts_fetch`; without any, the recording is expected
    in today's layout, and its length is compared with `duration_ms`.
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

    def playlist(self, path: str, parse: Callable[[bytes], T]) -> T:
        """Return a parsed playlist.

        Raises:
            PlaylistError: it is missing or malformed.
        """
        seconds, key = self._seconds_left(), f"{self.prefix}/{path}"
        content = aws.object_read(bucket=self.bucket, key=key, longest=LONGEST_PLAYLIST, seconds=seconds)
        if content is None:
            raise PlaylistError("is missing")
        try:
            return parse(content)
        except PlaylistError as error:
            raise PlaylistError(f"cannot be read: {error}") from None

    def has(self, path: str) -> bool:
        """Return whether a file is there, and not empty."""
        self._seconds_left()
        return bool(aws.object_size(bucket=self.bucket, key=f"{self.prefix}/{path}"))

    def _seconds_left(self) -> float:
        left = self.until - monotonic()
        if left <= 0:
            raise AwsError("check", f"{self.bucket}/{self.prefix}", AwsErrorKind.TIMEOUT, f"not done in {SECONDS} s")
        return left


def _inspect(files: _Files, playlist: str) -> Inspection:
    if not is_inside(playlist):
        return Inspection(problem="is outside of the recording")
    try:
        paths, outside = _paths(playlist, files.playlist(playlist, parse_multivariant))
    except PlaylistError as error:
        return Inspection(problem=str(error))
    renditions = tuple(_inspect_rendition(files, path) for path in paths[:MOST_RENDITIONS])
    return Inspection(renditions=renditions, outside=outside, unread=len(paths) - len(renditions))


def _inspect_rendition(files: _Files, path: str) -> InspectedRendition:
    try:
        playlist = files.playlist(path, parse_media)
    except PlaylistError as error:
        return InspectedRendition(path, str(error))
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


@dataclass(frozen=True)
class Recheck:
    """A video after its check; `unanswered`: S3 gave no answer."""

    video: Video
    unanswered: bool


def videos_recheck(videos: VideoQuerySet, limit: int | None = None) -> Iterator[Recheck]:
    """Check these videos, the oldest first, and store the results; at most `limit`."""

    def rows() -> Iterator[Video]:
        # By key, and not by a cursor of the server: a check may take a minute, and a transaction must not.
        ordered = videos.oldest_first().defer("created_at", "data").select_related("recording")
        batch = list(ordered[:_BATCH])
        while batch:
            yield from batch
            batch = list(rows_after(ordered, batch[-1])[:_BATCH])

    yield from map(video_recheck, islice(rows(), limit))


def video_recheck(video: Video) -> Recheck:
    """Read the metadata of its end if they are missing, check its files, and store the result."""
    place = {"bucket": video.files_bucket, "prefix": video.prefix or ""}
    facts, verdict, is_read = None, None, facts_complete(video.facts, source=ENDED)
    if not is_read:
        found = facts_look(**place, name=ENDED)
        facts, verdict = found.facts, found.verdict
    if verdict is None and not is_read and facts is None and hasattr(video, "recording"):
        # Its Recording End waits for the metadata, too.
        verdict = Verdict(reasons=(f"{ENDED} is not there yet.",))
    if verdict is None:
        checked_facts = video.facts if is_read else facts
        verdict = recording_check(**place, facts=checked_facts, duration_ms=video.duration_ms)
        if checked_facts is None:
            qa = Video.Qa.WARNING if verdict.qa == Video.Qa.OK else verdict.qa
            verdict = replace(verdict, qa=qa, reasons=(*verdict.reasons, "There is no metadata of its end."))
    return Recheck(video_check_store(video=video, facts=facts, verdict=verdict), verdict.unanswered)


@audited()
def video_check_store(*, video: Video, facts: dict[str, Any] | None, verdict: Verdict) -> Video:
    """Store the result of a check of `video`, as it was read for the check; return the row as it is now.

    A row that an event has written meanwhile is newer, and stays. `facts` (None: none were read) complete a row, and
    change no column of the predecessor.
    """
    rows = Video.objects.of_recording(video.pk, video.bucket, video.prefix).defer("created_at", "data").locked()
    row = next((row for row in rows if row.pk == video.pk), None)
    if row is None or any(getattr(row, name) != getattr(video, name) for name in _CHECKED_COLUMNS):
        return row or video
    columns = {**facts_columns(facts), **better_verdict(verdict_of_video(row), verdict).columns}
    for name, value in columns.items():
        setattr(row, name, value)
    checked_release(row)
    row.save(update_fields=[*columns, "held", "held_by_check"])
    return row


def checked_release(video: Video) -> None:
    """Release a video that only the check held back and is good now, with the other rows of its recording.

    The caller has locked all rows of the recording, and saves this one.
    """
    if video.held_by_check and video.qa == Video.Qa.OK:
        video.held = video.held_by_check = False
        # The predecessor's rows took over `held` from the first one.
        others = Video.objects.filter(bucket=video.bucket, prefix=video.prefix, held=True).exclude(pk=video.pk)
        others.update(held=False, held_by_check=False)
