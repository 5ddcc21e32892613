"""A real recording as Amazon IVS leaves it in S3: ffmpeg's test picture and tone in the layout of auto-record-to-S3.

https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from ivsvod.local.broadcast.events import rfc3339

FRAME_RATE = 30
SEGMENT_SECONDS = 4
KEYFRAME_SECONDS = 2

HLS_PATH = "media/hls"
MULTIVARIANT = "master.m3u8"
VARIANT = "playlist.m3u8"
BYTE_RANGE_MULTIVARIANT = "byte-range-multivariant.m3u8"
BYTE_RANGE_VARIANT = "byte-range-variant.m3u8"
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
_SEGMENT_LINES = re.compile(r"^#EXTINF:([\d.]+),.*\n(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Rendition:
    """One quality of a recording; `name` is its folder."""

    name: str
    width: int
    height: int


RENDITIONS = (Rendition("720p30", 1280, 720), Rendition("360p30", 640, 360), Rendition("160p30", 284, 160))


@dataclass(frozen=True)
class Recording:
    """A folder with the layout of a recording prefix."""

    folder: Path
    duration_ms: int
    renditions: tuple[Rendition, ...]
    thumbnail_width: int
    thumbnail_height: int

    def files(self) -> Iterator[tuple[str, Path]]:
        """Return key below the prefix and file in the order in which IVS writes them: segments before playlists."""
        paths = sorted(
            (path for path in (self.folder / "media").rglob("*") if path.is_file()),
            key=lambda path: (path.suffix == ".m3u8", path),
        )
        return ((path.relative_to(self.folder).as_posix(), path) for path in paths)


def make_recording(
    folder: Path, *, seconds: float, renditions: Sequence[Rendition] = RENDITIONS, thumbnail_seconds: int = 2
) -> Recording:
    """Record `seconds` of the test picture below `folder`, which is replaced once the recording is whole."""
    if seconds <= 0:
        raise ValueError("a recording needs a duration")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=folder) as making:
        workspace = Path(making)
        _encode(workspace, seconds, renditions, thumbnail_seconds)
        thumbnails = (workspace / THUMBNAILS_PATH).glob("thumb*.jpg")
        latest = max(thumbnails, key=lambda path: int(path.stem.removeprefix("thumb")))
        (workspace / LATEST_THUMBNAIL_PATH).parent.mkdir()
        shutil.copyfile(latest, workspace / LATEST_THUMBNAIL_PATH)
        _write_byte_range_playlists(workspace / HLS_PATH)
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
    first = renditions[0]
    playlist = (folder / HLS_PATH / first.name / VARIANT).read_text()
    duration = sum(float(seconds) for seconds, _ in _SEGMENT_LINES.findall(playlist))
    return Recording(folder, round(duration * 1000), renditions, first.width, first.height)


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
    document: dict[str, Any] = {
        "version": "v1",
        "channel_arn": channel_arn,
        "recording_started_at": rfc3339(started_at),
    }
    if ended_at is not None:
        document["recording_ended_at"] = rfc3339(ended_at)
    document["recording_status"] = state
    if message is not None:
        document["recording_status_message"] = message
    size = {"resolution_height": recording.thumbnail_height, "resolution_width": recording.thumbnail_width}
    renditions = [
        {
            "path": rendition.name,
            "playlist": VARIANT,
            "byte_range_playlist": BYTE_RANGE_VARIANT,
            "resolution_height": rendition.height,
            "resolution_width": rendition.width,
        }
        for rendition in recording.renditions
    ]
    document["media"] = {
        "hls": {
            **({} if ended_at is None else {"duration_ms": recording.duration_ms}),
            "path": HLS_PATH,
            "playlist": MULTIVARIANT,
            "byte_range_playlist": BYTE_RANGE_MULTIVARIANT,
            "renditions": renditions,
        },
        "thumbnails": {"path": THUMBNAILS_PATH, **size},
        "latest_thumbnail": {"path": LATEST_THUMBNAIL_PATH, **size},
    }
    return document


def _encode(workspace: Path, seconds: float, renditions: Sequence[Rendition], thumbnail_seconds: int) -> None:
    import imageio_ffmpeg

    for path in (HLS_PATH, THUMBNAILS_PATH):
        (workspace / path).mkdir(parents=True)
    source = renditions[0]
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-hide_banner", "-nostdin", "-loglevel", "error"),
        *("-f", "lavfi", "-i", f"testsrc2=size={source.width}x{source.height}:rate={FRAME_RATE}:duration={seconds}"),
        *("-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}"),
        *("-filter_complex", _filters(renditions, thumbnail_seconds)),
        *_hls_output(renditions),
        *("-map", "[thumbnails]", "-fps_mode", "passthrough", "-q:v", "5", "-start_number", "0"),
        f"{THUMBNAILS_PATH}/thumb%d.jpg",
    ]
    # Paths are relative to the working folder because ffmpeg expands every % in a name.
    done = subprocess.run(command, cwd=workspace, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        last_lines = "\n".join(done.stderr.strip().splitlines()[-20:])
        raise RuntimeError(f"ffmpeg failed with exit status {done.returncode}:\n{last_lines}")


def _filters(renditions: Sequence[Rendition], thumbnail_seconds: int) -> str:
    numbers = range(len(renditions))
    scaled = [
        f"[picture{number}]scale={rendition.width}:{rendition.height}[video{number}]"
        for number, rendition in enumerate(renditions)
    ]
    return ";".join(
        [
            f"[0:v]split={len(renditions) + 1}{''.join(f'[picture{number}]' for number in numbers)}[stills]",
            f"[1:a]asplit={len(renditions)}{''.join(f'[audio{number}]' for number in numbers)}",
            *scaled,
            f"[stills]select='not(mod(n,{FRAME_RATE * thumbnail_seconds}))',format=yuvj420p[thumbnails]",
        ]
    )


def _hls_output(renditions: Sequence[Rendition]) -> list[str]:
    """Return the options of one muxer for all renditions, which also writes the multivariant playlist."""
    streams: list[str] = []
    for number, rendition in enumerate(renditions):
        # Enough for the test picture: 1.5 Mbit/s at 720p.
        rate = f"{max(200, rendition.width * rendition.height // 600)}k"
        streams += ["-map", f"[video{number}]", "-map", f"[audio{number}]"]
        streams += [f"-b:v:{number}", rate, f"-maxrate:v:{number}", rate, f"-bufsize:v:{number}", rate]
    variants = " ".join(f"v:{number},a:{number},name:{each.name}" for number, each in enumerate(renditions))
    keyframe = str(FRAME_RATE * KEYFRAME_SECONDS)
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


def _write_byte_range_playlists(hls: Path) -> None:
    """Write all playlists again with byte ranges as entries; here each range is a whole segment."""
    multivariant = (hls / MULTIVARIANT).read_text()
    for _, _, name in _VARIANT_LINES.findall(multivariant):
        entries = _SEGMENT_LINES.sub(
            lambda entry, folder=hls / name: (  # type: ignore[misc]
                f"#EXTINF:{entry[1]},\n#EXT-X-BYTERANGE:{(folder / entry[2]).stat().st_size}@0\n{entry[2]}"
            ),
            (hls / name / VARIANT).read_text(),
        )
        (hls / name / BYTE_RANGE_VARIANT).write_text(entries)
    (hls / BYTE_RANGE_MULTIVARIANT).write_text(multivariant.replace(f"/{VARIANT}", f"/{BYTE_RANGE_VARIANT}"))


def merge_recordings(folder: Path, parts: Sequence[Recording]) -> Recording:
    """Copy the parts, which have the same renditions, one after the other below `folder`.

    IVS records the streams of an encoder that reconnects within the window like this.
    """
    for rendition in parts[0].renditions:
        source = [part.folder / HLS_PATH / rendition.name for part in parts]
        offsets = _copy_numbered(folder / HLS_PATH / rendition.name, source, "", ".ts")
        for name in (VARIANT, BYTE_RANGE_VARIANT):
            merged = merge_playlists([(part / name).read_text() for part in source], offsets)
            (folder / HLS_PATH / rendition.name / name).write_text(merged)
    for name in (MULTIVARIANT, BYTE_RANGE_MULTIVARIANT):
        shutil.copyfile(parts[0].folder / HLS_PATH / name, folder / HLS_PATH / name)
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
