"""The playlists of a live stream, and the recordings that repeat a clip."""

from pathlib import Path

import m3u8
import pytest

from tools.local.broadcast.recording import (
    HLS_PATH,
    THUMBNAILS_PATH,
    VARIANT,
    Recording,
    Rendition,
    live_playlist,
    loop_recording,
    make_recording,
)

CLIP = """#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:0
#EXTINF:4.000000,
0.ts
#EXTINF:4.000000,
1.ts
#EXTINF:2.000000,
2.ts
#EXT-X-ENDLIST
"""


@pytest.mark.parametrize(
    ("elapsed", "first", "numbers", "cuts"),
    [
        (0, 0, [0, 1, 2], []),
        (4, 0, [0, 1, 2, 3], [3]),
        (9.9, 0, [0, 1, 2, 3, 4], [3]),
        (34, 7, [7, 8, 9, 10, 11, 12], [9, 12]),
        (3600, 1077, [1077, 1078, 1079, 1080, 1081, 1082], [1077, 1080]),
    ],
)
def test_a_live_playlist_has_the_last_segments_with_numbers_that_go_on(
    elapsed: float, first: int, numbers: list[int], cuts: list[int]
) -> None:
    playlist = m3u8.loads(live_playlist(CLIP, elapsed=elapsed))
    assert (playlist.media_sequence, playlist.is_endlist, playlist.target_duration) == (first, False, 4)
    assert [segment.uri for segment in playlist.segments] == [f"{number}.ts" for number in numbers]
    assert [number for number, each in zip(numbers, playlist.segments, strict=True) if each.discontinuity] == cuts
    # Those before the first segment: each round but the first begins with one.
    assert playlist.discontinuity_sequence == len(range(3, first, 3))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A clip of two segments of which the second is another picture."""
    picture = "color=gray:size={width}x{height}:rate={rate},hue=b=t"
    renditions = (Rendition("160p30", 284, 160),)
    return make_recording(tmp_path_factory.mktemp("clip"), seconds=8, renditions=renditions, picture=picture)


def test_a_recording_repeats_a_clip_from_one_of_its_segments_on(clip: Recording, tmp_path: Path) -> None:
    made = loop_recording(tmp_path, clip, seconds=3600, first=1)
    assert abs(made.duration_ms - 3_600_000) < 4000
    segments = m3u8.load(str(tmp_path / HLS_PATH / "160p30" / VARIANT)).segments
    assert [segment.uri for segment in segments[:4]] == ["1.ts", "0.ts", "1.ts", "0.ts"]
    assert [segment.discontinuity for segment in segments[:4]] == [False, True, False, True]
    assert len(list(made.files())) == len(list(clip.files()))
    first, middle = ((tmp_path / THUMBNAILS_PATH / f"thumb{number}.jpg").read_bytes() for number in (0, 2))
    assert [first, middle] == [(clip.folder / THUMBNAILS_PATH / f"thumb{n}.jpg").read_bytes() for n in (2, 0)]
    assert first != middle
