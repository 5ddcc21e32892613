"""The near miss of a search that finds nothing: a word that differs in about one letter, of what anyone may find."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels_app.models import Channel
from ondemand.models import Content, SearchWord, Video
from tests.support.helpers import make_channel, make_content, make_video
from tests.support.road import command
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db
PATHS = ("/on-demand", "/on-demand/search")


def make_found(title: str = "", **values: Any) -> Video:
    tags = values.pop("tags", [])
    video = make_video(started_at=datetime(2026, 3, 4, tzinfo=UTC), **values)
    make_content(video, title=title, tags=tags, description="")
    return video


def add_words() -> None:
    call_command("backfill", stdout=io.StringIO())


def near_miss(text: str, path: str = "/on-demand", **query: Any) -> str | None:
    document = Client().get(path, {"search": text, **query}).json()
    assert document["data"] == [], text
    assert document.keys() - {"did_you_mean"} == {"data", "page", "pageSize", "next"}
    return document.get("did_you_mean")


@pytest.mark.parametrize("text", ["postgers", "Postgrse", "postgrres", "pstgres", "ostgres", "postgras"])
def test_a_letter_that_is_wrong_missing_too_many_or_swapped_is_a_near_miss(text: str) -> None:
    make_found("Tuning Postgres")
    add_words()
    assert {near_miss(text, path) for path in PATHS} == {"postgres"}


def test_words_of_titles_tags_and_names_of_channels_are_offered() -> None:
    make_found("Ocean currents", tags=["Broadcasting"], channel=make_channel(name="Harbour television"))
    make_found("Погода")
    add_words()
    for text, expected in {
        "ocaen": "ocean",
        "brodcasting": "broadcasting",
        "harbuor": "harbour",
        "погдоа": "погода",
        'ocaen "curents"': 'ocean "currents"',
        "Ocean curents -weather": "Ocean currents -weather",
    }.items():
        assert near_miss(text) == expected, text
    for text in ("ocean weather", "zzzzzzzz", "oc", "ocn", "東京", "-", '"', "1234", "ocaen weather"):
        assert near_miss(text) is None, text


def test_a_near_miss_finds_videos_with_the_other_parameters_of_the_list() -> None:
    make_found("Ocean", tags=["news"])
    make_found("Oceanic", tags=["weather"])
    add_words()
    assert near_miss("ocaen", tag="news") == "ocean"
    assert near_miss("ocaen", tag="absent") is None
    assert near_miss("ocaen", started_after="2026-03-05T00:00:00Z") is None
    assert near_miss("ocaen", ordering="title", pageSize=3) == "ocean"
    # A page behind the end is not a search that finds nothing.
    document = Client().get("/on-demand", {"search": "ocean", "page": 2}).json()
    assert document == {"data": [], "page": 2, "pageSize": 25, "next": None}


def test_a_word_that_no_listed_video_has_is_never_offered() -> None:
    video = make_found("Secretwording", tags=["hiddentag"], channel=make_channel(name="Privatename"))
    # Has the same stem, and is listed.
    make_found("Secretwords")
    add_words()
    texts = {"secretwordign": "secretwording", "hidentag": "hiddentag", "privatname": "privatename"}
    assert {text: near_miss(text) for text in texts} == texts
    changes: list[dict[str, Any]] = [
        {"active": False},
        {"visibility": "unlisted"},
        {"held": True},
        {"status": "failed"},
        {"publish_from": timezone.now() + timedelta(days=1)},
        {"publish_until": timezone.now() - timedelta(days=1)},
    ]
    for change in changes:
        before = Video.objects.filter(pk=video.pk).values(*change).get()
        Video.objects.filter(pk=video.pk).update(**change)
        assert [near_miss(text) for text in texts] == [None] * 3, change
        Video.objects.filter(pk=video.pk).update(**before)
        assert near_miss("secretwordign") == "secretwording"
    Channel.objects.filter(pk=video.channel_id).update(private=True)
    assert near_miss("privatname") is None
    Content.objects.filter(video=video).update(title="Else", tags=[])
    assert [near_miss(text) for text in texts] == [None] * 3


def test_words_of_videos_that_are_hidden_or_of_private_channels_are_not_kept() -> None:
    make_found("Hiddenword", active=False)
    make_found("Shownword", channel=make_channel(name="Privatename"))
    Channel.objects.update(private=True)
    add_words()
    assert set(SearchWord.objects.values_list("word", flat=True)) == {"shownword"}


def test_reconcile_adds_the_words_of_the_newest_videos(aws: LocalAws) -> None:
    make_found("Ocean https://www.example.com/a 2026 x-ray " + "y" * 50)
    assert near_miss("ocaen") is None
    assert command("reconcile")[0] == 0
    assert near_miss("ocaen") is None
    assert command("reconcile", "--apply")[0] == 0
    assert near_miss("ocaen") == "ocean"
    assert set(SearchWord.objects.values_list("word", flat=True)) == {"ocean"}


@pytest.mark.parametrize("text", ["ocaen", " ".join(f"word{letter}" for letter in "abcdefghijklmnop")])
def test_the_cost_of_a_near_miss_has_a_bound(text: str) -> None:
    # Near each word of the text, and found by no search.
    words = {f"word{one}{other}" for one in "abcdefghijklmnop" for other in "123456789"}
    SearchWord.objects.bulk_create(SearchWord(word=word) for word in {*words, "ocean"})
    with CaptureQueriesContext(connection) as queries:
        Client().get("/on-demand", {"search": text})
    assert len(queries) <= 30
    assert max(len(query["sql"]) for query in queries) < 5000
