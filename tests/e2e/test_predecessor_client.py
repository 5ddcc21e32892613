"""A client written for the predecessor, in Node, notices nothing."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.helpers import OWNER, make_content, make_video
from tools.local.aws import LocalAws

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
    answers = json.loads(done.stdout)

    assert answers["created"]["status"] == 200
    assert {"arn", "rtmpAddress", "streamKey", "uuid"} <= set(answers["created"]["body"])
    assert all(answers["created"]["body"][name] for name in ("arn", "rtmpAddress", "streamKey", "uuid"))
    assert answers["live"]["status"] == 200
    assert answers["live"]["body"]["state"] == "offline"
    assert isinstance(answers["live"]["body"]["timestamp"], int)
    assert (answers["unknownLive"]["status"], answers["unknownLive"]["body"]["error"]) == (404, "IVS Channel not found")

    assert answers["list"]["status"] == 200
    assert answers["list"]["body"]["page"] == 1
    (listed,) = answers["list"]["body"]["data"]
    assert listed == answers["video"]["body"]
    assert set(listed) >= VIDEO_FIELDS
    assert isinstance(listed["start_time"], int)
    assert listed["location"].startswith("https://media.example.com/ivs/v1/")
    assert set(listed["content"]) == {"title", "description", "tags", "thumbnail"}
    assert (answers["malformed"]["status"], bool(answers["malformed"]["body"]["error"])) == (400, True)

    assert answers["written"]["status"] == 200
    assert {name: answers["written"]["body"][name] for name in WRITTEN} == WRITTEN
    assert answers["written"]["body"]["uuid"] == str(content.uuid)
    assert answers["written"]["body"]["on_demand_video_uuid"] == str(video.uuid)
    assert answers["written"]["body"]["created_at"].endswith("Z")
    assert (answers["withoutKey"]["status"], bool(answers["withoutKey"]["body"]["error"])) == (401, True)

    (hit,) = answers["found"]["body"]["data"]
    assert set(hit) >= HIT_FIELDS
    assert {name: hit[name] for name in WRITTEN} == WRITTEN
    assert answers["empty"]["body"]["data"] == []

    assert [answers[name]["body"] for name in ("hidden", "shown", "hiddenAgain", "shownWithoutBody")] == ["OK"] * 4
    assert all(answers[name]["ok"] for name in ("hidden", "shown", "hiddenAgain", "shownWithoutBody"))
    assert (answers["afterHiding"]["status"], answers["afterHiding"]["body"]["error"]) == (404, "Recording not found")
    assert answers["afterShowing"]["body"]["content"] == WRITTEN
    assert answers["afterShowing"]["body"]["active"] is True
