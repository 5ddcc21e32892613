"""Trimmed, joined and clipped videos, played by ffmpeg over HTTP from the first to the last second."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from ondemand.models import Video
from tests.support.delivery import sign_with
from tests.support.helpers import bearer, make_channel, make_token, make_video
from tests.support.http_player import http_player
from tests.support.road import BUCKET, put
from tools.local.aws import LocalAws
from tools.local.broadcast.recording import HLS_PATH, MULTIVARIANT, Rendition, make_recording

pytestmark = pytest.mark.django_db
# With segments of 4 seconds.
SECONDS = {"one": 11, "two": 9}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("http")
    for name, seconds in SECONDS.items():
        make_recording(folder / name, seconds=seconds, renditions=(Rendition("160p30", 284, 160),))
    return folder


@pytest.fixture
def videos(files: Path, aws: LocalAws) -> list[Video]:
    channel, made = make_channel(), []
    for name, seconds in SECONDS.items():
        prefix = f"ivs/v1/111122223333/AjIhKtJ0RlgL/2026/3/4/9/5/{name}"
        for path in (files / name).rglob("*.*"):
            put(f"{prefix}/{path.relative_to(files / name)}", path.read_bytes())
        facts = {"playlist": f"{HLS_PATH}/{MULTIVARIANT}", "renditions": [], "thumbnails": []}
        made.append(make_video(channel=channel, bucket=BUCKET, prefix=prefix, facts=facts, duration_ms=seconds * 1000))
    return made


@pytest.mark.parametrize("delivery", ["direct", "signed", "by a grant"])
def test_edited_videos_play_from_the_first_to_the_last_second(
    videos: list[Video], aws: LocalAws, settings: Any, delivery: str
) -> None:
    one, two = videos
    headers = bearer(make_token("read", "curate", "playback")[1])
    if delivery != "direct":
        sign_with(settings, aws, "ecdsa")

    def write(method: str, path: str, body: Any) -> Any:
        answer = Client().generic(method, f"/on-demand/{path}", body, "application/json", headers=headers)
        assert answer.status_code in {200, 201}, answer.content
        return answer.json()

    with http_player(aws, settings) as player:

        def plays(document: Any, seconds: int) -> None:
            location = document["location"]
            if delivery == "by a grant":
                write("PATCH", document["uuid"], '{"playback": "grant"}')
                location = write("POST", f"{document['uuid']}/playback-grants", "{}")["url"]
            assert document["duration_seconds"] == seconds
            assert player.video_seconds(location) == seconds
            assert player.audio_seconds(location) == pytest.approx(seconds, abs=0.2)

        plays(write("PATCH", f"{one.pk}", '{"trim": {"start_ms": 4500, "end_ms": 7000}}'), 4)
        plays(write("POST", f"{two.pk}/join", f'{{"with": ["{one.pk}"]}}'), 13)
        plays(write("POST", f"{two.pk}/clips", '{"start_ms": 8000, "end_ms": 12000, "active": true}'), 5)
        assert any("/two/" in path for path in player.loaded)
