"""The check of recordings that are in the catalogue already: adopted ones, and those for which S3 gave no answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from channels_app.audit import audited
from ivsvod.rest.ordering import rows_after
from ondemand.models import Video
from ondemand.models.querysets import VideoQuerySet
from ondemand.recordings.inspection import facts_look, recording_check
from ondemand.recordings.metadata import ENDED, facts_columns, facts_complete
from ondemand.recordings.quality import Verdict, better_verdict, verdict_of_video, verdict_without_metadata

_BATCH = 100
_LOOKED_AT = ("status", "bucket", "prefix", "facts", "qa", "qa_reasons")


@dataclass(frozen=True)
class Recheck:
    """A video after its check; `unanswered`: S3 gave no answer."""

    video: Video
    unanswered: bool


def videos_recheck(videos: VideoQuerySet, limit: int | None = None) -> Iterator[Recheck]:
    """Check these videos, the oldest first, and store what was found; at most `limit`."""
    for video in islice(_oldest_first(videos), limit):
        yield video_recheck(video)


def _oldest_first(videos: VideoQuerySet) -> Iterator[Video]:
    # By key, and not by a cursor of the server: a check may take a minute, and a transaction must not.
    rows = videos.oldest_first().defer("created_at", "data").select_related("recording")
    batch = list(rows[:_BATCH])
    while batch:
        yield from batch
        batch = list(rows_after(rows, batch[-1])[:_BATCH])


def video_recheck(video: Video) -> Recheck:
    """Read the metadata of an end where none is known, look at the files, and store what was found."""
    facts, verdict = _looked_at(video)
    return Recheck(video_check_store(video=video, facts=facts, verdict=verdict), verdict.unanswered)


def _looked_at(video: Video) -> tuple[dict[str, Any] | None, Verdict]:
    if facts_complete(video.facts, source=ENDED):
        return None, _checked(video, video.facts)
    found = facts_look(bucket=video.files_bucket, prefix=video.prefix or "", name=ENDED)
    if found.verdict is not None:
        return found.facts, found.verdict
    if found.facts is not None:
        return found.facts, _checked(video, found.facts)
    if hasattr(video, "recording"):
        # Its Recording End waits for the metadata, too.
        return None, Verdict(reasons=(f"{ENDED} is not there yet.",))
    return None, verdict_without_metadata(_checked(video, None))


def _checked(video: Video, facts: dict[str, Any] | None) -> Verdict:
    return recording_check(
        bucket=video.files_bucket, prefix=video.prefix or "", facts=facts, duration_ms=video.duration_ms
    )


@audited()
def video_check_store(*, video: Video, facts: dict[str, Any] | None, verdict: Verdict) -> Video:
    """Store what a look at the files of `video`, as it was read then, has found; returns the row as it is now.

    What an event has written meanwhile is newer, and stays. `facts` (None: none were read) complete a row, and change
    no column of the predecessor.
    """
    rows = Video.objects.of_recording(video.pk, video.bucket, video.prefix).defer("created_at", "data").locked()
    row = next((row for row in rows if row.pk == video.pk), None)
    if row is None or any(getattr(row, name) != getattr(video, name) for name in _LOOKED_AT):
        return row or video
    columns = {**facts_columns(facts), **better_verdict(verdict_of_video(row), verdict).columns}
    for name, value in columns.items():
        setattr(row, name, value)
    checked_release(row)
    row.save(update_fields=[*columns, "held", "held_by_check"])
    return row


def checked_release(video: Video) -> None:
    """Let go what only the check held back and is good now, with the other rows of its recording.

    The caller has locked all rows of the recording, and saves this one.
    """
    if video.held_by_check and video.qa == Video.Qa.OK:
        video.held = video.held_by_check = False
        # The predecessor's rows took over that the first one is held.
        others = Video.objects.filter(bucket=video.bucket, prefix=video.prefix, held=True).exclude(pk=video.pk)
        others.update(held=False, held_by_check=False)
