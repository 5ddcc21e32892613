"""Edited videos: trims, joins and clips are lists of parts of recordings, whose playlists are made from stored ones.

Nothing in S3 changes. A part keeps whole segments: every one that it overlaps by a millisecond. Pure.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ondemand.playback.playlists import PlaylistTemplate
from ondemand.playback.segments import NO_INIT, SegmentKey, StoredRendition, StoredSegment

_NO_KEY = "#EXT-X-KEY:METHOD=NONE"


class EditError(ValueError):
    """The parts make no video; the message says why."""


@dataclass(frozen=True, slots=True)
class Part:
    """A window of a recording; None is its begin or its end. The rendition `reference` decides where it is cut."""

    reference: StoredRendition
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """A part as it plays: from `start_ms` to before `end_ms` of its recording, at `at_ms` of the edited video."""

    start_ms: int
    end_ms: int
    at_ms: int

    @property
    def duration_ms(self) -> int:
        return self.end_ms - self.start_ms


class PartTime(NamedTuple):
    """A time of the recording of one part."""

    part: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """The parts of an edited video in their order; times are exact to a millisecond a part."""

    cuts: tuple[Cut, ...]

    @property
    def duration_ms(self) -> int:
        return self.cuts[-1].at_ms + self.cuts[-1].duration_ms

    def part_time(self, at_ms: int) -> PartTime:
        """Return what plays at a time of the edited video; the end of its last part for later times."""
        part = max(bisect_right(self.cuts, at_ms, key=lambda cut: cut.at_ms) - 1, 0)
        cut = self.cuts[part]
        return PartTime(part, min(cut.start_ms + max(at_ms - cut.at_ms, 0), cut.end_ms))


@dataclass(frozen=True, slots=True)
class EditedTemplate:
    """The playlist of a rendition of an edited video, one template for each part."""

    parts: tuple[PlaylistTemplate, ...]

    def finished(self, files: Sequence[tuple[str, str]]) -> bytes:
        """Return the playlist; `files` are `files_url` and `query` of `PlaylistTemplate` for each part."""
        return b"".join(part.finished(*where) for part, where in zip(self.parts, files, strict=True))


def timeline(parts: Sequence[Part]) -> Timeline:
    """Return where the parts begin and end: the start at a bound or before, the end at a bound or after.

    Raises:
        EditError: there is no part, or one holds nothing of its recording.
    """
    if not parts:
        raise EditError("there is no part")
    cuts: list[Cut] = []
    for number, part in enumerate(parts):
        bounds = part.reference.bounds_ms
        first = 0 if part.start_ms is None else max(bisect_right(bounds, part.start_ms) - 1, 0)
        last = len(bounds) - 1 if part.end_ms is None else min(bisect_left(bounds, part.end_ms), len(bounds) - 1)
        is_reversed = part.start_ms is not None and part.end_ms is not None and part.start_ms >= part.end_ms
        if is_reversed or bounds[first] >= bounds[last]:
            raise EditError(f"part {number + 1} holds nothing of its recording")
        cuts.append(Cut(bounds[first], bounds[last], cuts[-1].at_ms + cuts[-1].duration_ms if cuts else 0))
    return Timeline(tuple(cuts))


def edited_template(cut_at: Timeline, renditions: Sequence[StoredRendition]) -> EditedTemplate:
    """Return the playlist of one rendition of the edited video; `renditions` are its own in the recording of each part.

    A rendition with other bounds than the reference is cut at its nearest ones, and keeps a segment of each part.

    Raises:
        EditError: the renditions cannot be played one after the other.
    """
    runs = [_run(rendition, cut) for rendition, cut in zip(renditions, cut_at.cuts, strict=True)]
    if len({bool(segment.init.line) for run in runs for segment in run}) > 1:
        # EXT-X-MAP cannot be revoked.
        raise EditError("a rendition is fragmented MP4 in one part and MPEG-TS in another")
    if len({rendition.is_frames_only for rendition in renditions}) > 1:
        raise EditError("a rendition has only I-frames in one part and all frames in another")
    texts, keys = [_head(renditions, runs)], tuple[SegmentKey, ...]()
    for number, run in enumerate(runs):
        texts.append("".join(f"{line}\n" for line in _part_lines(run, keys, is_first=number == 0)))
        # Lines that are equal in two templates may name files of two recordings.
        keys = tuple(key._replace(line="") for key in run[-1].keys)
    texts[:2] = ["".join(texts[:2])]
    texts[-1] += "#EXT-X-ENDLIST\n"
    return EditedTemplate(tuple(PlaylistTemplate(text.encode()) for text in texts))


def _run(rendition: StoredRendition, cut: Cut) -> tuple[StoredSegment, ...]:
    if not rendition.segments:
        raise EditError("a rendition has no segments")
    first = min(_nearest(rendition.bounds_ms, cut.start_ms), len(rendition.segments) - 1)
    return rendition.segments[first : max(_nearest(rendition.bounds_ms, cut.end_ms), first + 1)]


def _nearest(bounds: Sequence[int], at_ms: int) -> int:
    after = min(bisect_left(bounds, at_ms), len(bounds) - 1)
    return min(max(after - 1, 0), after, key=lambda index: abs(bounds[index] - at_ms))


def _head(renditions: Sequence[StoredRendition], runs: Sequence[Sequence[StoredSegment]]) -> str:
    segments = [segment for run in runs for segment in run]
    frames_only = renditions[0].is_frames_only
    # Versions by feature: https://datatracker.ietf.org/doc/html/rfc8216#section-7
    needed = [3, *(rendition.version for rendition in renditions)]
    needed += [4] * (frames_only or any(segment.byte_range for segment in segments))
    needed += [5 if frames_only else 6] * bool(segments[0].init.line)
    # Each duration, rounded to the nearest second, is at most this.
    target = max((segment.microseconds + 500_000) // 1_000_000 for segment in segments)
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{max(needed)}",
        f"#EXT-X-TARGETDURATION:{max(target, 1)}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        *["#EXT-X-INDEPENDENT-SEGMENTS"] * all(rendition.is_independent for rendition in renditions),
        *["#EXT-X-I-FRAMES-ONLY"] * frames_only,
    ]
    return "".join(f"{line}\n" for line in lines)


def _part_lines(run: Sequence[StoredSegment], keys: tuple[SegmentKey, ...], *, is_first: bool) -> Iterator[str]:
    """Yield the lines of a part after segments with these keys. It repeats its keys and its initialization section."""
    init = NO_INIT
    for index, segment in enumerate(run):
        if segment.begins_anew if index else not is_first:
            yield "#EXT-X-DISCONTINUITY"
        if segment.init != init:
            yield from _key_lines(keys, segment.init.keys)
            yield segment.init.line
            init, keys = segment.init, segment.init.keys
        yield from _key_lines(keys, segment.keys)
        keys = segment.keys
        date = segment.date_text
        if not date and not index and segment.date:
            date = segment.date.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if date:
            yield f"#EXT-X-PROGRAM-DATE-TIME:{date}"
        if segment.is_gap:
            yield "#EXT-X-GAP"
        yield f"#EXTINF:{segment.info}"
        if segment.byte_range:
            yield f"#EXT-X-BYTERANGE:{segment.byte_range}"
        yield segment.uri


def _key_lines(before: tuple[SegmentKey, ...], after: tuple[SegmentKey, ...]) -> Iterator[str]:
    """Yield the lines between segments with these keys."""
    if {key.format for key in before} - {key.format for key in after}:
        yield _NO_KEY
        before = ()
    yield from (key.line for key in after if key not in before)


class Shown(NamedTuple):
    """A window of a recording that a video shows; `recording` names it, by bucket and prefix."""

    recording: tuple[str, str]
    cut: Cut


def windows(shown: Sequence[Shown], start_ms: int | None, end_ms: int | None) -> list[Shown]:
    """Return what a window of a video shows; None is its begin or its end."""
    start, end = start_ms or 0, float("inf") if end_ms is None else end_ms
    inside: list[Shown] = []
    for recording, cut in shown:
        first = max(start - cut.at_ms, 0)
        last = min(end - cut.at_ms, cut.duration_ms)
        if first < last:
            at_ms = inside[-1].cut.at_ms + inside[-1].cut.duration_ms if inside else 0
            inside.append(Shown(recording, Cut(cut.start_ms + first, cut.start_ms + int(last), at_ms)))
    return inside
