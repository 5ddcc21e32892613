"""Edited videos of real recordings, decoded by ffmpeg from the first to the last second."""

import os
import re
import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest

from ondemand.playback.parts import Part, Timeline, edited_template, timeline
from ondemand.playback.renditions import EDITED_PLAYLIST, edited_multivariant, stored_multivariant
from ondemand.playback.segments import stored_rendition
from tools.local.broadcast.recording import FRAME_RATE, HLS_PATH, MULTIVARIANT, Rendition, make_recording

# All share the recordings, which take seconds to encode.
pytestmark = pytest.mark.xdist_group("edited")
SIZES = {"one": (Rendition("360p30", 640, 360), Rendition("160p30", 284, 160))}
SIZES["other"] = (Rendition("240p30", 426, 240),)
SIZES["two"] = (*SIZES["other"], *SIZES["one"])


def ffmpeg(*arguments: str | Path) -> bytes:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-loglevel", "error", *arguments]
    # Reading MPEG-TS makes it call iconv, and this static build crashes where iconv loads the system's modules.
    environment = {**os.environ, "GCONV_PATH": os.devnull}
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings with segments of 4 seconds; beside them `ranges`, the first one in byte ranges of 2."""
    folder = tmp_path_factory.mktemp("edited")
    for name, seconds in (("one", 11), ("two", 9), ("other", 3)):
        make_recording(folder / name, seconds=seconds, renditions=SIZES[name])
    for name in ("360p30", "160p30"):
        ranges = folder / "ranges" / HLS_PATH / name
        ranges.mkdir(parents=True)
        source = folder / "one" / HLS_PATH / name / "playlist.m3u8"
        options = (
            "-c",
            "copy",
            "-f",
            "hls",
            "-hls_time",
            "2",
            "-hls_playlist_type",
            "vod",
            "-hls_flags",
            "single_file",
        )
        ffmpeg("-i", source, *options, ranges / "playlist.m3u8")
    multivariant = folder / "one" / HLS_PATH / MULTIVARIANT
    (folder / "ranges" / HLS_PATH / MULTIVARIANT).write_bytes(multivariant.read_bytes())
    return folder


def edit(folder: Path, *parts: tuple[str, int | None, int | None]) -> tuple[Timeline, Path, list[Path]]:
    """The times of an edited video, its multivariant playlist and those of its renditions, which are written."""
    names = [name for name, *_ in parts]
    playlists = [(folder / name / HLS_PATH / MULTIVARIANT).read_bytes() for name in names]
    multivariant = edited_multivariant([stored_multivariant(content, HLS_PATH) for content in playlists])
    renditions = [
        [
            stored_rendition((folder / name / path).read_bytes(), path.rpartition("/")[0])
            for name, path in zip(names, paths, strict=True)
        ]
        for paths in multivariant.paths
    ]
    times = timeline([Part(reference, *part[1:]) for reference, part in zip(renditions[0], parts, strict=True)])
    written = folder / "-".join(re.findall(r"\w+", str(parts)))
    (written / "edited").mkdir(parents=True)
    (written / "master.m3u8").write_bytes(multivariant.content)
    files = [(str(folder / name), "") for name in names]
    paths = [written / EDITED_PLAYLIST.format(number) for number in range(len(renditions))]
    for path, rendition in zip(paths, renditions, strict=True):
        path.write_bytes(edited_template(times, rendition).finished(files))
    return times, written / "master.m3u8", paths


def video_seconds(playlist: Path) -> float:
    """Decode the video; where parts meet, ffmpeg warns of the counters of MPEG-TS, which begin anew."""
    progress = ffmpeg("-i", playlist, "-map", "0:v:0", "-progress", "-", "-f", "null", "-")
    return int(re.findall(rb"^frame=(\d+)", progress, re.MULTILINE)[-1]) / FRAME_RATE


def audio_seconds(playlist: Path) -> float:
    """Decode the audio; of the samples, because ffmpeg does not take a small jump of the clock for a discontinuity."""
    return len(ffmpeg("-i", playlist, "-map", "0:a:0", "-ac", "1", "-ar", "8000", "-f", "u8", "-")) / 8000


@pytest.mark.parametrize(
    ("parts", "windows"),
    [
        # The whole.
        ([("one", None, None)], [(0, 11_000)]),
        # A trim at both ends.
        ([("one", 4_500, 7_000)], [(4_000, 8_000)]),
        # The same in byte ranges.
        ([("ranges", 4_500, 7_000)], [(4_000, 8_000)]),
        ([("ranges", 6_000, 9_000)], [(6_000, 10_000)]),
        # A join of two recordings, whole and cut.
        ([("one", None, None), ("two", None, None)], [(0, 11_000), (0, 9_000)]),
        (
            [("two", 4_000, None), ("ranges", 2_500, 3_000), ("one", 0, 8_000)],
            [(4_000, 9_000), (2_000, 4_000), (0, 8_000)],
        ),
        # Of other sizes.
        ([("other", None, None), ("one", 8_000, None)], [(0, 3_000), (8_000, 11_000)]),
    ],
)
def test_an_edited_video_plays_from_its_first_to_its_last_second(
    folder: Path, parts: list[tuple[str, int | None, int | None]], windows: list[tuple[int, int]]
) -> None:
    times, multivariant, renditions = edit(folder, *parts)

    assert [(cut.start_ms, cut.end_ms) for cut in times.cuts] == windows
    assert len(renditions) == (1 if "other" in parts[0] else 2)
    for playlist in (multivariant, *renditions):
        assert video_seconds(playlist) == times.duration_ms / 1000
        assert audio_seconds(playlist) == pytest.approx(times.duration_ms / 1000, abs=0.1 * len(parts))
