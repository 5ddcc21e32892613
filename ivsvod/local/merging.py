"""Recordings of several streams in one prefix, as IVS leaves them where the encoder came back within the window.

https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
"""

import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ivsvod.local.recording import (
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
# The clocks of two streams have nothing to do with each other.
# https://datatracker.ietf.org/doc/html/rfc8216#section-4.3.2.3
_DISCONTINUITY = "#EXT-X-DISCONTINUITY\n"


def merge_recordings(folder: Path, parts: Sequence[Recording]) -> Recording:
    """Lay the parts, which have the same renditions, one after the other below `folder`; they stay as they are."""
    for rendition in parts[0].renditions:
        _merge_rendition(
            folder / HLS_PATH / rendition.name, [part.folder / HLS_PATH / rendition.name for part in parts]
        )
    for name in (MULTIVARIANT, BYTE_RANGE_MULTIVARIANT):
        shutil.copyfile(parts[0].folder / HLS_PATH / name, folder / HLS_PATH / name)
    _copy_numbered(folder / THUMBNAILS_PATH, [part.folder / THUMBNAILS_PATH for part in parts], "thumb", ".jpg")
    (folder / LATEST_THUMBNAIL_PATH).parent.mkdir()
    shutil.copyfile(parts[-1].folder / LATEST_THUMBNAIL_PATH, folder / LATEST_THUMBNAIL_PATH)
    return replace(read_recording(folder), duration_ms=sum(part.duration_ms for part in parts))


def _merge_rendition(folder: Path, parts: list[Path]) -> None:
    offsets = _copy_numbered(folder, parts, "", ".ts")
    for name in (VARIANT, BYTE_RANGE_VARIANT):
        texts = [(part / name).read_text() for part in parts]
        (folder / name).write_text(merge_playlists(texts, offsets))


def merge_playlists(texts: Sequence[str], offsets: Sequence[int]) -> str:
    """One media playlist of several; the names of each one's segments are counted on from its offset."""
    head, _, _ = texts[0].partition("#EXTINF")
    bodies = [_renumbered(_body(text), offset) for text, offset in zip(texts, offsets, strict=True)]
    return f"{head}{_DISCONTINUITY.join(bodies)}{_END}"


def _body(text: str) -> str:
    _, tag, rest = text.partition("#EXTINF")
    return f"{tag}{rest.removesuffix(_END)}"


def _renumbered(body: str, offset: int) -> str:
    return _SEGMENT.sub(lambda found: f"{int(found[1]) + offset}.ts", body)


def _copy_numbered(folder: Path, parts: list[Path], before: str, after: str) -> list[int]:
    """Copy the numbered files of each part, counting on; returns how many came before each part."""
    folder.mkdir(parents=True)
    offsets, count = [], 0
    for part in parts:
        offsets.append(count)
        number_of_files = len(list(part.glob(f"{before}*{after}")))
        for number in range(number_of_files):
            shutil.copyfile(part / f"{before}{number}{after}", folder / f"{before}{count + number}{after}")
        count += number_of_files
    return offsets
