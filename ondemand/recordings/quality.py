"""The quality verdict of a recording by an inspection of its files; pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from channels_app.envelopes import jsonb_safe
from common.aws import AwsError, AwsErrorKind
from ondemand.models import Video

Qa = Video.Qa
QualityFinding = tuple[Qa, str]

_MOST_REASONS = 20
_LONGEST_NAME = 100
_SEVERITY = [Qa.OK, Qa.WARNING, Qa.FAILED]


@dataclass(frozen=True)
class Verdict:
    """The quality of a recording, and its reasons: at most 22 short sentences.

    `problem`: why a later inspection may find more. `unanswered`: S3 did not answer at all.
    """

    qa: str = Qa.UNVERIFIED
    reasons: tuple[str, ...] = ()
    problem: str = ""
    unanswered: bool = False

    @property
    def columns(self) -> dict[str, Any]:
        """Return the columns of a video that hold it."""
        return {"qa": self.qa, "qa_reasons": list(self.reasons) or None}


@dataclass(frozen=True)
class ExpectedFacts:
    """The paths of the renditions' playlists and the length, by the metadata; None if unknown."""

    playlists: tuple[str, ...] | None
    duration_ms: int | None


@dataclass(frozen=True)
class InspectedRendition:
    """A rendition that the multivariant playlist names, by the path of its own playlist.

    `problem`: why it does not play. `lost`: files that are missing or empty. `jumps`: how often a segment does not
    continue the one before.
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
class Inspection:
    """The files of a recording. `problem`: why there is no multivariant playlist. `unread`: renditions left out."""

    problem: str = ""
    renditions: tuple[InspectedRendition, ...] = ()
    outside: tuple[str, ...] = ()
    unread: int = 0


def verdict_of(found: Inspection, expected: ExpectedFacts) -> Verdict:
    """Return `failed` if it would not play, `warning` if it plays and is odd, else `ok`; the gravest reasons first."""
    if found.problem:
        return Verdict(Qa.FAILED, (f"The multivariant playlist {found.problem}.",))
    findings = [*_findings_of_all(found, expected)]
    for rendition in found.renditions:
        findings += _findings_of_rendition(rendition, expected)
    findings.sort(key=lambda finding: -_SEVERITY.index(finding[0]))
    reasons = [text for _, text in findings[:_MOST_REASONS]]
    if len(findings) > len(reasons):
        reasons.append(f"And {len(findings) - len(reasons)} more.")
    return Verdict(findings[0][0] if findings else Qa.OK, tuple(reasons))


def verdict_of_error(error: AwsError, name: str = "A file") -> Verdict:
    """Return an `unverified` verdict; of an object that is too long, a later inspection finds the same."""
    name = "The list of its pictures" if error.operation == "ListObjectsV2" else name
    reasons = {
        AwsErrorKind.DENIED: f"{name} is not there, or may not be read.",
        AwsErrorKind.INVALID: f"{name} is too long to be read.",
    }
    reason = reasons.get(error.kind, f"S3 could not be read ({error.kind}).")
    problem = "" if error.kind is AwsErrorKind.INVALID else str(error)
    return Verdict(reasons=(reason,), problem=problem, unanswered=error.kind not in reasons)


def verdict_of_video(video: Video) -> Verdict:
    """Return the stored verdict."""
    return Verdict(video.qa or Qa.UNVERIFIED, tuple(video.qa_reasons or ()))


def better_verdict(stored: Verdict, new: Verdict | None) -> Verdict:
    """Return the new verdict, unless it could verify nothing and the stored one did."""
    return stored if new is None or (new.qa == Qa.UNVERIFIED and stored.qa != Qa.UNVERIFIED) else new


def shown_name(text: str) -> str:
    """Return a name from a file, short and printable, as a reason quotes it."""
    plain = "".join(character if character.isprintable() else "\ufffd" for character in jsonb_safe(text))
    return plain if len(plain) <= _LONGEST_NAME else f"{plain[:_LONGEST_NAME]}…"


def _findings_of_all(found: Inspection, expected: ExpectedFacts) -> Iterator[QualityFinding]:
    if not found.renditions:
        yield Qa.FAILED, "The multivariant playlist names no rendition of this recording."
    for uri in found.outside:
        yield Qa.WARNING, f"The multivariant playlist names {shown_name(uri)}, which is outside of the recording."
    if found.unread:
        yield Qa.WARNING, f"{found.unread} more renditions were not looked at."
    elif expected.playlists is not None:
        paths, names = {rendition.path for rendition in found.renditions}, set(expected.playlists)
        for path in sorted(names - paths):
            yield Qa.WARNING, f"{shown_name(path)} is named by the metadata and not by the multivariant playlist."
        for path in sorted(paths - names):
            yield Qa.WARNING, f"{shown_name(path)} is named by the multivariant playlist and not by the metadata."
    lengths = [rendition.duration_ms for rendition in found.renditions if not rendition.problem]
    if lengths and not _is_near(min(lengths), max(lengths)):
        yield Qa.WARNING, f"The renditions differ in length: {_seconds(min(lengths))} to {_seconds(max(lengths))}."


def _findings_of_rendition(rendition: InspectedRendition, expected: ExpectedFacts) -> Iterator[QualityFinding]:
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
        # IVS writes one between the streams of one recording.
        yield Qa.OK, f"{name} has discontinuities: {rendition.jumps}."
    if expected.duration_ms is not None and not _is_near(rendition.duration_ms, expected.duration_ms):
        found_length, expected_length = _seconds(rendition.duration_ms), _seconds(expected.duration_ms)
        yield Qa.WARNING, f"{name} is {found_length} long, and the metadata says {expected_length}."


def _is_near(one: float, other: float) -> bool:
    """Return whether they differ by at most 2 s or 1 % of the longer one, which viewers do not notice."""
    return abs(one - other) <= max(2000, max(one, other) / 100)


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.1f} s"


def expected_facts(facts: dict[str, Any] | None, duration_ms: int | None) -> ExpectedFacts:
    """Return the expectation by the stored facts; without any, the length alone, if any."""
    if facts is None:
        return ExpectedFacts(None, duration_ms or None)
    renditions: Iterable[dict[str, Any]] = facts.get("renditions", [])
    paths = tuple(f"{item.get('path', '')}/{item.get('playlist', '')}" for item in renditions)
    return ExpectedFacts(paths, facts.get("duration_ms", duration_ms))
