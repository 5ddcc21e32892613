"""A real recording as Amazon IVS leaves it in S3: a picture of ffmpeg and a tone in the layout of auto-record-to-S3.

https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate, count
from pathlib import Path
from typing import Any, Literal

from tools.local.broadcast.events import rfc3339

FRAME_RATE = 30
# In the playlist of a live stream.
LIVE_SEGMENTS = 6
SEGMENT_SECONDS = 4
KEYFRAME_SECONDS = 2
THUMBNAIL_SECONDS = 2

HLS_PATH = "media/hls"
MULTIVARIANT = "master.m3u8"
VARIANT = "playlist.m3u8"
THUMBNAILS_PATH = "media/thumbnails"
LATEST_THUMBNAIL_PATH = "media/latest_thumbnail/thumb.jpg"

RecordingState = Literal["RECORDING_STARTED", "RECORDING_ENDED", "RECORDING_ENDED_WITH_FAILURE"]
METADATA_KEYS: dict[RecordingState, str] = {
    "RECORDING_STARTED": "events/recording-started.json",
    "RECORDING_ENDED": "events/recording-ended.json",
    "RECORDING_ENDED_WITH_FAILURE": "events/recording-failed.json",
}

_VARIANT_LINES = re.compile(r"^#EXT-X-STREAM-INF:.*RESOLUTION=(\d+)x(\d+).*\n(.+)/playlist\.m3u8$", re.MULTILINE)
_SEGMENT = re.compile(r"^(\d+)\.ts$", re.MULTILINE)
_END = "#EXT-X-ENDLIST\n"
# The clocks of two streams are independent. https://datatracker.ietf.org/doc/html/rfc8216#section-4.3.2.3
_DISCONTINUITY = "#EXT-X-DISCONTINUITY\n"
_SEGMENT_SECONDS = re.compile(r"^#EXTINF:([\d.]+),", re.MULTILINE)


@dataclass(frozen=True)
class Rendition:
    """One quality of a recording; `name` is its folder."""

    name: str
    width: int
    height: int


RENDITIONS = (Rendition("720p30", 1280, 720), Rendition("360p30", 640, 360), Rendition("160p30", 284, 160))
# The filter graph of ffmpeg that draws the picture.
TEST_PICTURE = "testsrc2=size={width}x{height}:rate={rate}"


@dataclass(frozen=True)
class Recording:
    """A folder with the layout of a recording prefix."""

    folder: Path
    duration_ms: int
    renditions: tuple[Rendition, ...]

    def files(self) -> Iterator[tuple[str, Path]]:
        """Return key below the prefix and file in the order in which IVS writes them: segments before playlists."""
        paths = sorted(
            (path for path in (self.folder / "media").rglob("*") if path.is_file()),
            key=lambda path: (path.suffix == ".m3u8", path),
        )
        return ((path.relative_to(self.folder).as_posix(), path) for path in paths)


def make_recording(
    folder: Path,
    *,
    seconds: float,
    renditions: Sequence[Rendition] = RENDITIONS,
    picture: str = TEST_PICTURE,
    rate: int = FRAME_RATE,
) -> Recording:
    """Record `seconds` of the picture below `folder`, which is replaced once the recording is whole.

    `picture` is a filter graph of ffmpeg with the fields `width`, `height` and `rate`, the pictures a second.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=folder) as making:
        workspace = Path(making)
        _encode(workspace, seconds, renditions, picture, rate)
        thumbnails = (workspace / THUMBNAILS_PATH).glob("thumb*.jpg")
        latest = max(thumbnails, key=lambda path: int(path.stem.removeprefix("thumb")))
        (workspace / LATEST_THUMBNAIL_PATH).parent.mkdir()
        shutil.copyfile(latest, workspace / LATEST_THUMBNAIL_PATH)
        shutil.rmtree(folder / "media", ignore_errors=True)
        (workspace / "media").rename(folder / "media")
    return read_recording(folder)


def is_recording(folder: Path) -> bool:
    return (folder / HLS_PATH / MULTIVARIANT).is_file()


def read_recording(folder: Path) -> Recording:
    """Return the recording that `make_recording` left in the folder."""
    multivariant = (folder / HLS_PATH / MULTIVARIANT).read_text()
    renditions = tuple(
        Rendition(name, int(width), int(height)) for width, height, name in _VARIANT_LINES.findall(multivariant)
    )
    playlist = (folder / HLS_PATH / renditions[0].name / VARIANT).read_text()
    return Recording(folder, round(sum(map(float, _SEGMENT_SECONDS.findall(playlist))) * 1000), renditions)


def recording_metadata(
    recording: Recording,
    state: RecordingState,
    *,
    channel_arn: str,
    started_at: datetime,
    ended_at: datetime | None = None,
    message: str | None = None,
) -> dict[str, Any]:
    """Return the JSON document that IVS writes below `events/` of the prefix; a start has no end and no duration."""
    times = {"recording_started_at": rfc3339(started_at)}
    hls: dict[str, Any] = {"path": HLS_PATH, "playlist": MULTIVARIANT}
    if ended_at is not None:
        times["recording_ended_at"] = rfc3339(ended_at)
        hls = {"duration_ms": recording.duration_ms, **hls}
    hls["renditions"] = [
        {"path": each.name, "playlist": VARIANT, "resolution_height": each.height, "resolution_width": each.width}
        for each in recording.renditions
    ]
    largest = recording.renditions[0]
    size = {"resolution_height": largest.height, "resolution_width": largest.width}
    return {
        "version": "v1",
        "channel_arn": channel_arn,
        **times,
        "recording_status": state,
        **({} if message is None else {"recording_status_message": message}),
        "media": {
            "hls": hls,
            "thumbnails": {"path": THUMBNAILS_PATH, **size},
            "latest_thumbnail": {"path": LATEST_THUMBNAIL_PATH, **size},
        },
    }


def _encode(workspace: Path, seconds: float, renditions: Sequence[Rendition], picture: str, rate: int) -> None:
    import imageio_ffmpeg

    for path in (HLS_PATH, THUMBNAILS_PATH):
        (workspace / path).mkdir(parents=True)
    source = renditions[0]
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-hide_banner", "-nostdin", "-loglevel", "error"),
        *("-f", "lavfi", "-t", str(seconds), "-i"),
        picture.format(width=source.width, height=source.height, rate=rate),
        *("-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}"),
        *_hls_output(renditions, rate),
        *("-map", "0:v", "-vf", f"select='not(mod(n,{rate * THUMBNAIL_SECONDS}))',format=yuvj420p"),
        *("-fps_mode", "passthrough", "-q:v", "5", "-start_number", "0"),
        f"{THUMBNAILS_PATH}/thumb%d.jpg",
    ]
    # Paths are relative to the working folder because ffmpeg expands every % in a name.
    done = subprocess.run(command, cwd=workspace, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        last_lines = "\n".join(done.stderr.strip().splitlines()[-20:])
        raise RuntimeError(f"ffmpeg failed with exit status {done.returncode}:\n{last_lines}")


def _hls_output(renditions: Sequence[Rendition], rate: int) -> list[str]:
    """Return the options of one muxer for all renditions, which also writes the multivariant playlist."""
    streams: list[str] = []
    for number, rendition in enumerate(renditions):
        # Enough for the test picture: 1.5 Mbit/s at 720p.
        bits = f"{max(200, rendition.width * rendition.height // 600)}k"
        streams += ["-map", "0:v", "-map", "1:a", f"-s:v:{number}", f"{rendition.width}x{rendition.height}"]
        streams += [f"-b:v:{number}", bits, f"-maxrate:v:{number}", bits, f"-bufsize:v:{number}", bits]
    variants = " ".join(f"v:{number},a:{number},name:{each.name}" for number, each in enumerate(renditions))
    keyframe = str(rate * KEYFRAME_SECONDS)
    return [
        *streams,
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
        *("-g", keyframe, "-keyint_min", keyframe, "-sc_threshold", "0"),
        *("-c:a", "aac", "-b:a", "96k", "-ac", "2"),
        *("-f", "hls", "-hls_time", str(SEGMENT_SECONDS), "-hls_playlist_type", "vod"),
        *("-hls_flags", "independent_segments"),
        *("-hls_segment_filename", f"{HLS_PATH}/%v/%d.ts", "-master_pl_name", MULTIVARIANT),
        *("-var_stream_map", variants, f"{HLS_PATH}/%v/{VARIANT}"),
    ]


def loop_recording(folder: Path, clip: Recording, *, seconds: float, first: int = 0) -> Recording:
    """Write a recording of at least `seconds` below `folder`, whose playlists name the segments of the clip repeatedly.

    It begins with the segment `first` of the clip. So a recording of an hour has no more objects than the clip.
    """
    for rendition in clip.renditions:
        source, target = (each / HLS_PATH / rendition.name for each in (clip.folder, folder))
        shutil.copytree(source, target)
        (target / VARIANT).write_text(_looped((source / VARIANT).read_text(), seconds, first))
    shutil.copyfile(clip.folder / HLS_PATH / MULTIVARIANT, folder / HLS_PATH / MULTIVARIANT)
    pictures = len(list((clip.folder / THUMBNAILS_PATH).iterdir()))
    (folder / THUMBNAILS_PATH).mkdir(parents=True)
    (folder / LATEST_THUMBNAIL_PATH).parent.mkdir()
    for number in range(pictures):
        shown = (number + first * SEGMENT_SECONDS // THUMBNAIL_SECONDS) % pictures
        picture = clip.folder / THUMBNAILS_PATH / f"thumb{shown}.jpg"
        shutil.copyfile(picture, folder / THUMBNAILS_PATH / f"thumb{number}.jpg")
    shutil.copyfile(picture, folder / LATEST_THUMBNAIL_PATH)
    return read_recording(folder)


def _split_playlist(playlist: str) -> tuple[str, list[str], list[float]]:
    """Return the header of a media playlist, its segments, and their lengths in seconds."""
    head, *segments = re.split(r"(?=^#EXTINF)", playlist.removesuffix(_END), flags=re.MULTILINE)
    return head, segments, list(map(float, _SEGMENT_SECONDS.findall(playlist)))


def _looped(playlist: str, seconds: float, first: int) -> str:
    """Return a media playlist of at least `seconds` that goes through the segments of another again and again."""
    head, segments, lengths = _split_playlist(playlist)
    lines, length = [head], 0.0
    for number in count(first):
        if length >= seconds:
            break
        place = number % len(segments)
        # The clock of the clip begins anew.
        lines.append((_DISCONTINUITY if place == 0 and number > first else "") + segments[place])
        length += lengths[place]
    return "".join(lines) + _END


def live_playlist(playlist: str, *, elapsed: float) -> str:
    """Return the playlist of a live stream that repeats the segments of another playlist, `elapsed` seconds long.

    It has the last segments alone. A stream that has just begun counts as one round old, so that it plays at once.
    https://datatracker.ietf.org/doc/html/rfc8216#section-6.2.2
    """
    head, segments, lengths = _split_playlist(playlist)
    ends = list(accumulate(lengths))
    rounds, rest = divmod(elapsed, ends[-1])
    until = (int(rounds) + 1) * len(segments) + sum(end <= rest for end in ends)
    since = max(0, until - LIVE_SEGMENTS)
    target = re.search(r"#EXT-X-TARGETDURATION:\d+\n", head)
    lines = [
        f"#EXTM3U\n#EXT-X-VERSION:6\n{target[0] if target else ''}#EXT-X-MEDIA-SEQUENCE:{since}\n",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{max(0, since - 1) // len(segments)}\n#EXT-X-INDEPENDENT-SEGMENTS\n",
    ]
    for number in range(since, until):
        place = number % len(segments)
        lines.append(_DISCONTINUITY if place == 0 and number else "")
        lines.append(_SEGMENT.sub(f"{number}.ts", segments[place]))
    return "".join(lines)


def merge_recordings(folder: Path, parts: Sequence[Recording]) -> Recording:
    """Copy the parts, which have the same renditions, one after the other below `folder`.

    IVS records the streams of an encoder that reconnects within the window like this.
    """
    for rendition in parts[0].renditions:
        source = [part.folder / HLS_PATH / rendition.name for part in parts]
        offsets = _copy_numbered(folder / HLS_PATH / rendition.name, source, "", ".ts")
        merged = merge_playlists([(part / VARIANT).read_text() for part in source], offsets)
        (folder / HLS_PATH / rendition.name / VARIANT).write_text(merged)
    shutil.copyfile(parts[0].folder / HLS_PATH / MULTIVARIANT, folder / HLS_PATH / MULTIVARIANT)
    _copy_numbered(folder / THUMBNAILS_PATH, [part.folder / THUMBNAILS_PATH for part in parts], "thumb", ".jpg")
    (folder / LATEST_THUMBNAIL_PATH).parent.mkdir()
    shutil.copyfile(parts[-1].folder / LATEST_THUMBNAIL_PATH, folder / LATEST_THUMBNAIL_PATH)
    return replace(read_recording(folder), duration_ms=sum(part.duration_ms for part in parts))


def merge_playlists(texts: Sequence[str], offsets: Sequence[int]) -> str:
    """Return one media playlist; each offset is added to the segment numbers of its text."""
    bodies = []
    for text, offset in zip(texts, offsets, strict=True):
        head, tag, rest = text.partition("#EXTINF")
        renumbered = _SEGMENT.sub(lambda found, offset=offset: f"{int(found[1]) + offset}.ts", rest)  # type: ignore[misc]
        bodies.append(f"{tag}{renumbered.removesuffix(_END)}")
    return f"{head}{_DISCONTINUITY.join(bodies)}{_END}"


def _copy_numbered(folder: Path, parts: list[Path], before: str, after: str) -> list[int]:
    """Copy the numbered files of each part with rising numbers; return the first number of each part."""
    folder.mkdir(parents=True)
    offsets, count = [], 0
    for part in parts:
        offsets.append(count)
        number_of_files = len(list(part.glob(f"{before}*{after}")))
        for number in range(number_of_files):
            shutil.copyfile(part / f"{before}{number}{after}", folder / f"{before}{count + number}{after}")
        count += number_of_files
    return offsets
