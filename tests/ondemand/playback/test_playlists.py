"""Playlists as they are served: their URIs are rewritten, and nothing else."""

import re
from typing import Any
from urllib.parse import quote, urljoin

import m3u8
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ondemand.playback.playlists import media_template, multivariant_template
from ondemand.recordings.playlists import PlaylistError
from tests.support.helpers import THOROUGH

FILES = "https://media.example.com/ivs/v1/111122223333/AjIhKtJ0RlgL/2026/3/4/9/5/KOmxgJTeKdNn"
QUERY = "?Policy=eyJTd-_~&Signature=abc~-_&Key-Pair-Id=K2JCJMDEHXQW5F"
HLS, FOLDER = "media/hls", "media/hls/720p30"
# Where a URI stands in the playlists below: <a file of the recording> or «a playlist of it», as seen from its folder.
FILE, PLAYLIST = re.compile(r"<(.*?)>"), re.compile("«(.*?)»")


def stored(text: str) -> bytes:
    return re.sub("[<>«»]", "", text).encode()


def served(text: str, folder: str, query: str = QUERY) -> str:
    text = FILE.sub(lambda found: f"{FILES}/{folder}/{quote(found[1])}{query}", text)
    return PLAYLIST.sub(lambda found: f"{folder}/{quote(found[1])}", text)


IVS_VARIANT = """#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:10
#ID3-EQUIV-TDTG:2026-03-04T10:13:08
#EXT-X-PLAYLIST-TYPE:EVENT
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-TWITCH-ELAPSED-SECS:0.000
#EXT-X-TWITCH-TOTAL-SECS:22.500
#EXT-X-PROGRAM-DATE-TIME:2026-03-04T09:05:09.120Z
#EXTINF:10.000,
<0.ts>
#EXTINF:10.000,a title, with a comma
<1.ts>
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-03-04T09:06:00Z
#EXTINF:2.500,
<2.ts>
#EXT-X-ENDLIST
"""
MEDIA = {
    "IVS": IVS_VARIANT,
    "Windows line ends": IVS_VARIANT.replace("\n", "\r\n"),
    "no line end at the end": IVS_VARIANT[:-1],
    "blank lines and comments": IVS_VARIANT.replace("\n", "\n\n# a comment: URI=\"0.ts\"\n \t\n"),
    "byte ranges": """#EXTM3U
#EXT-X-VERSION:4
#EXT-X-TARGETDURATION:2
#EXTINF:2.000,
#EXT-X-BYTERANGE:150400@0
<0.ts>
#EXTINF:2.000,
#EXT-X-BYTERANGE:161304
<0.ts>
#EXTINF:2.000,
#EXT-X-BYTERANGE:99828@0
<1.ts>
#EXT-X-ENDLIST
""",
    "fragmented MP4": """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="<init.mp4>",BYTERANGE="720@0"
#EXTINF:6.006,
#EXT-X-BITRATE:1500
<0.m4s>
#EXT-X-DISCONTINUITY
#EXT-X-MAP:BYTERANGE="720@0",X-NOTE="URI=none, really",URI="<deeper/init 2.mp4>"
#EXT-X-GAP
#EXTINF:6.006,
<deeper/1.m4s>
#EXT-X-ENDLIST
""",
    "encrypted": """#EXTM3U
#EXT-X-VERSION:5
#EXT-X-TARGETDURATION:10
#EXT-X-KEY:METHOD=AES-128,URI="<keys/a,b.key>",IV=0x0000000000000000000000000000002A,X-URI="a.key"
#EXTINF:10.0,
<0.ts>
#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://key.example.org/7",KEYFORMAT="com.apple.streamingkeydelivery",KEYFORMATVERSIONS="1"
#EXTINF:10.0,
<1.ts>
#EXT-X-KEY:METHOD=AES-128,URI="https://keys.example.org/k?id=1,2"
#EXTINF:10.0,
<2.ts>
#EXT-X-KEY:METHOD=AES-128,URI="data:text/plain;base64,MDEyMzQ1Njc4OWFiY2RlZg=="
#EXTINF:10.0,
<3.ts>
#EXT-X-KEY:METHOD=NONE
#EXTINF:10.0,
<4.ts>
#EXT-X-ENDLIST
""",
    "subtitles": """#EXTM3U
#EXT-X-TARGETDURATION:30
#EXTINF:30,
<text 0.vtt>
#EXTINF:12.5,
<ünicode/1.vtt>
#EXT-X-ENDLIST
""",
    "I-frames": """#EXTM3U
#EXT-X-VERSION:4
#EXT-X-TARGETDURATION:2
#EXT-X-I-FRAMES-ONLY
#EXTINF:2.0,
#EXT-X-BYTERANGE:9400@376
<0.ts>
#EXTINF:2.0,
#EXT-X-BYTERANGE:7144@85164
<0.ts>
#EXT-X-ENDLIST
""",
    "low latency": """#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:4
#EXT-X-PART-INF:PART-TARGET=1.0
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3.0
#EXTINF:4.0,
<0.ts>
#EXT-X-PART:DURATION=1.0,INDEPENDENT=YES,URI="<1.0.ts>"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="<1.1.ts>"
#EXT-X-RENDITION-REPORT:URI="../160p30/playlist.m3u8",LAST-MSN=1
""",
    "files of others": """#EXTM3U
#EXT-X-TARGETDURATION:10
#EXT-X-DEFINE:NAME="host",VALUE="cdn"
#EXTINF:10,
https://{$host}.example.org/ads/0.ts?token=1
#EXTINF:10,
//cdn.example.org/ads/1.ts
#EXTINF:10,
<0.ts>
#EXT-X-ENDLIST
""",
    "unknown tags": """#EXTM3U
#EXT-X-TARGETDURATION:10
#EXT-X-OF-TOMORROW:URI="a/b.bin",LIST="1,2"
#EXT-X-DATERANGE:ID="7",START-DATE="2026-03-04T09:05:09Z",X-ASSET-URI="https://ads.example.org/1.m3u8"
#EXT-X-KEYS:URI="k"
#EXT-X-KEY:METHOD=NONE,URI=""
#EXT-X-CUE-OUT:30
#EXTINF:10,
<0.ts>
#EXT-X-ENDLIST
""",
    "nothing": "#EXTM3U",
}  # fmt: skip


@pytest.mark.parametrize("text", MEDIA.values(), ids=list(MEDIA))
def test_files_of_a_rendition_are_named_where_they_are_and_the_rest_stays(text: str) -> None:
    template = media_template(stored(text), FOLDER)

    assert template.finished(FILES, QUERY).decode() == served(text, FOLDER)
    # One template serves every viewer.
    assert template.finished(FILES).decode() == served(text, FOLDER, "")


IVS_MULTIVARIANT = """#EXTM3U
#EXT-X-SESSION-DATA:DATA-ID="NODE",VALUE="video-edge-a1b2c3.fra02, and more"
#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID="720p30",NAME="720p30",AUTOSELECT=YES,DEFAULT=YES
#EXT-X-STREAM-INF:BANDWIDTH=2373000,RESOLUTION=1280x720,CODECS="avc1.4D401F,mp4a.40.2",VIDEO="720p30",FRAME-RATE=30.000
«720p30/playlist.m3u8»
#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID="160p30",NAME="160p30",AUTOSELECT=YES,DEFAULT=YES
#EXT-X-STREAM-INF:BANDWIDTH=230000,RESOLUTION=284x160,CODECS="avc1.4D401F,mp4a.40.2",VIDEO="160p30",FRAME-RATE=30.000
«160p30/playlist.m3u8»
"""
MULTIVARIANT = {
    "IVS": (IVS_MULTIVARIANT, {"720p30/playlist.m3u8", "160p30/playlist.m3u8"}),
    "Windows line ends": (
        IVS_MULTIVARIANT.replace("\n", "\r\n"),
        {"720p30/playlist.m3u8", "160p30/playlist.m3u8"},
    ),
    "byte ranges": (
        IVS_MULTIVARIANT.replace("playlist.m3u8", "byte-range-variant.m3u8"),
        {"720p30/byte-range-variant.m3u8", "160p30/byte-range-variant.m3u8"},
    ),
    "separate audio, subtitles and I-frames": (
        """#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-SESSION-KEY:METHOD=AES-128,URI="<keys/1.key>"
#EXT-X-SESSION-DATA:DATA-ID="com.example.title",URI="<titles, all.json>"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="English, UK",DEFAULT=YES,URI="«sound/en,uk.m3u8»",CHANNELS="2"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="Français",LANGUAGE="fr",URI="«text/français.m3u8»"
#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC1",INSTREAM-ID="CC1"
#EXT-X-STREAM-INF:BANDWIDTH=2000000,CODECS="avc1.4D401F,mp4a.40.2",AUDIO="aac",SUBTITLES="text",CLOSED-CAPTIONS="cc"

# the best
«720p 30/playlist.m3u8»
#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS="mp4a.40.2",AUDIO="aac"
«sound/en,uk.m3u8»
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=100000,CODECS="avc1.4D401F",URI="«720p30/pictures.m3u8»"
#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=9000,RESOLUTION=160x90,CODECS="jpeg",URI="«pictures/list.m3u8»"
#EXT-X-CONTENT-STEERING:SERVER-URI="https://steering.example.org/a",PATHWAY-ID="A"
#EXT-X-STREAM-INF:BANDWIDTH=1
https://other.example.org/a.m3u8?b=c
""",
        {
            *("sound/en,uk.m3u8", "text/français.m3u8", "720p 30/playlist.m3u8", "720p30/pictures.m3u8"),
            "pictures/list.m3u8",
        },
    ),
}


@pytest.mark.parametrize(("text", "named"), MULTIVARIANT.values(), ids=list(MULTIVARIANT))
def test_playlists_are_named_below_the_address_of_the_video(text: str, named: set[str]) -> None:
    found = multivariant_template(stored(text), HLS)

    assert found.template.finished(FILES, QUERY).decode() == served(text, HLS)
    assert found.playlists == {f"{HLS}/{path}" for path in named}


def test_a_player_comes_from_the_address_of_the_video_to_its_playlists_and_files() -> None:
    found = multivariant_template(stored(IVS_MULTIVARIANT), HLS)
    address = "https://api.example.com/play/8d0c0b3e-5f0a-4d5e-9a53-1c2f5f1c7a10/master.m3u8"

    variants = m3u8.loads(found.template.finished(FILES, QUERY).decode(), uri=address).playlists

    assert {variant.absolute_uri for variant in variants} == {urljoin(address, path) for path in found.playlists}


def test_a_playlist_at_the_root_of_a_recording_is_served_too() -> None:
    assert multivariant_template(b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8", "").playlists == {"a.m3u8"}
    served_playlist = media_template(b"#EXTM3U\n#EXTINF:1,\n0.ts", "").finished(FILES, "?q")
    assert served_playlist == f"#EXTM3U\n#EXTINF:1,\n{FILES}/0.ts?q".encode()


def test_a_byte_order_mark_is_not_served() -> None:
    text = MEDIA["IVS"]
    served_playlist = media_template(b"\xef\xbb\xbf" + stored(text), FOLDER).finished(FILES, QUERY)
    assert served_playlist.decode() == served(text, FOLDER)


OUTSIDE = (
    "../160p30/0.ts",
    "..",
    "a/../../../0.ts",
    "%2e%2e/0.ts",
    "a/%2E./0.ts",
    "..%2f0.ts",
    "./0.ts",
    "/0.ts",
    "a//0.ts",
    "0.ts?a=b",
    "0.ts%3Fa",
    "0.ts#a",
    "0.ts%23a",
    "..\\0.ts",
    "..%5c0.ts",
    "https%3A//other.example.org/0.ts",
    "12:30.ts",
    "{$name}.ts",
    "x" * 801,
)


@pytest.mark.parametrize("uri", OUTSIDE)
def test_a_file_outside_of_the_recording_is_never_named(uri: str) -> None:
    for line in (f"#EXTINF:1,\n{uri}", f'#EXT-X-MAP:URI="{uri}"', f"#EXT-X-KEY:METHOD=AES-128,URI={uri}"):
        with pytest.raises(PlaylistError, match="it names no file of the recording"):
            media_template(f"#EXTM3U\n{line}\n".encode(), FOLDER)
    for line in (f"#EXT-X-STREAM-INF:BANDWIDTH=1\n{uri}", f'#EXT-X-MEDIA:TYPE=AUDIO,URI="{uri}"'):
        with pytest.raises(PlaylistError, match="it names no file of the recording"):
            multivariant_template(f"#EXTM3U\n{line}\n".encode(), HLS)


@pytest.mark.parametrize("line", ["a\rb.ts", "a\x00b", "#\x01", "#\x0bb.ts", "#\u2028b.ts", "#\x85b.ts", "#\x1cb.ts"])
def test_lines_that_readers_divide_differently_are_refused(line: str) -> None:
    for template in (media_template, multivariant_template):
        with pytest.raises(PlaylistError, match="it contains control characters"):
            template(f"#EXTM3U\n{line}\n".encode(), FOLDER)


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x00\xff\xfe", b"#EXTM3U\n" + b"a\n" * 150_000])
def test_what_is_no_playlist_is_refused(content: bytes) -> None:
    for template in (media_template, multivariant_template):
        with pytest.raises(PlaylistError):
            template(content, FOLDER)


def test_a_playlist_of_the_other_kind_is_refused() -> None:
    with pytest.raises(PlaylistError, match="it is a multivariant playlist"):
        media_template(stored(IVS_MULTIVARIANT), HLS)
    with pytest.raises(PlaylistError, match="it is a media playlist"):
        multivariant_template(stored(IVS_VARIANT), FOLDER)


# By chance

NAMES = st.from_regex(r"[a-z0-9 ,é%_-]{1,12}\.(ts|m4s|vtt)", fullmatch=True)
SAFE_URIS = st.one_of(NAMES.map(quote), st.tuples(NAMES, NAMES).map(lambda names: quote("/".join(names))))
OTHER_URIS = st.sampled_from(["https://other.example.org/0.ts?a=b", "//other.example.org/1.ts"])
QUOTED = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters='"'), max_size=9)
SECONDS = st.integers(0, 12_000_000).map(lambda micros: f"{micros / 1_000_000:.6f}")
HEADS = st.lists(
    st.one_of(
        st.just("#EXT-X-DISCONTINUITY"),
        st.just("#EXT-X-KEY:METHOD=NONE"),
        st.builds(
            '#EXT-X-KEY:METHOD=AES-128,X="{}",URI="{}",IV=0x{:032X}'.format, QUOTED, SAFE_URIS, st.integers(0, 9)
        ),
        st.builds('#EXT-X-MAP:URI="{}",BYTERANGE="{}@{}"'.format, SAFE_URIS, st.integers(1, 99), st.integers(0, 9)),
        st.builds("#EXT-X-PROGRAM-DATE-TIME:2026-03-04T09:05:{:02}Z".format, st.integers(0, 59)),
        st.builds("#EXT-X-UNKNOWN-{}".format, QUOTED),
        st.builds("# {}".format, QUOTED),
        st.sampled_from(["", " ", "\t", "##", "#EXT"]),
    ),
    max_size=4,
)
RANGES = st.none() | st.builds("#EXT-X-BYTERANGE:{}@{}".format, st.integers(1, 9**9), st.integers(0, 9**9))
PIECES = st.tuples(HEADS, SECONDS, QUOTED, RANGES, SAFE_URIS | OTHER_URIS)


@st.composite
def media_playlists(draw: st.DrawFn) -> str:
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:12", "#EXT-X-MEDIA-SEQUENCE:3"]
    for head, seconds, title, byte_range, uri in draw(st.lists(PIECES, max_size=8)):
        lines += [*head, f"#EXTINF:{seconds},{title}", *([byte_range] if byte_range else []), uri]
    return draw(st.sampled_from(["\n", "\r\n"])).join([*lines, "#EXT-X-ENDLIST", ""])


def read(text: str, address: str) -> list[Any]:
    """What a player reads in a playlist of one rendition."""
    found = m3u8.loads(text, uri=address)
    return [
        (
            segment.absolute_uri,
            *(segment.duration, segment.title, segment.byterange, segment.discontinuity, segment.program_date_time),
            segment.key and (segment.key.method, segment.key.uri and segment.key.absolute_uri, segment.key.iv),
            segment.init_section and (segment.init_section.absolute_uri, segment.init_section.byterange),
        )
        for segment in found.segments
    ]


@given(media_playlists())
@settings(max_examples=1000 if THOROUGH else 100, deadline=None, database=None)
def test_a_player_reads_the_same_segments_in_both(text: str) -> None:
    plain = media_template(text.encode(), FOLDER).finished(FILES).decode()

    # Unsigned, the same as at the place where the recording is stored.
    assert read(plain, "https://api.example.com/play/a/b.m3u8") == read(text, f"{FILES}/{FOLDER}/playlist.m3u8")


@given(media_playlists())
@settings(max_examples=1000 if THOROUGH else 100, deadline=None, database=None)
def test_every_line_that_holds_no_uri_is_unchanged_and_in_place(text: str) -> None:
    before = text.split("\n")
    after = media_template(text.encode(), FOLDER).finished(FILES, QUERY).decode().split("\n")

    assert len(after) == len(before)
    for old, new in zip(before, after, strict=True):
        if old.startswith(("#EXT-X-KEY:", "#EXT-X-MAP:")):
            assert re.sub('URI="[^"]*"', "", new) == re.sub('URI="[^"]*"', "", old)
        elif not old.strip() or old.startswith(("#", "http", "//")):
            assert new == old
        else:
            assert new.startswith(f"{FILES}/{FOLDER}/")
            assert new.removesuffix("\r").endswith(QUERY)


@given(
    st.text(max_size=40) | st.text('./%2eE5cf\\?#:a \t\n",={$', max_size=20),
    st.sampled_from(["", 'NAME="a,b",', 'NAME="a']),
)
@settings(max_examples=2000 if THOROUGH else 200, deadline=None, database=None)
def test_whatever_a_playlist_names_only_files_below_its_folder_are_signed(uri: str, before: str) -> None:
    for line in (uri, f'#EXT-X-KEY:{before}URI="{uri}"', f"#EXT-X-MAP:{before}URI={uri}"):
        try:
            found = media_template(f"#EXTM3U\n{line}\n".encode(), FOLDER)
        except PlaylistError:
            continue
        text = found.finished("FILES", "?Signature").decode()
        for signed in re.findall(r'[^\n"]*\?Signature', text):
            path = signed.removeprefix(f"FILES/{FOLDER}/").removesuffix("?Signature")
            assert re.fullmatch(r"[A-Za-z0-9_.~/%-]+", path)
            assert ".." not in path.split("/")
