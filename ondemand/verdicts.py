"""Whether a recording plays: what was seen of its files, and the decision; pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from channels_app.aws import AwsError, Kind
from channels_app.events import jsonb_safe
from ondemand.metadata import MetadataError
from ondemand.models import Video

Qa = Video.Qa
Finding = tuple[Qa, str]

_MOST_REASONS = 20
_LONGEST_NAME = 100
_SEVERITY = [Qa.OK, Qa.WARNING, Qa.FAILED]


@dataclass(frozen=True)
class Verdict:
    """What is known of the files, and why: at most 22 short sentences.

    `problem` says why a later look may find more; `unanswered`: S3 did not answer at all.
    """

    qa: str = Qa.UNVERIFIED
    reasons: tuple[str, ...] = ()
    problem: str = ""
    unanswered: bool = False

    @property
    def columns(self) -> dict[str, Any]:
        """What is stored of it."""
        return {"qa": self.qa, "qa_reasons": list(self.reasons) or None}


@dataclass(frozen=True)
class Told:
    """What the metadata says: the paths of the renditions' playlists, and the length. None: it says nothing."""

    playlists: tuple[str, ...] | None
    duration_ms: int | None


@dataclass(frozen=True)
class SeenRendition:
    """A rendition that the multivariant playlist names, by the path of its own playlist.

    `problem`: why it does not play. `lost`: of the files that were looked for, those that are missing or empty.
    `jumps`: how often a segment does not continue the one before.
    """

    path: str
    problem: str = ""
    lost: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    segments: int = 0
    duration_ms: float = 0
    gaps: int = 0
    jumps: int = 0
    is_ended: bool = True


@dataclass(frozen=True)
class Seen:
    """What was seen of a recording. `problem`: why there is no multivariant playlist. `unread`: renditions left out."""

    problem: str = ""
    renditions: tuple[SeenRendition, ...] = ()
    outside: tuple[str, ...] = ()
    unread: int = 0


def verdict_of(seen: Seen, told: Told) -> Verdict:
    """`failed` would not play, `warning` plays and is odd, `ok` has nothing amiss; reasons, the gravest first."""
    if seen.problem:
        return Verdict(Qa.FAILED, (f"The multivariant playlist {seen.problem}.",))
    findings = [*_of_the_whole(seen, told)]
    for rendition in seen.renditions:
        findings += _of_a_rendition(rendition, told)
    findings.sort(key=lambda finding: -_SEVERITY.index(finding[0]))
    qa = findings[0][0] if findings else Qa.OK
    return Verdict(qa, _bounded([text for _, text in findings]))


def verdict_of_error(error: AwsError, name: str = "A file") -> Verdict:
    """Not verified; where an object is merely too long, a later look finds the same."""
    name = "The list of its pictures" if error.operation == "ListObjectsV2" else name
    reasons = {
        Kind.DENIED: f"{name} is not there, or may not be read.",
        Kind.INVALID: f"{name} is too long to be read.",
    }
    reason = reasons.get(error.kind, f"S3 could not be read ({error.kind}).")
    problem = "" if error.kind is Kind.INVALID else str(error)
    return Verdict(reasons=(reason,), problem=problem, unanswered=error.kind not in reasons)


def verdict_of_metadata_error(error: MetadataError, name: str) -> Verdict:
    """Not verified: the metadata is there and means nothing, and a later look finds the same."""
    return Verdict(reasons=(f"{name} cannot be understood: {shown_name(str(error))}.",))


def verdict_without_metadata(verdict: Verdict) -> Verdict:
    """The verdict of a recording of which no metadata is there: at best a warning."""
    qa = Qa.WARNING if verdict.qa == Qa.OK else verdict.qa
    return replace(verdict, qa=qa, reasons=(*verdict.reasons, "There is no metadata of its end."))


def verdict_of_video(video: Video) -> Verdict:
    """What is known of it."""
    return Verdict(video.qa or Qa.UNVERIFIED, tuple(video.qa_reasons or ()))


def better_verdict(known: Verdict, new: Verdict | None) -> Verdict:
    """The new one, but for a look that could verify nothing: it says nothing against what is known."""
    return known if new is None or (new.qa == Qa.UNVERIFIED and known.qa != Qa.UNVERIFIED) else new


def shown_name(text: str) -> str:
    """A name out of a file, as a reason may quote it."""
    plain = "".join(character if character.isprintable() else "\ufffd" for character in jsonb_safe(text))
    return plain if len(plain) <= _LONGEST_NAME else f"{plain[:_LONGEST_NAME]}…"


def _of_the_whole(seen: Seen, told: Told) -> Iterator[Finding]:
    if not seen.renditions:
        yield Qa.FAILED, "The multivariant playlist names no rendition of this recording."
    for uri in seen.outside:
        yield Qa.WARNING, f"The multivariant playlist names {shown_name(uri)}, which is outside of the recording."
    if seen.unread:
        yield Qa.WARNING, f"{seen.unread} more renditions were not looked at."
    elif told.playlists is not None:
        yield from _of_the_names({rendition.path for rendition in seen.renditions}, set(told.playlists))
    lengths = [rendition.duration_ms for rendition in seen.renditions if not rendition.problem]
    if lengths and not _is_near(min(lengths), max(lengths)):
        yield Qa.WARNING, f"The renditions differ in length: {_seconds(min(lengths))} to {_seconds(max(lengths))}."


def _of_the_names(seen: set[str], told: set[str]) -> Iterator[Finding]:
    for path in sorted(told - seen):
        yield Qa.WARNING, f"{shown_name(path)} is named by the metadata and not by the multivariant playlist."
    for path in sorted(seen - told):
        yield Qa.WARNING, f"{shown_name(path)} is named by the multivariant playlist and not by the metadata."


def _of_a_rendition(rendition: SeenRendition, told: Told) -> Iterator[Finding]:
    name = shown_name(rendition.path)
    for uri in rendition.outside:
        yield Qa.WARNING, f"{name} names {shown_name(uri)}, which is outside of the recording."
    if rendition.problem:
        yield Qa.FAILED, f"{name} {rendition.problem}."
        return
    for path in rendition.lost:
        yield Qa.FAILED, f"{shown_name(path)} is missing or empty."
    if rendition.gaps:
        yield Qa.WARNING, f"{name} has gaps: {rendition.gaps} of {rendition.segments} segments."
    if not rendition.is_ended:
        yield Qa.WARNING, f"{name} has no end (EXT-X-ENDLIST): players take it for live."
    if rendition.jumps:
        # As where the streams of one recording follow each other.
        yield Qa.OK, f"{name} has discontinuities: {rendition.jumps}."
    if told.duration_ms is not None and not _is_near(rendition.duration_ms, told.duration_ms):
        seen, wanted = _seconds(rendition.duration_ms), _seconds(told.duration_ms)
        yield Qa.WARNING, f"{name} is {seen} long, and the recording is told to be {wanted}."


def _is_near(one: float, other: float) -> bool:
    """Within 2 s or 1 % of the longer, whichever is more: players and people do not notice."""
    return abs(one - other) <= max(2000, max(one, other) / 100)


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.1f} s"


def _bounded(reasons: Sequence[str]) -> tuple[str, ...]:
    left = len(reasons) - _MOST_REASONS
    return (*reasons[:_MOST_REASONS], *([f"And {left} more."] if left > 0 else []))


def told_of(facts: dict[str, Any] | None, duration_ms: int | None) -> Told:
    """What the stored facts say; without any, the length alone, where it is known."""
    if facts is None:
        return Told(None, duration_ms or None)
    renditions: Iterable[dict[str, Any]] = facts.get("renditions", [])
    paths = tuple(f"{item.get('path', '')}/{item.get('playlist', '')}" for item in renditions)
    return Told(paths, facts.get("duration_ms", duration_ms))
