"""The recordings of the demo: broadcast by the local encoder, and curated by the services that the admin calls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from channels_app.models import Channel
from ondemand.models import Video, video_uuid
from ondemand.videos.services import content_replace, video_update
from tools.local.broadcast.clips import SEGMENTS
from tools.local.broadcast.recording import Recording, loop_recording
from tools.local.broadcast.storm import parse_faults
from tools.local.broadcast.studio import broadcasts

MAIN, WORKSHOP, BOARD = "Main stage", "Workshop room", "Board room"
LISTED: dict[str, Any] = {"active": True, "visibility": Video.Visibility.PUBLIC}
# What staff decided about the publication of a recording; a time is counted from the start of the demo.
DECISIONS: dict[str, dict[str, Any]] = {
    "listed": LISTED,
    "unlisted": {"active": True, "visibility": Video.Visibility.UNLISTED},
    "scheduled": {**LISTED, "publish_from": timedelta(days=14)},
    "hidden": {"active": False},
    "none": {},
}


@dataclass(frozen=True)
class Sample:
    """A broadcast that ended `days` ago and lasted `minutes`, and what staff made of its recording.

    `clip` is its picture. `decision` is a name of DECISIONS; `chapters` are minutes and titles.
    Without a title nobody has looked at it yet.
    """

    name: str
    channel: str
    days: float
    minutes: float
    clip: str
    title: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    chapters: tuple[tuple[float, str], ...] = ()
    decision: str = "listed"
    faults: str = ""


# The oldest first. A broadcast takes the latest free time of its channel before its end.
SAMPLES = (
    Sample(
        *("opening", MAIN, 29.2, 58, "bars", "Opening show"),
        "The opening of the season, from the first test picture to the last encore.\n\n"
        "0:00 Doors\n4:30 Welcome\n21:00 First set\n49:00 Encore",
        ("demo", "show", "season"),
        ((0, "Doors"), (4.5, "Welcome"), (21, "First set"), (49, "Encore")),
    ),
    Sample(
        *("soldering", WORKSHOP, 28.1, 42, "colony", "Soldering for beginners"),
        "Irons, tips and lead-free solder. Bring safety glasses.",
        ("workshop", "beginners"),
        ((0, "Tools"), (9, "A first joint"), (31, "Mistakes and how to mend them")),
    ),
    Sample(
        *("panel", MAIN, 26.3, 37, "spiral", "Panel: broadcasting on a small budget"),
        "Three teams on what they spent, and on what they would not spend again.",
        ("talk", "panel"),
        ((0, "Introductions"), (6, "Cameras"), (18, "Sound"), (29, "Questions")),
    ),
    Sample(
        *("fractals", MAIN, 24.4, 26, "valley", "Down into the Mandelbrot set"),
        "A zoom into the valley of the seahorses, with the arithmetic on a blackboard.",
        ("talk", "mathematics"),
        ((0, "One formula"), (8, "Into the valley"), (19, "Why it never ends")),
    ),
    Sample(
        *("board-q2", BOARD, 23.2, 51, "tilt", "Board meeting"),
        "Figures of the quarter.",
        ("board",),
        decision="hidden",
    ),
    Sample(
        *("knitting", WORKSHOP, 22.2, 33, "weave", "Knitting with wire"),
        "Copper wire on ordinary needles.",
        ("workshop", "crafts"),
    ),
    Sample(
        *("reconnected", MAIN, 20.3, 12, "rings", "Night session"),
        "The encoder lost its connection in the middle and came back within the reconnect window: two streams, one "
        "recording, which plays across the cut.",
        ("show", "music"),
        ((0, "Before the cut"), (12, "After the cut")),
        faults="reconnect",
    ),
    Sample(*("failed", MAIN, 18.9, 4, "tilt"), decision="none", faults="recording-end-failure"),
    Sample(
        *("cells", WORKSHOP, 17.4, 18, "colony", "The game of life on paper"),
        "Squared paper, two colours and four rules.",
        ("workshop", "mathematics", "beginners"),
        ((0, "The rules"), (7, "Gliders")),
    ),
    Sample(
        *("interview", MAIN, 16.2, 24, "coast", "Interview with the lighting crew"),
        "How a stage gets its colours.",
        ("talk", "backstage"),
    ),
    Sample(
        *("board-hiring", BOARD, 15.3, 29, "rings", "Hiring plan"),
        "For the board alone.",
        ("board",),
        decision="hidden",
    ),
    Sample(
        *("marathon", MAIN, 13.4, 92, "valley", "Eight bands in ninety minutes"),
        "The long one.",
        ("show", "music"),
        tuple((11.5 * number, f"Band {number + 1}") for number in range(8)),
    ),
    Sample(
        *("color", WORKSHOP, 12.1, 22, "spiral", "Colour correction by ear"),
        "Why pictures have a tune.",
        ("workshop", "video"),
    ),
    Sample(
        *("rehearsal", MAIN, 10.6, 16, "weave", "Rehearsal, for the crew"),
        "For those who have the link.",
        ("backstage",),
        decision="unlisted",
    ),
    Sample(
        *("captions", WORKSHOP, 9.3, 28, "tilt", "Writing captions that people read"),
        "Line lengths, reading speed, and when to leave a word out.",
        ("workshop", "accessibility"),
        ((0, "Reading speed"), (14, "What to leave out")),
    ),
    Sample(
        *("lost-end", MAIN, 8.4, 31, "coast", "Afternoon concert"),
        "Amazon IVS never reported the end of this stream. reconcile found the recording in S3 and completed it.",
        ("show", "music"),
        faults="drop-end,drop:Recording End",
    ),
    Sample(
        *("lightning", MAIN, 7.2, 14, "bars", "Lightning talks"),
        "Seven talks of two minutes each.",
        ("talk",),
        tuple((2 * number, f"Talk {number + 1}") for number in range(7)),
    ),
    Sample(*("short", MAIN, 6.1, 0.75, "spiral", "Trailer"), "Forty-five seconds of what is to come.", ("season",)),
    Sample(*("board-q3", BOARD, 5.2, 44, "bars", "Board meeting, third quarter"), tags=("board",), decision="hidden"),
    Sample(
        *("finale", MAIN, 4.3, 66, "rings", "Season finale"),
        "Opens in two weeks.",
        ("show", "season"),
        ((0, "Overture"), (33, "Interval"), (40, "Second half")),
        decision="scheduled",
    ),
    Sample(*("review-1", WORKSHOP, 2.2, 35, "weave"), decision="none"),
    Sample(
        *("encore", MAIN, 1.4, 48, "colony", "Encore"),
        "Once more, by popular demand.\n\n12:00 the song that everybody asked for",
        ("show", "music"),
        ((0, "Warm-up"), (12, "The song")),
    ),
    Sample(*("review-2", WORKSHOP, 1.1, 19, "coast"), decision="none"),
    Sample(*("review-3", WORKSHOP, 0.3, 8, "valley"), decision="none"),
)


def sample_play(
    sample: Sample, *, home: Path, channel: Channel, clip: Recording, first: int, by: UUID, now: datetime
) -> UUID:
    """Broadcast a sample, write its content as staff do, and return its video."""
    with TemporaryDirectory(prefix="ivsvod-sample-") as folder:
        recording = loop_recording(Path(folder), clip, seconds=sample.minutes * 60, first=first)
        [made] = broadcasts(
            home=home,
            channel=channel,
            record=recording.folder,
            before=now - timedelta(days=sample.days),
            faults=parse_faults(sample.faults),
        )
    video = video_uuid(made.bucket or "", made.prefix or "")
    if sample.title:
        values = {"title": sample.title, "description": sample.description, "tags": [*sample.tags], "thumbnail": ""}
        content_replace(video_uuid=video, by=by, values=values)
    decision = DECISIONS[sample.decision].items()
    decided = {name: now + value if isinstance(value, timedelta) else value for name, value in decision}
    if sample.chapters:
        decided["chapters"] = [{"at_ms": round(at * 60_000), "title": title} for at, title in sample.chapters]
    if decided:
        video_update(video_uuid=video, by=by, values=decided)
    return video


def samples_play(
    known: Mapping[str, str],
    *,
    home: Path,
    channels: Mapping[str, Channel],
    clip_of: Callable[[str], Recording],
    by: UUID,
    now: datetime,
    played: Callable[[str, UUID], None],
) -> None:
    """Play the samples that are not known yet, and call `played` after each. No two begin with the same picture."""
    turns = {sample.clip: cycle(range(SEGMENTS)) for sample in SAMPLES}
    for sample in SAMPLES:
        first = next(turns[sample.clip])
        if sample.name not in known:
            channel = channels[sample.channel]
            video = sample_play(
                sample, home=home, channel=channel, clip=clip_of(sample.clip), first=first, by=by, now=now
            )
            played(sample.name, video)
