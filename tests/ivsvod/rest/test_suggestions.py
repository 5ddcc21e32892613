"""Unknown fields and parameters: refused by name with the nearest known one, and nothing is made or changed."""

import json
from typing import Any

import pytest
from django.test import Client

from channels_app.models import Channel
from ivsvod.local.aws import LocalAws
from ondemand.models import Content
from tests.support.helpers import OWNER, assert_error, bearer, ivs_channels, make_channel, make_video

BODY = {"name": "Morning show", "userId": str(OWNER)}


def send(method: str, path: str, body: Any, key: str) -> Any:
    return Client(raise_request_exception=False).generic(
        method, path, json.dumps(body), "application/json", headers=bearer(key)
    )


def field(nearest: str | None) -> list[str]:
    return [f"Unknown field. Did you mean {nearest}?" if nearest else "Unknown field."]


@pytest.mark.django_db
def test_post_channels_refuses_unknown_fields_with_the_nearest_known_name(aws: LocalAws, api_key: str) -> None:
    spelt = {
        "latencyMode": "latency_mode",
        "Private": "private",
        "recrod": "record",
        "user_id": "userId",
        "Owner": "owner",
        "colour": None,
        "x" * 100_000: None,
    }
    document = assert_error(send("POST", "/channels", {**BODY, **dict.fromkeys(spelt, True)}, api_key), 400, "invalid")
    assert document["fields"] == {name: field(nearest) for name, nearest in spelt.items()}
    assert ivs_channels() == list(Channel.objects.all()) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body",
    [
        {"Name": "Morning show", "USERID": str(OWNER)},
        {"name": "Another", "NAME": "Morning show", "userid": str(OWNER)},
        {"name": "Morning show", "UserId": str(OWNER), "owner": "anything"},
    ],
)
def test_the_predecessors_own_fields_are_taken_in_any_letter_case(
    aws: LocalAws, api_key: str, body: dict[str, Any]
) -> None:
    answer = send("POST", "/channels", body, api_key).json()
    assert (answer["name"], answer["owner"]) == ("Morning show", str(OWNER))


@pytest.mark.django_db
def test_a_put_in_another_letter_case_writes_the_content_and_empties_nothing(api_key: str) -> None:
    video = make_video()
    body = {"Title": "New", "TAGS": ["news"], "description": "Long", "colour": "red"}
    assert send("PUT", f"/on-demand/{video.uuid}", body, api_key).status_code == 200
    content = Content.objects.get(video=video)
    assert (content.title, content.tags, content.description) == ("New", ["news"], "Long")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "name", "nearest"),
    [
        ("PATCH", "/channels/{channel}", "newVideoState", "new_video_state"),
        ("POST", "/channels/{channel}/stop", "bann", "ban"),
        ("POST", "/channels/{channel}/stream-key", "ban", None),
        ("PATCH", "/on-demand/{video}", "publishFrom", "publish_from"),
    ],
)
def test_every_body_refuses_an_unknown_field_with_the_nearest_known_name(
    aws: LocalAws, api_key: str, method: str, path: str, name: str, nearest: str | None
) -> None:
    channel, video = make_channel(), make_video()
    response = send(method, path.format(channel=channel.uuid, video=video.uuid), {name: True}, api_key)
    assert assert_error(response, 400, "invalid")["fields"] == {name: field(nearest)}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "name", "nearest"),
    [
        ("/on-demand", "minDuration", "min_duration"),
        ("/on-demand", "serach", "search"),
        ("/on-demand/search", "page_size", "pageSize"),
        ("/channels", "sate", "state"),
        ("/tags", "qqq", None),
    ],
)
def test_an_unknown_parameter_is_refused_with_the_nearest_known_name(
    client: Client, path: str, name: str, nearest: str | None
) -> None:
    message = f"Unknown parameter. Did you mean {nearest}?" if nearest else "Unknown parameter."
    assert client.get(path, {name: "1"}).json()["fields"] == {name: [message]}
