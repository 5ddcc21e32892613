"""Trims, joins and clips: the playlists and the times of edited videos."""

import re
from contextlib import suppress
from datetime import timedelta
from itertools import accumulate
from typing import Any

import m3u8
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ondemand.models.chapters import Chapter
from ondemand.playback import parts
from ondemand.playback.chapter_moves import cut_chapters, recorded_chapters, shown_chapters
from ondemand.playback.parts import Cut, EditError, Part, PartTime, Shown, Timeline, edited_template, timeline
from ondemand.playback.renditions import edited_multivariant, stored_multivariant
from ondemand.playback.segments import StoredRendition, stored_rendition
from ondemand.recordings.playlists import PlaylistError
from tests.support.helpers import THOROUGH

HLS, FOLDER = "media/hls", "media/hls/720p30"
ONE, TWO = ("https://media.example.com/one", "?q=1"), ("https://media.example.com/two", "?q=2")
HEAD = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:12"


def rendition(*lines: str, head: str = HEAD) -> StoredRendition:
    return stored_rendition("\n".join([head, *lines, "#EXT-X-ENDLIST", ""]).encode(), FOLDER)


def seconds(*durations: float) -> StoredRendition:
    """Segments 0.ts, 1.ts, … of these durations."""
    return rendition(*(f"#EXTINF:{duration},\n{n}.ts" for n, duration in enumerate(durations)))


def cut(*parts: Part, files: list[tuple[str, str]] | None = None) -> tuple[Timeline, str]:
    """The times and the playlist of an edited video of one rendition."""
    times = timeline(parts)
    template = edited_template(times, [part.reference for part in parts])
    return times, template.finished(files or [ONE] * len(parts)).decode()


def short(text: str) -> str:
    """The playlist with the places of its files left out."""
    return re.sub(r"https://media.example.com/(\w+)/media/hls/720p30/([^?]*)\?q=\d", r"\1:\2", text)


def windows(times: Timeline) -> list[tuple[int, int]]:
    return [(each.start_ms, each.end_ms) for each in times.cuts]


# The times


TEN = seconds(10, 10, 10, 2.5)


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "real"),
    [
        (None, None, (0, 32_500)),
        (0, 32_500, (0, 32_500)),
        (10_000, 20_000, (10_000, 20_000)),
        # The start is at a bound or before, the end at one or after.
        (10_001, 20_001, (10_000, 30_000)),
        (9_999, 10_001, (0, 20_000)),
        (19_999, 19_999 + 1, (10_000, 20_000)),
        (30_500, 30_600, (30_000, 32_500)),
        (-5, 99_999_999, (0, 32_500)),
    ],
)
def test_a_part_keeps_every_segment_that_it_overlaps(
    start_ms: int | None, end_ms: int | None, real: tuple[int, int]
) -> None:
    assert windows(timeline([Part(TEN, start_ms, end_ms)])) == [real]


@pytest.mark.parametrize(
    "part",
    [
        Part(TEN, 32_500),
        Part(TEN, 99_999),
        Part(TEN, None, 0),
        Part(TEN, -9, -3),
        Part(TEN, 5_000, 5_000),
        Part(TEN, 5_000, 3_000),
        Part(rendition()),
        Part(seconds(0, 0)),
    ],
)
def test_a_part_that_holds_nothing_is_refused(part: Part) -> None:
    with pytest.raises(EditError, match="part 2 holds nothing of its recording"):
        timeline([Part(TEN), part])


def test_a_video_of_no_part_is_refused() -> None:
    with pytest.raises(EditError, match="there is no part"):
        timeline([])


def test_a_bound_between_two_milliseconds_is_hit_by_the_one_that_is_shown() -> None:
    odd = seconds(4.004004, 4.004004, 4.004004)
    assert odd.bounds_ms == (0, 4004, 8008, 12_012)
    assert windows(timeline([Part(odd, 4004, 8008)])) == [(4004, 8008)]
    assert seconds(4.0006, 4.0006).bounds_ms == (0, 4001, 8001)


def test_times_of_a_join_lead_to_its_recordings_and_back() -> None:
    times = timeline([Part(TEN, 10_000, 20_000), Part(TEN), Part(TEN, 0, 1)])

    assert [each.at_ms for each in times.cuts] == [0, 10_000, 42_500]
    assert times.duration_ms == 52_500
    assert times.part_time(0) == PartTime(0, 10_000)
    assert times.part_time(9_999) == PartTime(0, 19_999)
    assert times.part_time(10_000) == PartTime(1, 0)
    assert times.part_time(42_499) == PartTime(1, 32_499)
    assert times.part_time(52_499) == PartTime(2, 9_999)
    # Times that it does not have are its ends.
    assert times.part_time(-7) == PartTime(0, 10_000)
    assert times.part_time(99_999_999) == PartTime(2, 10_000)


# The playlist of a rendition


def test_a_trim_is_a_playlist_of_its_own() -> None:
    stored = rendition(
        "#EXT-X-PLAYLIST-TYPE:EVENT",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "#EXT-X-MEDIA-SEQUENCE:7",
        "#EXT-X-PROGRAM-DATE-TIME:2026-03-04T09:05:09.120Z",
        "#EXTINF:11.9,\n0.ts",
        "#EXT-X-TWITCH-ELAPSED-SECS:11.9",
        "# a comment",
        "#EXTINF:10.005,a title, with a comma\n1.ts",
        "#EXT-X-GAP",
        "#EXTINF:9.5,\n2.ts",
        "#EXTINF:2,\n3.ts",
    )

    times, text = cut(Part(stored, 12_000, 31_400))

    assert windows(times) == [(11_900, 31_405)]
    assert short(text) == (
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-03-04T09:05:21.020Z\n#EXTINF:10.005,a title, with a comma\none:1.ts\n"
        "#EXT-X-GAP\n#EXTINF:9.5,\none:2.ts\n"
        "#EXT-X-ENDLIST\n"
    )


def test_the_longest_segment_may_be_shorter_than_a_second() -> None:
    assert "#EXT-X-TARGETDURATION:1\n" in cut(Part(seconds(0.4)))[1]


def test_a_join_has_a_discontinuity_between_its_parts_and_signs_each_on_its_own() -> None:
    stored = rendition("#EXTINF:4,\n0.ts", "#EXT-X-DISCONTINUITY\n#EXTINF:4,\n1.ts", "#EXTINF:4.5,\n2.ts")

    _, text = cut(Part(stored, 4_000), Part(stored, None, 8_000), Part(stored, 4_000, 8_000), files=[ONE, TWO, ONE])

    assert short(text) == (
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n"
        "#EXTINF:4,\none:1.ts\n#EXTINF:4.5,\none:2.ts\n"
        "#EXT-X-DISCONTINUITY\n#EXTINF:4,\ntwo:0.ts\n#EXT-X-DISCONTINUITY\n#EXTINF:4,\ntwo:1.ts\n"
        "#EXT-X-DISCONTINUITY\n#EXTINF:4,\none:1.ts\n"
        "#EXT-X-ENDLIST\n"
    )


def test_a_byte_range_that_continued_one_that_is_cut_off_says_where_it_begins() -> None:
    stored = rendition(
        "#EXTINF:2,\n#EXT-X-BYTERANGE:100@50\n0.ts",
        "#EXTINF:2,\n#EXT-X-BYTERANGE:30\n0.ts",
        "#EXT-X-BYTERANGE:20\n#EXTINF:2,\n0.ts",
    )

    _, text = cut(Part(stored, 4_000))

    assert "#EXT-X-VERSION:4\n" in text
    assert short(text).endswith("\n#EXTINF:2,\n#EXT-X-BYTERANGE:20@180\none:0.ts\n#EXT-X-ENDLIST\n")


@pytest.mark.parametrize("lines", [["a"], ["-1"], ["1@"], ["10"], ["10@0", None, "10"]])
def test_a_byte_range_that_continues_nothing_is_refused(lines: list[str | None]) -> None:
    tags = [f"#EXT-X-BYTERANGE:{line}\n" if line else "" for line in lines]
    with pytest.raises(PlaylistError, match="a byte range is malformed or continues none"):
        rendition(*(f"#EXTINF:2,\n{tag}0.ts" for tag in tags))


def test_what_decrypts_a_segment_is_repeated_where_it_is_cut() -> None:
    stored = rendition(
        "#EXT-X-MEDIA-SEQUENCE:16",
        '#EXT-X-KEY:METHOD=AES-128,URI="a.key"',
        "#EXTINF:4,\n0.ts",
        "#EXTINF:4,\n1.ts",
        '#EXT-X-KEY:METHOD=AES-128,URI="b.key",IV=0x2A',
        "#EXTINF:4,\n2.ts",
        "#EXTINF:4,\n3.ts",
        "#EXT-X-KEY:METHOD=NONE",
        "#EXTINF:4,\n4.ts",
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://a",KEYFORMAT="com.apple.streamingkeydelivery"',
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="c.key",KEYFORMAT="org.example"',
        "#EXTINF:4,\n5.ts",
        "#EXT-X-KEY:METHOD=NONE",
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="c.key",KEYFORMAT="org.example"',
        "#EXTINF:4,\n6.ts",
    )
    a_key, b_key = '#EXT-X-KEY:METHOD=AES-128,URI="one:a.key"', '#EXT-X-KEY:METHOD=AES-128,URI="one:b.key",IV=0x2A'

    _, text = cut(Part(stored, 4_000), Part(stored, 12_000, 16_000), Part(stored, 0, 1))

    # Without an initialization vector, the number of the segment in the stored playlist is one.
    assert short(text).partition("VOD\n")[2] == (
        f"{a_key},IV=0x{17:032X}\n#EXTINF:4,\none:1.ts\n"
        f"{b_key}\n#EXTINF:4,\none:2.ts\n#EXTINF:4,\none:3.ts\n"
        "#EXT-X-KEY:METHOD=NONE\n#EXTINF:4,\none:4.ts\n"
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://a",KEYFORMAT="com.apple.streamingkeydelivery"\n'
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="one:c.key",KEYFORMAT="org.example"\n'
        "#EXTINF:4,\none:5.ts\n"
        '#EXT-X-KEY:METHOD=NONE\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI="one:c.key",KEYFORMAT="org.example"\n'
        "#EXTINF:4,\none:6.ts\n"
        "#EXT-X-DISCONTINUITY\n#EXT-X-KEY:METHOD=NONE\n"
        f"{b_key}\n#EXTINF:4,\none:3.ts\n"
        f"#EXT-X-DISCONTINUITY\n{a_key},IV=0x{16:032X}\n#EXTINF:4,\none:0.ts\n"
        "#EXT-X-ENDLIST\n"
    )


def test_parts_with_the_same_names_of_keys_have_each_their_own() -> None:
    stored = rendition('#EXT-X-KEY:METHOD=AES-128,URI="a.key",IV=0x1', "#EXTINF:4,\n0.ts")

    _, text = cut(Part(stored), Part(stored), files=[ONE, TWO])

    assert [key.uri for key in m3u8.loads(text).keys] == [
        "https://media.example.com/one/media/hls/720p30/a.key?q=1",
        "https://media.example.com/two/media/hls/720p30/a.key?q=2",
    ]


def test_the_initialization_section_is_repeated_where_a_part_is_cut() -> None:
    stored = rendition(
        '#EXT-X-KEY:METHOD=AES-128,URI="a.key",IV=0x1',
        '#EXT-X-MAP:URI="init.mp4",BYTERANGE="720@0"',
        '#EXT-X-KEY:METHOD=AES-128,URI="b.key",IV=0x2',
        "#EXTINF:4,\n0.m4s",
        "#EXTINF:4,\n1.m4s",
        '#EXT-X-KEY:METHOD=AES-128,URI="a.key",IV=0x1',
        '#EXT-X-MAP:URI="init2.mp4"',
        '#EXT-X-KEY:METHOD=AES-128,URI="b.key",IV=0x2',
        "#EXTINF:4,\n2.m4s",
    )

    _, text = cut(Part(stored, 4_000), Part(stored, 0, 1))

    init = (
        '#EXT-X-KEY:METHOD=AES-128,URI="one:a.key",IV=0x1\n#EXT-X-MAP:URI="one:init.mp4",BYTERANGE="720@0"\n'
        '#EXT-X-KEY:METHOD=AES-128,URI="one:b.key",IV=0x2\n'
    )
    init2 = init.replace('init.mp4",BYTERANGE="720@0"', 'init2.mp4"')
    assert "#EXT-X-VERSION:6\n" in text
    assert short(text).partition("VOD\n")[2] == (
        f"{init}#EXTINF:4,\none:1.m4s\n{init2}#EXTINF:4,\none:2.m4s\n#EXT-X-DISCONTINUITY\n{init}#EXTINF:4,\none:0.m4s\n#EXT-X-ENDLIST\n"
    )


def test_fragmented_mp4_and_mpeg_ts_do_not_make_one_rendition() -> None:
    fragmented = rendition('#EXT-X-MAP:URI="init.mp4"', "#EXTINF:4,\n0.m4s")
    with pytest.raises(EditError, match="fragmented MP4"):
        cut(Part(fragmented), Part(TEN))


def test_an_i_frame_playlist_is_cut_as_such() -> None:
    frames = rendition("#EXT-X-I-FRAMES-ONLY", *(f"#EXTINF:2,\n#EXT-X-BYTERANGE:9@{n}\n0.ts" for n in range(3)))

    _, text = cut(Part(frames, 2_000, 4_000))

    assert "#EXT-X-I-FRAMES-ONLY\n#EXTINF:2,\n#EXT-X-BYTERANGE:9@1\n" in text
    with pytest.raises(EditError, match="only I-frames"):
        cut(Part(frames), Part(TEN))


DATED = (
    "#EXT-X-PROGRAM-DATE-TIME:2026-03-04T10:05:09+01:00",
    "#EXTINF:4,\n0.ts",
    "#EXTINF:4,\n1.ts",
    "#EXT-X-DISCONTINUITY\n#EXTINF:4,\n2.ts",
    "#EXT-X-PROGRAM-DATE-TIME:2026-03-04T11:00:00Z\n#EXTINF:4,\n3.ts",
    "#EXT-X-PROGRAM-DATE-TIME:yesterday\n#EXTINF:4,\n4.ts",
    "#EXTINF:4,\n5.ts",
    "#EXT-X-PROGRAM-DATE-TIME:9999-12-31T23:59:59\n#EXTINF:4,\n6.ts",
    "#EXTINF:4,\n7.ts",
)


@pytest.mark.parametrize(
    ("start_ms", "date"),
    [
        (0, "2026-03-04T10:05:09+01:00"),
        (4_000, "2026-03-04T10:05:13.000+01:00"),
        # How long the break before it was is unknown.
        (8_000, None),
        (12_000, "2026-03-04T11:00:00Z"),
        (20_000, None),
        (28_000, None),
    ],
)
def test_the_first_segment_has_the_date_when_it_was_recorded(start_ms: int, date: str | None) -> None:
    _, text = cut(Part(rendition(*DATED), start_ms, start_ms + 1))
    assert re.findall("#EXT-X-PROGRAM-DATE-TIME:(.*)", text) == ([date] if date else [])


def test_other_renditions_are_cut_at_their_nearest_bounds() -> None:
    times = timeline([Part(seconds(10, 10, 10), 10_000, 20_000)])

    def kept(*durations: float) -> list[str]:
        text = edited_template(times, [seconds(*durations)]).finished([ONE]).decode()
        return re.findall(r"(\d+)\.ts", text)

    assert kept(10, 10, 10) == ["1"]
    assert kept(10.005, 9.99, 10.1) == ["1"]
    assert kept(4, 4, 4, 4, 4, 4) == ["2", "3", "4"]
    # Each part is in each rendition, also in one that ends early.
    assert kept(9, 30) == ["1"]
    assert kept(40) == ["0"]
    assert kept(3, 3) == ["1"]
    with pytest.raises(EditError, match="a rendition has no segments"):
        kept()


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["0.ts"], "a segment has no usable duration"),
        (["#EXTINF:nan,\n0.ts"], "a segment has no usable duration"),
        (["#EXTINF:long,\n0.ts"], "a segment has no usable duration"),
        (["#EXTINF:-1,\n0.ts"], "a segment has no usable duration"),
        (["#EXT-X-MEDIA-SEQUENCE:-1"], "it has no number where one must be: '-1'"),
        (["#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8"], "it is a multivariant playlist"),
        (["#EXTINF:1,\n../0.ts"], "it names no file of the recording: '../0.ts'"),
        (['#EXT-X-KEY:METHOD=AES-128,URI="../a.key"'], "it names no file of the recording: '../a.key'"),
    ],
)
def test_a_playlist_that_cannot_be_cut_is_refused(lines: list[str], problem: str) -> None:
    with pytest.raises(PlaylistError, match=re.escape(problem)):
        rendition(*lines)


def test_a_segment_that_was_cut_off_is_left_out() -> None:
    assert len(rendition("#EXTINF:1,\n0.ts", "#EXTINF:1,").segments) == 1


# The renditions


def variant(name: str, bandwidth: int, size: str, codecs: str = "avc1.4D401F,mp4a.40.2", more: str = "") -> str:
    resolution = f"RESOLUTION={size}," if size else ""
    return f'#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},{resolution}CODECS="{codecs}"{more}\n{name}/playlist.m3u8'


def edited(*parts: list[str], head: str = "#EXTM3U\n#EXT-X-VERSION:3") -> tuple[str, Any]:
    stored = [stored_multivariant("\n".join([head, *part]).encode(), HLS) for part in parts]
    found = edited_multivariant(stored)
    paths = [
        tuple(path.removeprefix(f"{HLS}/").removesuffix("/playlist.m3u8") for path in same) for same in found.paths
    ]
    return found.content.decode(), paths


IVS = [
    '#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID="720p60",NAME="720p60",AUTOSELECT=YES,DEFAULT=YES',
    variant("720p60", 3_400_000, "1280x720", "avc1.4D4020,mp4a.40.2", ',VIDEO="720p60",FRAME-RATE=60.000'),
    '#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID="160p30",NAME="160p30",AUTOSELECT=YES,DEFAULT=YES',
    variant("160p30", 230_000, "284x160", more=',VIDEO="160p30",FRAME-RATE=30.000'),
]


def test_a_trim_has_all_renditions_of_its_recording() -> None:
    text, paths = edited(IVS, head="#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-INDEPENDENT-SEGMENTS")

    assert paths == [("720p60",), ("160p30",)]
    assert text == (
        "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        '#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID="720p60",NAME="720p60",AUTOSELECT=YES,DEFAULT=YES\n'
        '#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID="160p30",NAME="160p30",AUTOSELECT=YES,DEFAULT=YES\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=3400000,RESOLUTION=1280x720,CODECS="avc1.4D4020,mp4a.40.2",VIDEO="720p60",'
        "FRAME-RATE=60.000\nedited/0.m3u8\n"
        '#EXT-X-STREAM-INF:BANDWIDTH=230000,RESOLUTION=284x160,CODECS="avc1.4D401F,mp4a.40.2",VIDEO="160p30",'
        "FRAME-RATE=30.000\nedited/1.m3u8\n"
    )


def test_a_join_has_the_renditions_that_all_recordings_have_described_by_the_greatest() -> None:
    other = [
        variant("1080p30", 6_000_000, "1920x1080"),
        variant("720p30", 2_373_000, "1280x720", "avc1.640028,mp4a.40.2", ',VIDEO="720p30"'),
        variant("360p30", 630_000, "640x360"),
        # The other recording was made in another format.
        variant("160p30", 260_000, "214x160", more=',VIDEO="160p30 of 4:3"'),
        variant("audio_only", 160_000, "", "mp4a.40.2"),
    ]

    text, paths = edited(IVS, other)

    assert paths == [("720p60", "720p30"), ("160p30", "160p30")]
    variants = m3u8.loads(text).playlists
    assert [(each.uri, each.stream_info.bandwidth, each.stream_info.resolution) for each in variants] == [
        ("edited/0.m3u8", 3_400_000, (1280, 720)),
        ("edited/1.m3u8", 260_000, (214, 160)),
    ]
    # A group that is nowhere described is not named.
    assert [each.stream_info.video for each in variants] == ["720p60", None]
    assert [each.group_id for each in m3u8.loads(text).media] == ["720p60"]


def test_two_renditions_of_one_height_go_by_their_bandwidth() -> None:
    one = [variant("720p30", 2_000_000, "1280x720"), variant("720p60", 3_000_000, "1280x720")]
    other = [variant("720p60", 3_500_000, "1280x720"), variant("720p30", 1_500_000, "1280x720")]
    assert edited(one, other)[1] == [("720p60", "720p60"), ("720p30", "720p30")]
    assert edited(one, other[1:])[1] == [("720p60", "720p30")]


def test_recordings_of_no_common_height_make_one_rendition_of_their_best() -> None:
    sound = variant("audio_only", 160_000, "", "mp4a.40.2")
    one = [variant("480p30", 1_000_000, "852x480"), variant("1080p30", 6_000_000, "1920x1080"), sound]
    other = [variant("720p30", 2_000_000, "1280x720"), sound]

    text, paths = edited(one, other)

    assert paths == [("1080p30", "720p30"), ("audio_only", "audio_only")]
    assert m3u8.loads(text).playlists[0].stream_info.resolution == (1920, 1080)


def test_audio_only_recordings_are_joined() -> None:
    sound = [variant("audio_only", 160_000, "", "mp4a.40.2")]
    assert edited(sound, sound)[1] == [("audio_only", "audio_only")]


@pytest.mark.parametrize(
    "other",
    [
        [variant("720p30", 2_000_000, "1280x720", "hvc1.1.6.L93.B0,mp4a.40.2")],
        [variant("audio_only", 160_000, "", "mp4a.40.2")],
        ["# nothing"],
        ["#EXT-X-STREAM-INF:BANDWIDTH=1\nhttps://other.example.org/a.m3u8"],
    ],
)
def test_recordings_with_nothing_in_common_are_refused(other: list[str]) -> None:
    with pytest.raises(EditError, match="the recordings have no rendition in common"):
        edited(IVS, other)


def sound(group: str, name: str, uri: str = "") -> str:
    return f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{group}",NAME="{name}"' + (f',URI="{uri}/playlist.m3u8"' if uri else "")


def subtitles(name: str) -> str:
    return f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="{name}",URI="{name}/playlist.m3u8"'


def test_separate_audio_subtitles_and_i_frames_are_joined_too() -> None:
    frames = '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=9000,RESOLUTION=1280x720,CODECS="avc1.4D401F",URI="frames.m3u8"'
    more = ',AUDIO="aac",SUBTITLES="text",CLOSED-CAPTIONS=NONE'
    of_both = [variant("720p30", 2_000_000, "1280x720", more=more), sound("aac", "English", "en"), frames]

    text, paths = edited(
        [*of_both, sound("aac", "Français", "fr"), subtitles("de"), sound("unused", "Greek", "el")],
        [*of_both, subtitles("de")],
        [*of_both, subtitles("de"), subtitles("it")],
    )

    assert paths == [("720p30",) * 3, ("en",) * 3, ("de",) * 3, ("frames.m3u8",) * 3]
    assert text == (
        "#EXTM3U\n#EXT-X-VERSION:3\n"
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="English",URI="edited/1.m3u8"\n'
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="de",URI="edited/2.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=2000000,RESOLUTION=1280x720,CODECS="avc1.4D401F,mp4a.40.2",AUDIO="aac",'
        'SUBTITLES="text",CLOSED-CAPTIONS=NONE\nedited/0.m3u8\n'
        '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=9000,RESOLUTION=1280x720,CODECS="avc1.4D401F",URI="edited/3.m3u8"\n'
    )


def test_two_lines_with_one_playlist_have_one_address() -> None:
    audio = [
        sound("aac", "English", "en"),
        variant("720p30", 2_000_000, "1280x720", more=',AUDIO="aac"'),
        variant("en", 160_000, "", "mp4a.40.2", ',AUDIO="aac"'),
    ]
    text, paths = edited(audio, audio)
    assert paths == [("720p30", "720p30"), ("en", "en")]
    assert text.count("edited/1.m3u8") == 2


def test_subtitles_that_one_recording_lacks_are_left_out_and_audio_is_not() -> None:
    with_text = [variant("720p30", 2_000_000, "1280x720", more=',SUBTITLES="text"'), subtitles("de")]
    text, paths = edited(with_text, [variant("720p30", 1_000_000, "1280x720")])
    assert paths == [("720p30", "720p30")]
    assert "SUBTITLES" not in text

    apart = variant("720p30", 2_000_000, "1280x720", more=',AUDIO="aac"')
    with pytest.raises(EditError, match="the recordings have no audio in common"):
        edited([apart, sound("aac", "English", "en")], [apart, sound("aac", "Greek", "el")])
    # In one recording the audio is in the same files as the video.
    with pytest.raises(EditError, match="the recordings have no rendition in common"):
        edited([apart, sound("aac", "English", "en")], [apart, sound("aac", "English")])


def test_a_multivariant_playlist_that_cannot_be_read_is_refused() -> None:
    for lines, problem in (
        (["#EXTINF:1,\n0.ts"], "it is a media playlist"),
        (["#EXT-X-STREAM-INF:BANDWIDTH=much\na.m3u8"], "it has no number where one must be: 'much'"),
        (["#EXT-X-STREAM-INF:BANDWIDTH=1\n../a.m3u8"], "it names no file of the recording: '../a.m3u8'"),
    ):
        with pytest.raises(PlaylistError, match=re.escape(problem)):
            edited(lines)


# By chance

MICROSECONDS = st.sampled_from([0, 1, 499, 2_000_000, 4_004_004, 9_966_667, 10_000_000]) | st.integers(0, 12_000_000)
KEYS = st.sampled_from(
    [
        "#EXT-X-KEY:METHOD=NONE",
        '#EXT-X-KEY:METHOD=AES-128,URI="a.key"',
        '#EXT-X-KEY:METHOD=AES-128,URI="b.key",IV=0x7',
        "#EXT-X-DISCONTINUITY",
        "#EXT-X-PROGRAM-DATE-TIME:2026-03-04T09:05:09.120Z",
    ]
)


@st.composite
def renditions(draw: st.DrawFn) -> str:
    lines = [f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:{draw(st.integers(0, 99))}"]
    in_ranges = draw(st.booleans())
    if draw(st.booleans()):
        lines.append('#EXT-X-MAP:URI="init.mp4"')
    for number, microseconds in enumerate(draw(st.lists(MICROSECONDS, min_size=1, max_size=9))):
        lines += draw(st.lists(KEYS, max_size=2))
        lines.append(f"#EXTINF:{microseconds / 1_000_000:.6f},")
        if in_ranges:
            offset = "" if number and draw(st.booleans()) else f"@{draw(st.integers(0, 99))}"
            lines.append(f"#EXT-X-BYTERANGE:{draw(st.integers(1, 99))}{offset}")
        lines.append("all.ts" if in_ranges else f"{number}.ts")
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def read(text: str, folder: str) -> list[Any]:
    """What a player needs of each segment: file, bytes, duration, key with vector, initialization section."""
    found, segments, end = m3u8.loads(text, uri=f"{folder}/playlist.m3u8"), [], 0
    for number, segment in enumerate(found.segments, found.media_sequence or 0):
        length, offset = 0, 0
        if segment.byterange:
            size, _, start = segment.byterange.partition("@")
            length, offset = int(size), int(start or end)
            end = offset + length
        key = None
        if segment.key and segment.key.method != "NONE":
            vector = int(segment.key.iv, 16) if segment.key.iv else number
            key = (segment.key.method, segment.key.absolute_uri, vector)
        init = segment.init_section and segment.init_section.absolute_uri
        segments.append((segment.absolute_uri, length, offset, segment.duration, key, init))
    return segments


WINDOWS = st.tuples(st.none() | st.integers(-9, 20_000), st.none() | st.integers(1, 60_000))
STORED = f"https://media.example.com/{{}}/{FOLDER}"


@given(st.lists(st.tuples(renditions(), WINDOWS), min_size=1, max_size=3))
@settings(max_examples=1000 if THOROUGH else 150, deadline=None, database=None)
def test_a_join_is_the_concatenation_of_contiguous_runs_of_its_recordings(
    chosen: list[tuple[str, tuple[int | None, int | None]]],
) -> None:
    parts = [Part(stored_rendition(text.encode(), FOLDER), *window) for text, window in chosen]
    files = [(f"https://media.example.com/{number}", "") for number in range(len(parts))]
    try:
        times, text = cut(*parts, files=files)
    except EditError:
        return

    joined, expected = read(text, "https://api.example.com/play"), []
    starts = set()
    for number, (part, (stored, _), cut_at) in enumerate(zip(parts, chosen, times.cuts, strict=True)):
        all_segments, bounds = read(stored, STORED.format(number)), part.reference.bounds_ms
        start, end = part.start_ms or 0, bounds[-1] if part.end_ms is None else part.end_ms
        kept = [n for n in range(len(all_segments)) if min(end, bounds[n + 1]) > max(start, bounds[n])]
        # It is contiguous: what is so short that it overlaps by nothing is kept between two others.
        run = all_segments[kept[0] : kept[-1] + 1]
        assert (bounds[kept[0]], bounds[kept[-1] + 1]) == (cut_at.start_ms, cut_at.end_ms)
        alone = read(cut(part, files=[files[number]])[1], "https://api.example.com/play")
        assert [item for item in alone if item[3] >= 0.001] == [item for item in run if item[3] >= 0.001]
        starts.add(len(expected))
        expected += alone
    assert joined == expected

    playlist = m3u8.loads(text)
    assert all(playlist.segments[number].discontinuity for number in starts - {0})
    assert not playlist.segments[0].discontinuity
    assert playlist.is_endlist
    assert playlist.media_sequence == 0
    assert all(int(segment.duration + 0.5) <= playlist.target_duration for segment in playlist.segments)
    assert abs(sum(segment.duration for segment in playlist.segments) * 1000 - times.duration_ms) <= len(parts)


@given(renditions(), WINDOWS)
@settings(max_examples=1000 if THOROUGH else 100, deadline=None, database=None)
def test_a_cut_at_its_own_real_times_is_the_same(text: str, window: tuple[int | None, int | None]) -> None:
    stored = stored_rendition(text.encode(), FOLDER)
    try:
        once = timeline([Part(stored, *window)])
    except EditError:
        return
    assert timeline([Part(stored, once.cuts[0].start_ms, once.cuts[0].end_ms)]) == once


@given(st.lists(st.tuples(renditions(), WINDOWS), min_size=1, max_size=3), st.integers(0, 400_000))
@settings(max_examples=1000 if THOROUGH else 100, deadline=None, database=None)
def test_each_time_of_an_edited_video_has_one_place(
    chosen: list[tuple[str, tuple[int | None, int | None]]], at_ms: int
) -> None:
    try:
        times = timeline([Part(stored_rendition(text.encode(), FOLDER), *window) for text, window in chosen])
    except EditError:
        return
    assert [each.at_ms for each in times.cuts] == [0, *accumulate(each.duration_ms for each in times.cuts[:-1])]
    if at_ms < times.duration_ms:
        part, within_ms = times.part_time(at_ms)
        cut = times.cuts[part]
        assert cut.start_ms <= within_ms < cut.end_ms
        assert cut.at_ms + within_ms - cut.start_ms == at_ms


LINES = st.lists(
    st.builds(
        "{}{}".format,
        st.sampled_from(["", "#", "#EXTINF:", "#EXT-X-BYTERANGE:", "#EXT-X-KEY:", "#EXT-X-MAP:URI=", "#EXT-X-VERSION:"])
        | st.sampled_from(["#EXT-X-STREAM-INF:", "#EXT-X-MEDIA:", "#EXT-X-MEDIA-SEQUENCE:", "#EXT-X-GAP"])
        | st.just("#EXT-X-PROGRAM-DATE-TIME:"),
        st.text(max_size=12) | st.sampled_from(["0.ts", "1", "1@2", "BANDWIDTH=1", "TYPE=AUDIO,URI=a", "9999-12-31"]),
    ),
    max_size=12,
)


@given(LINES)
@settings(max_examples=3000 if THOROUGH else 300, deadline=None, database=None)
def test_any_text_is_parsed_or_refused(lines: list[str]) -> None:
    content = "\n".join(["#EXTM3U", *lines]).encode()
    with suppress(PlaylistError, EditError):
        cut(Part(stored_rendition(content, FOLDER)))
    with suppress(PlaylistError, EditError):
        edited_multivariant([stored_multivariant(content, HLS)] * 2)


def test_dates_follow_the_segments_of_a_whole_day() -> None:
    day = rendition("#EXT-X-PROGRAM-DATE-TIME:2026-03-04T00:00:00Z", *(f"#EXTINF:10.01,\n{n}.ts" for n in range(8640)))
    last = day.segments[-1]
    assert last.date is not None
    assert last.date - day.segments[0].date == timedelta(seconds=10.01) * 8639


# What a video shows, and its times after another edit


def shown(*parts: tuple[str, int, int]) -> list[Shown]:
    at_ms = [0, *accumulate(end - start for _, start, end in parts)]
    return [Shown(("b", name), Cut(start, end, at)) for (name, start, end), at in zip(parts, at_ms, strict=False)]


WHOLE, TRIMMED = shown(("one", 0, 60)), shown(("one", 10, 40))
JOINED = shown(("two", 5, 20), ("one", 10, 40))


@pytest.mark.parametrize(
    ("video", "window", "inside"),
    [
        (WHOLE, (None, None), WHOLE),
        (WHOLE, (10, 40), TRIMMED),
        (TRIMMED, (5, None), shown(("one", 15, 40))),
        (JOINED, (10, 20), shown(("two", 15, 20), ("one", 10, 15))),
        (JOINED, (15, 99), TRIMMED),
        (JOINED, (None, 15), shown(("two", 5, 20))),
        (JOINED, (45, 50), []),
        ([], (0, 5), []),
    ],
)
def test_a_window_of_a_video_is_one_of_its_recordings(video: Any, window: Any, inside: Any) -> None:
    assert parts.windows(video, *window) == inside


def named(*chapters: tuple[int, str]) -> list[Chapter]:
    return [{"at_ms": at_ms, "title": title} for at_ms, title in chapters]


@pytest.mark.parametrize(
    ("before", "chapters", "after", "then"),
    [
        (WHOLE, [(0, "a"), (59, "b")], WHOLE, [(0, "a"), (59, "b")]),
        # One that goes on in a window begins with it.
        (WHOLE, [(0, "a"), (20, "b"), (40, "c")], TRIMMED, [(0, "a"), (10, "b")]),
        (WHOLE, [(10, "a")], TRIMMED, [(0, "a")]),
        (WHOLE, [(39, "a"), (50, "b")], TRIMMED, [(29, "a")]),
        (TRIMMED, [(0, "a"), (5, "b")], WHOLE, [(10, "a"), (15, "b")]),
        (TRIMMED, [(5, "a")], JOINED, [(20, "a")]),
        (JOINED, [(3, "a"), (20, "b")], TRIMMED, [(5, "b")]),
        (WHOLE, [(5, "a")], [], []),
        ([], [(5, "a")], WHOLE, []),
    ],
)
def test_a_chapter_stays_at_what_it_names(before: Any, chapters: Any, after: Any, then: Any) -> None:
    found = recorded_chapters(before, named(*chapters))
    assert shown_chapters(found, after) == named(*then)
    # What was cut away comes back, and nothing comes twice.
    cut = cut_chapters(found, after)
    assert sorted(recorded_chapters(after, named(*then), cut)) == sorted(found)
