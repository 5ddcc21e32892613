"""Unknown fields and parameters: refused by name with the nearest known one, and nothing is made or changed."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from channels_app.models import Channel
from ondemand.models import Content
from tests.support.documentation import blocks, page, section
from tests.support.helpers import OWNER, assert_error, bearer, ivs_channels, make_channel, make_video
from tools.local.aws import LocalAws

BODY = {"name": "Morning show", "userId": str(OWNER)}


def send(method: str, path: str, body: Any, key: str) -> Any:
    return Client(raise_request_exception=False).generic(
        method, path, json.dumps(body), "application/json", headers=bearer(key)
    )


def unknown(kind: str, name: str, nearest: str | None) -> list[str]:
    shown = f" `{name}`" if len(name) < 100 else ""
    return [f"Unknown {kind}{shown}." + (f" Did you mean `{nearest}`?" if nearest else "")]


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
    assert document["fields"] == {name: unknown("field", name, nearest) for name, nearest in spelt.items()}
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
    document = assert_error(response, 400, "invalid")
    texts = unknown("field", name, nearest)
    assert document["fields"] == {name: texts}
    assert re.fullmatch(rf"{re.escape(texts[0])} See http://testserver/docs#/(Channels|Videos)/\w+", document["error"])


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
    assert client.get(path, {name: "1"}).json()["fields"] == {name: unknown("parameter", name, nearest)}


@pytest.mark.django_db
def test_the_sentence_names_the_unknown_name_and_links_to_the_operation_in_the_reference(api_key: str) -> None:
    video = make_video()
    sentence = Client().get("/on-demand", {"serch": "x"}).json()["error"]
    assert sentence == (
        "Unknown parameter `serch`. Did you mean `search`? See http://testserver/docs#/Videos/listVideos"
    )
    nested = send("PATCH", f"/on-demand/{video.uuid}", {"trim": {"star_ms": 5}}, api_key).json()
    assert nested["fields"] == {"trim": unknown("field", "star_ms", "start_ms")}
    assert nested["error"] == (
        "trim: Unknown field `star_ms`. Did you mean `start_ms`? See http://testserver/docs#/Videos/changeVideo"
    )
    (documented,) = (code for language, code in blocks(section(page("api"), "Examples")) if language == "json")
    answer = send("PATCH", f"/on-demand/{video.uuid}", {"titel": "Opening show"}, api_key).json()
    assert json.loads(documented.replace("https://vod.example.com", "http://testserver")) == answer
    # Other errors have no link: people who use a client may read them.
    assert Client().get("/on-demand", {"channel": "x"}).json()["error"] == "channel: Not a uuid."
