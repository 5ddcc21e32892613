"""`manage.py check_recordings`: the files of recordings that are in the catalogue already, and what the admin shows."""

import json
import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client

from channels_app.models import Channel
from ivsvod.accounts.models import User
from ondemand.models import Video
from ondemand.recordings import inspection
from ondemand.recordings.inspection import video_check_store
from ondemand.recordings.quality import Verdict
from tests.support.console import choose, press
from tests.support.helpers import make_channel, make_content, make_video
from tests.support.predecessor import statements
from tests.support.recordings import DENIED, HIGH, HLS, MASTER, SpoiledS3, answers, put_recording, raises, remove
from tests.support.road import (
    ARN,
    BUCKET,
    NINE,
    PREFIX,
    command,
    ended_metadata,
    outcomes,
    put,
    recording_change,
    sample,
)
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db

VIDEOS = "/admin/ondemand/video/"


@pytest.fixture
def channel(aws: LocalAws) -> Channel:
    return make_channel(arn=ARN)


def check(*arguments: str) -> list[dict[str, Any]]:
    status, lines = command("check_recordings", *arguments)
    assert status == 0
    return lines


def checked(*arguments: str) -> dict[str, str]:
    return {line["uuid"]: line["qa"] for line in check(*arguments)}


def adopted(channel: Channel, **detail: Any) -> UUID:
    """A row as the predecessor inserts it at Recording End."""
    document = {**sample("recording_end")["detail"], **detail}
    return statements.insert_video(connection.connection, channel=channel.uuid, data=json.dumps(document))["uuid"]


def predecessor_columns(uuid: UUID) -> Any:
    with connection.cursor() as cursor:
        names = ", ".join(statements.COLUMNS["on_demand_videos"])
        cursor.execute(f"SELECT {names} FROM on_demand_videos WHERE uuid = %s", [uuid])  # noqa: S608
        return cursor.fetchone()


# What it completes


def test_an_adopted_recording_is_completed_from_its_metadata_and_verified(channel: Channel, client: Client) -> None:
    uuid = adopted(channel)
    before = predecessor_columns(uuid)
    put_recording(**{"events/recording-ended.json": ended_metadata(playlist="other.m3u8")})
    put_recording(**{f"{HLS}/other.m3u8": b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n720p30/playlist.m3u8\n"})
    put(f"{PREFIX}/events/recording-ended.json", ended_metadata(playlist="other.m3u8"))
    for n in range(3):
        put(f"{PREFIX}/media/thumbnails/thumb{n}.jpg", b"a picture")

    assert check() == [
        {
            "uuid": str(uuid),
            "qa": "warning",
            "reasons": [f"{HLS}/160p30/playlist.m3u8 is named by the metadata and not by the multivariant playlist."],
        }
    ]

    video = client.get(f"/on-demand/{uuid}").json()
    assert video["location"] == f"https://media.example.com/{PREFIX}/{HLS}/other.m3u8"
    assert (video["started_at"], video["ended_at"]) == ("2026-03-04T09:05:09Z", "2026-03-04T10:13:08Z")
    assert (video["duration_seconds"], video["qa"]) == (3960.5, "warning")
    assert [item["width"] for item in video["renditions"]] == [1280, 284]
    assert len(video["thumbnails"]) == 3
    assert predecessor_columns(uuid) == before
    assert check() == []


def test_an_old_recording_without_metadata_is_looked_for_in_todays_layout(channel: Channel) -> None:
    uuid = adopted(channel)
    put_recording(**{"events/recording-ended.json": None})

    assert check() == [{"uuid": str(uuid), "qa": "warning", "reasons": ["There is no metadata of its end."]}]


def test_an_old_recording_without_files_fails_the_check(channel: Channel) -> None:
    uuid = adopted(channel)

    reasons = ["The multivariant playlist is missing.", "There is no metadata of its end."]
    assert check() == [{"uuid": str(uuid), "qa": "failed", "reasons": reasons}]
    # It need not be looked for each time.
    assert check() == []


def test_a_recording_whose_end_waits_for_its_metadata_stays_unverified(channel: Channel) -> None:
    outcomes(sample("recording_end"))

    [line] = check()
    assert (line["qa"], line["reasons"]) == ("unverified", ["recording-ended.json is not there yet."])

    put_recording()
    [line] = check()
    assert (line["qa"], line["reasons"]) == ("ok", [])
    assert Video.objects.get().duration_ms == 3_960_500
    completed = Video.objects.values().get()
    # The event that waits finds the same.
    command("process_inbox")
    assert Video.objects.values().get() == completed


def test_an_available_video_with_the_metadata_of_a_failure_gets_that_of_its_end(channel: Channel) -> None:
    put(f"{PREFIX}/events/recording-failed.json", ended_metadata(duration_ms=777))
    outcomes(recording_change("Recording End Failure", 70), recording_change("Recording End", 70))
    put_recording()

    assert [line["qa"] for line in check()] == ["ok"]

    assert Video.objects.get().facts["source"] == "recording-ended.json"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "cannot be understood: not JSON"),
        (b"x" * 1_100_000, "recording-ended.json is too long to be read."),
    ],
)
def test_malformed_metadata_leaves_a_video_unverified(channel: Channel, content: bytes, reason: str) -> None:
    adopted(channel)
    put_recording(**{"events/recording-ended.json": content})

    [line] = check()

    assert line["qa"] == "unverified"
    assert reason in line["reasons"][0]


# Which, and in which order


def test_unverified_videos_are_checked_oldest_first_and_each_once(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "_BATCH", 2)
    starts = [NINE + timedelta(hours=hours) for hours in (3, 1, 2, 2, 0)]
    made = [make_video(started_at=start, qa="unverified") for start in [*starts, None, None]]
    make_video(qa="ok")
    make_video(status="recording")
    make_video(status="failed")
    make_video(prefix="")
    make_video(bucket="somebody-elses")

    lines = check()

    order = sorted(made, key=lambda video: (video.started_at is not None, video.started_at or NINE, video.pk))
    assert [line["uuid"] for line in lines] == [str(video.pk) for video in order]
    assert {line["qa"] for line in lines} == {"failed"}


def test_a_row_without_a_bucket_is_looked_for_in_that_of_the_settings(aws: LocalAws) -> None:
    make_video(bucket="", prefix=PREFIX)
    put_recording()

    assert [line["qa"] for line in check()] == ["ok"]


def test_options_select_and_limit_the_checked_videos(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "_BATCH", 2)
    channel = make_channel()
    early, late = (make_video(started_at=NINE + timedelta(days=days), channel=channel) for days in (0, 5))
    other = make_video(started_at=NINE + timedelta(days=2), qa="warning")
    names = {str(video.pk): name for name, video in {"early": early, "late": late, "other": other}.items()}

    def chosen(*arguments: str) -> list[str]:
        Video.objects.filter(pk__in=[early.pk, late.pk]).update(qa="unverified")
        return [names[uuid] for uuid in checked(*arguments)]

    assert chosen() == ["early", "late"]
    assert chosen("--all") == ["early", "other", "late"]
    assert chosen("--limit", "1") == ["early"]
    assert chosen("--all", "--limit", "3") == ["early", "other", "late"]
    assert chosen("--since", "2026-03-05") == ["late"]
    assert chosen("--since", "2026-03-09T09:00:01Z") == []
    assert chosen("--channel", str(channel.pk)) == ["early", "late"]
    assert chosen("--channel", str(uuid4())) == []
    assert chosen("--video", str(other.pk)) == ["other"]


@pytest.mark.parametrize(
    "arguments",
    [["--limit", "0"], ["--limit", "x"], ["--since", "soon"], ["--video", "5"], ["--video", str(uuid4())]],
)
def test_malformed_options_are_refused(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        command("check_recordings", *arguments)


def test_a_video_that_cannot_be_checked_is_refused_by_name(aws: LocalAws) -> None:
    video = make_video(status="recording")

    with pytest.raises(CommandError, match=str(video.pk)):
        command("check_recordings", "--video", str(video.pk))


def test_a_row_takes_a_fixed_number_of_queries(aws: LocalAws, django_assert_num_queries: Any) -> None:
    for _ in range(3):
        make_content(make_video())

    # Each: a savepoint, its lock, its write. And the batch, and the end of it.
    with django_assert_num_queries(3 * 4 + 2):
        assert len(check()) == 3


# Beside others


@pytest.mark.usefixtures("one_try")
def test_a_video_without_an_answer_of_s3_is_checked_at_the_next_run(aws: LocalAws, channel: Channel) -> None:
    adopted(channel)
    put_recording()
    spoiled = SpoiledS3(aws, {f"{HIGH}/0.ts": answers("403 Forbidden")})

    [line] = check()
    assert (line["qa"], line["reasons"]) == ("unverified", ["A file is not there, or may not be read."])

    spoiled.answers = {}
    assert [line["qa"] for line in check()] == ["ok"]


@pytest.mark.usefixtures("one_try")
def test_a_check_that_s3_interrupts_keeps_the_stored_verdict(aws: LocalAws, channel: Channel) -> None:
    adopted(channel)
    put_recording()
    check()
    SpoiledS3(aws, {MASTER: answers("403 Forbidden", DENIED)})

    assert [line["qa"] for line in check("--all")] == ["ok"]


@pytest.mark.usefixtures("one_try")
def test_the_command_stops_with_an_error_if_s3_does_not_answer(aws: LocalAws) -> None:
    for _ in range(8):
        make_video()
    SpoiledS3(aws, {"": raises(ConnectionResetError)})

    status, lines = command("check_recordings")

    assert (status, len(lines)) == (1, 5)
    assert {line["qa"] for line in lines} == {"unverified"}
    assert command("check_recordings", "--limit", "1")[0] == 1


def test_a_check_reports_files_that_were_deleted_since(channel: Channel) -> None:
    adopted(channel)
    put_recording()
    check()
    remove(f"{PREFIX}/{HLS}/{HIGH}/3.ts")

    assert check() == []
    assert [line["qa"] for line in check("--all")] == ["failed"]


def test_columns_that_an_event_wrote_meanwhile_stay(channel: Channel) -> None:
    outcomes(sample("recording_end"))
    seen = Video.objects.get()
    put_recording()
    command("process_inbox")

    stored = video_check_store(video=seen, facts=None, verdict=Verdict("failed", ("An old look.",)))

    assert (stored.qa, stored.qa_reasons) == ("ok", None)
    assert (Video.objects.get().qa, Video.objects.get().duration_ms) == ("ok", 3_960_500)


def test_a_row_that_was_deleted_meanwhile_is_no_error(aws: LocalAws) -> None:
    video = make_video()
    seen = Video.objects.get()
    video.delete()

    assert video_check_store(video=seen, facts=None, verdict=Verdict("ok")).pk == seen.pk


# In the admin


@pytest.fixture
def browser() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="a long password 1"))
    return client


def test_the_list_shows_files_that_are_not_good_and_filters_by_each_result(browser: Client) -> None:
    for qa in ("unverified", "ok", "warning", "failed"):
        make_content(make_video(qa=qa, qa_reasons=["<b>0.ts is missing."]), title=f"This is {qa}")

    html = browser.get(VIDEOS).content.decode()
    shown = re.findall('<span class="badge badge-qa-[a-z]+">(.*?)</span><span class="reason">(.*?)</span>', html)
    assert sorted(shown) == [(f"files: {qa}", "&lt;b&gt;0.ts is missing.") for qa in ("failed", "warning")]
    for qa in ("unverified", "ok", "warning", "failed"):
        found = browser.get(VIDEOS, {"qa": qa}).content.decode()
        assert [word for word in ("unverified", "ok", "warning", "failed") if f"This is {word}" in found] == [qa]
    assert browser.get(VIDEOS, {"qa": "nonsense"}).content.decode().count("This is ") == html.count("This is ")


def test_the_page_names_the_findings_in_the_files(browser: Client) -> None:
    video = make_video(qa="failed", qa_reasons=["<b>0.ts is missing or empty.", "Another thing."])

    html = browser.get(f"{VIDEOS}{video.pk}/change/").content.decode()

    assert '<span class="badge badge-qa-failed">failed</span>' in html
    assert "<li>&lt;b&gt;0.ts is missing or empty.</li><li>Another thing.</li>" in html


def test_staff_release_held_videos_in_the_admin(browser: Client) -> None:
    video = make_video(held=True, held_by_check=True)

    press(browser, choose(browser, "show", video), "_confirm")

    video.refresh_from_db()
    assert (video.held, video.held_by_check) == (False, False)


def test_the_columns_of_the_check_are_unknown_to_the_predecessor(channel: Channel) -> None:
    uuid = adopted(channel)

    video = Video.objects.get(pk=uuid)
    assert (video.qa, video.qa_reasons, video.held_by_check, video.bucket) == ("unverified", None, False, BUCKET)
