"""A client written for the predecessor, in Node, notices nothing."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ivsvod.local.aws import LocalAws
from tests.support.helpers import OWNER, make_content, make_video

CLIENT = Path(__file__).parent.parent / "support" / "predecessor" / "client.mjs"
NODE = shutil.which("node")
VIDEO_FIELDS = {"uuid", "start_time", "duration_seconds", "location", "active", "content"}
HIT_FIELDS = {"on_demand_video_uuid", "title", "description", "tags", "thumbnail"}
WRITTEN = {
    "title": "Evening show",
    "description": "News",
    "tags": ["news"],
    "thumbnail": "https://www.example.com/b.jpg",
}


@pytest.mark.skipif(NODE is None, reason="needs Node")
@pytest.mark.django_db(transaction=True)
def test_a_client_of_the_predecessor_passes_unchanged(live_server: Any, aws: LocalAws, api_key: str) -> None:
    video = make_video()
    content = make_content(video)
    done = subprocess.run(
        [str(NODE), str(CLIENT), live_server.url, api_key, str(OWNER), str(video.uuid)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)

    assert told["created"]["status"] == 200
    assert {"arn", "rtmpAddress", "streamKey", "uuid"} <= set(told["created"]["body"])
    assert all(told["created"]["body"][name] for name in ("arn", "rtmpAddress", "streamKey", "uuid"))
    assert told["live"]["status"] == 200
    assert told["live"]["body"]["state"] == "offline"
    assert isinstance(told["live"]["body"]["timestamp"], int)
    assert (told["unknownLive"]["status"], told["unknownLive"]["body"]["error"]) == (404, "IVS Channel not found")

    assert told["list"]["status"] == 200
    assert told["list"]["body"]["page"] == 1
    (listed,) = told["list"]["body"]["data"]
    assert listed == told["video"]["body"]
    assert set(listed) >= VIDEO_FIELDS
    assert isinstance(listed["start_time"], int)
    assert listed["location"].startswith("https://media.example.com/ivs/v1/")
    assert set(listed["content"]) == {"title", "description", "tags", "thumbnail"}
    assert (told["malformed"]["status"], bool(told["malformed"]["body"]["error"])) == (400, True)

    assert told["written"]["status"] == 200
    assert {name: told["written"]["body"][name] for name in WRITTEN} == WRITTEN
    assert told["written"]["body"]["uuid"] == str(content.uuid)
    assert told["written"]["body"]["on_demand_video_uuid"] == str(video.uuid)
    assert told["written"]["body"]["created_at"].endswith("Z")
    assert (told["withoutKey"]["status"], bool(told["withoutKey"]["body"]["error"])) == (401, True)

    (hit,) = told["found"]["body"]["data"]
    assert set(hit) >= HIT_FIELDS
    assert {name: hit[name] for name in WRITTEN} == WRITTEN
    assert told["empty"]["body"]["data"] == []

    assert [told[name]["body"] for name in ("hidden", "shown", "hiddenAgain", "shownWithoutBody")] == ["OK"] * 4
    assert all(told[name]["ok"] for name in ("hidden", "shown", "hiddenAgain", "shownWithoutBody"))
    assert (told["afterHiding"]["status"], told["afterHiding"]["body"]["error"]) == (404, "Recording not found")
    assert told["afterShowing"]["body"]["content"] == WRITTEN
    assert told["afterShowing"]["body"]["active"] is True
