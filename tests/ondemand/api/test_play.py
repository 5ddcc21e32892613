"""Playlists and pictures by the URLs that players load, in signed and in direct delivery."""

import gzip
import re
import tracemalloc
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from django.test import Client

from ondemand.models import Video
from ondemand.playback import delivery
from tests.support.delivery import FACTS, HLS, MEDIA, MULTIVARIANT, fetched, sign_with
from tests.support.helpers import bearer, make_token, make_video
from tests.support.road import BUCKET, PREFIX, put
from tests.support.signing import KINDS
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db
URL = re.compile(rf"https://media\.example\.com/{PREFIX}/\S+")


def play(video: Video, path: str = "master.m3u8", **headers: str) -> Any:
    return Client().get(f"/play/{video.pk}/{path}", headers=headers)


def policy_of(url: str) -> str:
    text = parse_qs(urlsplit(url).query)["Policy"][0]
    return b64decode(text.translate(str.maketrans("-_~", "+=/"))).decode()


@pytest.mark.parametrize("kind", KINDS)
def test_the_playlists_of_a_public_video_lead_to_segments_that_the_media_host_serves(
    recorded: Video, aws: LocalAws, settings: Any, kind: str
) -> None:
    sign_with(settings, aws, kind)
    document = Client().get(f"/on-demand/{recorded.pk}").json()
    assert document["location"] == f"http://testserver/play/{recorded.pk}/master.m3u8"
    master = Client().get(document["location"], headers={"Origin": "https://www.example.org"})
    assert master["Content-Type"] == "application/vnd.apple.mpegurl"
    assert master["Cache-Control"].startswith("public, max-age=120")
    assert master["Access-Control-Allow-Origin"] == "*"
    lines = master.content.decode().splitlines()
    assert lines[2] == f"{HLS}/720p30/playlist.m3u8"
    for path in (lines[2], f"{HLS}/audio/playlist.m3u8"):
        variant = play(recorded, path).content.decode()
        segments = [line for line in variant.splitlines() if not line.startswith("#")]
        assert len(segments) == 2
        assert all(URL.fullmatch(segment) for segment in segments)
    first = play(recorded, lines[2]).content.decode().splitlines()[3]
    assert fetched(aws, first) == 200
    assert fetched(aws, first.partition("?")[0]) == 403
    assert f'"Resource":"https://media.example.com/{PREFIX}/*"' in policy_of(first)


def test_pictures_have_stable_urls_that_redirect_to_signed_ones(recorded: Video, signed: LocalAws) -> None:
    document = Client().get(f"/on-demand/{recorded.pk}").json()
    url = f"http://testserver/play/{recorded.pk}/{FACTS['thumbnails'][1]}"
    assert document["thumbnails"][1] == url
    redirect = Client().get(url)
    assert (redirect.status_code, redirect["Cache-Control"][:20]) == (302, "public, max-age=120,")
    assert fetched(signed, redirect["Location"]) == 200
    # The signature is of this picture alone.
    assert fetched(signed, redirect["Location"].replace("thumb1", "thumb0")) == 403


def test_a_chosen_picture_of_the_recording_is_shown_by_its_stable_url(
    recorded: Video, signed: LocalAws, api_key: str
) -> None:
    stable = f"http://testserver/play/{recorded.pk}/{FACTS['thumbnails'][2]}"
    for given in (FACTS["thumbnails"][2], recorded.url_of(FACTS["thumbnails"][2]), stable):
        answer = Client().patch(
            f"/on-demand/{recorded.pk}", {"thumbnail": given}, "application/json", headers=bearer(api_key)
        )
        assert answer.json()["content"]["thumbnail"] == stable
        Client().patch(f"/on-demand/{recorded.pk}", {"thumbnail": ""}, "application/json", headers=bearer(api_key))


@pytest.mark.parametrize(
    "path",
    [
        *("", "other.m3u8", "media/hls/master.m3u8x", "media/hls/../../events/recording-ended.json", "/etc/passwd"),
        *("media/hls/720p30/0.ts", "media/hls/480p30/playlist.m3u8", "events/recording-ended.json", "%00", "a" * 2000),
        *("media/thumbnails/thumb9.jpg", "media%2Fhls%2F720p30%2Fplaylist.m3u8%2F.."),
    ],
)
def test_no_other_object_can_be_asked_for(recorded: Video, signed: LocalAws, path: str) -> None:
    assert play(recorded, path).status_code in {400, 404}


def test_a_video_that_is_hidden_or_needs_a_grant_stops_at_the_next_request(
    recorded: Video, signed: LocalAws, api_key: str, settings: Any
) -> None:
    settings.ANSWER_CACHE = True
    assert play(recorded).status_code == 200
    curator, reader = (bearer(make_token(*scopes)[1]) for scopes in (("curate",), ("read", "playback", "channels")))
    for change in ({"active": False}, {"active": True, "playback": "grant"}):
        Client().patch(f"/on-demand/{recorded.pk}", change, "application/json", headers=bearer(api_key))
        for path in ("master.m3u8", f"{HLS}/720p30/playlist.m3u8", FACTS["thumbnails"][0]):
            assert play(recorded, path).status_code == play(recorded, path, **reader).status_code == 404
            answer = play(recorded, path, **curator)
            assert (answer.status_code in {200, 302}, answer["Cache-Control"]) == (True, "private, no-store")


def test_a_popular_video_costs_one_read_of_s3_for_the_life_of_a_playlist(
    recorded: Video, signed: LocalAws, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = []
    real = delivery.aws.object_read
    monkeypatch.setattr(delivery.aws, "object_read", lambda **named: reads.append(named["key"]) or real(**named))
    for _ in range(3):
        assert play(recorded, f"{HLS}/720p30/playlist.m3u8").status_code == 200
    assert reads == [f"{PREFIX}/{HLS}/720p30/playlist.m3u8"]


def test_what_s3_cannot_give_is_an_error_and_nothing_is_kept(recorded: Video, signed: LocalAws) -> None:
    s3 = boto3.client("s3")
    for content in (
        b"no playlist",
        b"#EXTM3U\n" * 600_000,
        MULTIVARIANT.replace("720p30/", "../../../../other/").encode(),
    ):
        put(f"{PREFIX}/{HLS}/master.m3u8", content)
        answer = play(recorded)
        assert (answer.status_code, answer.json()["code"]) == (502, "playlist_unreadable")
        assert "other" not in answer["Cache-Control"]
    s3.delete_object(Bucket=BUCKET, Key=f"{PREFIX}/{HLS}/master.m3u8")
    assert play(recorded).status_code == 502
    put(f"{PREFIX}/{HLS}/master.m3u8", MULTIVARIANT.encode())
    assert play(recorded).status_code == 200


@pytest.mark.parametrize("prefix", ["ivs", "ivs/v1", "ivs/v1/111122223333/AjIhKtJ0RlgL/2026", "ivs/*", PREFIX + "*"])
def test_a_row_with_a_prefix_that_is_cut_off_or_has_a_wildcard_opens_no_recording(
    recorded: Video, signed: LocalAws, prefix: str
) -> None:
    put(f"{prefix}/{HLS}/master.m3u8", MULTIVARIANT.encode())
    put(f"{prefix}/{HLS}/720p30/playlist.m3u8", MEDIA.encode())
    short = make_video(bucket=BUCKET, prefix=prefix, facts=FACTS)
    assert play(short, f"{HLS}/720p30/playlist.m3u8").status_code == 502


def test_direct_delivery_serves_playlists_without_signatures_and_shows_the_files(recorded: Video) -> None:
    document = Client().get(f"/on-demand/{recorded.pk}").json()
    assert document["location"] == f"https://media.example.com/{PREFIX}/{HLS}/master.m3u8"
    segments = play(recorded, f"{HLS}/720p30/playlist.m3u8").content.decode().splitlines()[3]
    assert segments == f"https://media.example.com/{PREFIX}/{HLS}/720p30/0.ts"


def test_the_signature_of_a_public_video_ends_at_a_whole_hour_after_the_video_and_a_pause() -> None:
    video, at = Video(duration_ms=3 * 3600 * 1000), datetime(2026, 3, 4, 9, 20, tzinfo=UTC)
    assert delivery.shared_end(video, at) == datetime(2026, 3, 5, 1, tzinfo=UTC)
    assert delivery.shared_end(video, at.replace(minute=59)) == datetime(2026, 3, 5, 1, tzinfo=UTC)


def test_rotation_of_the_signing_key_refuses_no_player(recorded: Video, aws: LocalAws, settings: Any) -> None:
    path = f"{HLS}/720p30/playlist.m3u8"

    def segment() -> str:
        return play(recorded, path).content.decode().splitlines()[3]

    sign_with(settings, aws, "ecdsa", 0)
    old = segment()
    # The key group trusts both, then the service signs with the new one.
    sign_with(settings, aws, "ecdsa", 0, trusted=(1,))
    assert fetched(aws, old) == fetched(aws, segment()) == 200
    sign_with(settings, aws, "ecdsa", 1, trusted=(0,))
    assert fetched(aws, old) == fetched(aws, segment()) == 200
    sign_with(settings, aws, "ecdsa", 1)
    assert (fetched(aws, old), fetched(aws, segment())) == (403, 200)


def test_a_cold_playlist_of_four_hours_is_one_read_and_little_memory(
    recorded: Video, signed: LocalAws, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_with(settings, signed, "rsa")
    segments = "".join(f"#EXTINF:10.000000,\n{number}.ts\n" for number in range(1440))
    path, reads, real = f"{HLS}/720p30/playlist.m3u8", [], delivery.aws.object_read
    put(f"{PREFIX}/{path}", f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n{segments}#EXT-X-ENDLIST\n".encode())
    play(recorded, "master.m3u8")
    monkeypatch.setattr(delivery.aws, "object_read", lambda **named: reads.append(named["key"]) or real(**named))
    tracemalloc.start()
    try:
        content = Client().get(f"/play/{recorded.pk}/{path}").content
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert content.count(b"Signature=") == 1440
    assert reads == [f"{PREFIX}/{path}"]
    assert peak < 20_000_000
    small = play(recorded, path, **{"Accept-Encoding": "gzip"})
    assert (small["Content-Encoding"], len(small.content) < len(content) / 50) == ("gzip", True)
    assert gzip.decompress(small.content) == content
