"""JSON of answers that orjson refuses: it is written all the same."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from common.rest.renderers import json_bytes
from tests.support.helpers import make_video

DEEP: Any = "the end"
for _ in range(300):
    DEEP = {"deeper": DEEP}


@pytest.mark.django_db
@pytest.mark.parametrize("value", [2**64, -(10**40), DEEP, "\u2028", 0.1, "\U0001f600", {"": [None, True]}])
def test_metadata_that_another_program_wrote_is_shown_as_it_is(client: Client, value: Any) -> None:
    video = make_video()
    with connection.cursor() as cursor:
        written = [json.dumps({"by": value}), video.pk]
        cursor.execute("UPDATE on_demand_videos SET _metadata = %s::jsonb WHERE uuid = %s", written)
    for path in (f"/on-demand/{video.pk}", "/on-demand"):
        answer = client.get(path)
        assert answer.status_code == 200
        document = json.loads(answer.content)
        assert document.get("data", [document])[0]["metadata"] == {"by": value}


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"a": "\ud800"}, b'{"a":"\\ud800"}'),
        (["\ud800", 2**70], b'["\\ud800",1180591620717411303424]'),
        ({"a": float("nan"), "b": float("inf")}, b'{"a":null,"b":null}'),
        ({"é": "ü"}, '{"é":"ü"}'.encode()),
        (None, b""),
    ],
)
def test_no_document_is_refused(document: Any, text: bytes) -> None:
    assert json_bytes(document) == text
