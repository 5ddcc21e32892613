"""The queue to review: new recordings of which nobody has said yet who may find them."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from ondemand.models import Video
from tests.support.console import VIDEOS, make_video, page
from tests.support.helpers import bearer, make_channel
from tests.support.road import ARN, lambda_takes, recording_change
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db
STARTED, ENDED = recording_change("Recording Start", 1), recording_change("Recording End", 9)


def waiting() -> list[Video]:
    return list(Video.objects.to_review())


def decide(api_key: str, **body: Any) -> None:
    path = f"/on-demand/{Video.objects.get().uuid}"
    response = Client().patch(path, json.dumps(body), "application/json", headers=bearer(api_key))
    assert response.status_code == 200, response.content


@pytest.mark.parametrize(("state", "waits"), [("listed", False), ("unlisted", True), ("hidden", True)])
@pytest.mark.parametrize("events", [[STARTED, ENDED], [ENDED, STARTED], [ENDED, ENDED]])
def test_a_new_recording_awaits_review_if_it_is_not_listed_at_once(
    aws: LocalAws, state: str, waits: bool, events: list[Any]
) -> None:
    make_channel(arn=ARN, new_video_state=state)
    for event in events:
        lambda_takes(event)
    assert waiting() == ([Video.objects.get()] if waits else [])


def test_a_running_recording_does_not_await_review_yet(aws: LocalAws) -> None:
    make_channel(arn=ARN, new_video_state="hidden")
    lambda_takes(STARTED)
    assert waiting() == []


@pytest.mark.parametrize(
    ("state", "body"),
    [
        ("hidden", {"active": True}),
        ("hidden", {"active": False}),
        ("hidden", {"visibility": "public"}),
        ("unlisted", {"active": True}),
        ("unlisted", {"visibility": "unlisted"}),
    ],
)
def test_any_decision_ends_the_review_and_a_late_event_does_not_reopen_it(
    aws: LocalAws, api_key: str, state: str, body: dict[str, Any]
) -> None:
    make_channel(arn=ARN, new_video_state=state)
    lambda_takes(ENDED)
    decide(api_key, **body)
    lambda_takes(STARTED, {**ENDED, "id": str(uuid4())})
    assert waiting() == []


@pytest.mark.parametrize("body", [{"title": "Opening"}, {"publish_from": "2030-01-01T00:00:00Z"}])
def test_a_title_or_a_date_alone_decides_nothing(aws: LocalAws, api_key: str, body: dict[str, Any]) -> None:
    make_channel(arn=ARN, new_video_state="hidden")
    lambda_takes(ENDED)
    decide(api_key, **body)
    assert len(waiting()) == 1


def test_a_recording_decided_while_it_ran_needs_no_review(aws: LocalAws, api_key: str) -> None:
    make_channel(arn=ARN, new_video_state="hidden")
    lambda_takes(STARTED)
    decide(api_key, active=False)
    lambda_takes(ENDED)
    assert waiting() == []


def test_a_held_recording_awaits_review_until_it_is_shown_or_hidden(api_key: str) -> None:
    make_video("Opening", held=True, held_by_check=True)
    assert len(waiting()) == 1
    decide(api_key, active=False)
    assert waiting() == []
    decide(api_key, active=True)
    assert waiting() == []


@pytest.mark.parametrize(("state", "waits"), [(None, 0), ("listed", 0), ("unlisted", 1), ("hidden", 1)])
def test_a_row_of_the_predecessor_awaits_review_by_the_setting_of_its_channel(state: str | None, waits: int) -> None:
    channel = make_channel(new_video_state=state)
    data = json.dumps({"recording_s3_bucket_name": "b", "recording_s3_key_prefix": "p"})
    with connection.cursor() as cursor:
        for _ in range(2):
            # The second is a duplicate, which follows the first.
            cursor.execute(
                "INSERT INTO on_demand_videos (ivs_channel_uuid, data) VALUES (%s, %s)", [channel.uuid, data]
            )
    assert len(waiting()) == waits


@pytest.mark.parametrize(("body", "waits"), [({}, 1), ({"visibility": "unlisted"}, 0)])
def test_a_recording_that_the_predecessor_ended_awaits_review_unless_staff_had_decided(
    aws: LocalAws, api_key: str, body: dict[str, Any], waits: int
) -> None:
    channel = make_channel(arn=ARN, new_video_state="unlisted")
    lambda_takes(STARTED)
    if body:
        decide(api_key, **body)
    with connection.cursor() as cursor:
        row = [channel.uuid, json.dumps(ENDED["detail"])]
        cursor.execute("INSERT INTO on_demand_videos (ivs_channel_uuid, data) VALUES (%s, %s)", row)
    assert len(waiting()) == waits
    # The same end, for us too.
    lambda_takes(ENDED)
    assert len(waiting()) == waits


def test_a_video_that_the_predecessor_lists_needs_no_review() -> None:
    video = make_video(active=False, awaits_review=True)
    assert waiting() == [video]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE on_demand_videos SET active = true WHERE uuid = %s", [video.pk])
    assert waiting() == []


def test_the_list_of_videos_is_filtered_by_review_and_by_stuck_recordings(browser: Client) -> None:
    long_ago = timezone.now() - timedelta(hours=49)
    listed = make_video("Listed")
    waits = make_video("Waits", active=False, awaits_review=True)
    hidden = make_video("Hidden", active=False)
    stuck = make_video("Stuck", status=Video.Status.RECORDING, active=None, started_at=long_ago)
    runs = make_video("Runs", status=Video.Status.RECORDING, active=None, started_at=timezone.now())
    videos = (listed, waits, hidden, stuck, runs)

    def found(**words: str) -> list[Video]:
        html = page(browser, VIDEOS, words)
        return [video for video in videos if f"{VIDEOS}{video.pk}/change/" in html]

    assert found(review="yes") == [waits]
    assert found(stuck="yes") == [stuck]
    assert found(review="no", stuck="nonsense") == list(videos)
