"""Recordings of several streams in one prefix, as IVS leaves them when the encoder reconnects within the window.

https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
"""

import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ivsvod.local.broadcast.recording import (
    BYTE_RANGE_MULTIVARIANT,
    BYTE_RANGE_VARIANT,
    HLS_PATH,
    LATEST_THUMBNAIL_PATH,
    MULTIVARIANT,
    THUMBNAILS_PATH,
    VARIANT,
    Recording,
    read_recording,
)

_SEGMENT = re.compile(r"^(\d+)\.ts$", re.MULTILINE)
_END = "#EXT-X-ENDLIST\n"
# The clocks of two streams are independent. https://datatracker.ietf.org/doc/html/rfc8216#section-4.3.2.3
_DISCONTINUITY = "#EXT-X-DISCONTINUITY\n"


def merge_recordings(folder: Path, parts: Sequence[Recording]) -> Recording:
    """Copy the parts, which have the same renditions, one after the other below `folder`."""
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
