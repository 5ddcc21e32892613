"""Chapters of videos by the API: reading, changing, searching, and whatever another program has stored."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels_app.models import AuditEntry
from ondemand.models import Video
from tests.support.helpers import THOROUGH, bearer, make_content, make_video

pytestmark = pytest.mark.django_db
START, OCEAN, PANEL = (
    {"at_ms": 0, "title": "Start"},
    {"at_ms": 62_500, "title": "The deep oceans"},
    {"at_ms": 3_599_999, "title": "Closing panel"},
)
PATHS = ("/on-demand", "/on-demand/search")


@pytest.fixture
def client(api_key: str) -> Client:
    """Show the shared key, and see the answer to a failure as a client does."""
    return Client(raise_request_exception=False, headers=bearer(api_key))


def patch(client: Client, video: Video, chapters: Any, **others: Any) -> Any:
    body = json.dumps({**others, "chapters": chapters})
    return client.patch(f"/on-demand/{video.pk}", body, "application/json")


def stored(video: Video) -> Any:
    return Video.objects.values_list("chapters", flat=True).get(pk=video.pk)


def store(video: Video, text: str) -> None:
    """As another program may."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE on_demand_videos SET _chapters = %s::jsonb WHERE uuid = %s", [text, video.pk])


def found(client: Client, text: str) -> Any:
    """Return the chapter of the one hit, the same in the list and in the flat hits."""
    [video], [hit] = (client.get(path, {"search": text}).json()["data"] for path in PATHS)
    assert video["chapter"] == hit["chapter"]
    return video["chapter"]


# What changes


def test_chapters_are_replaced_whole_and_shown_wherever_the_video_is(client: Client) -> None:
    video = make_video()
    assert client.get(f"/on-demand/{video.pk}").json()["chapters"] == []
    version = client.get(f"/on-demand/{video.pk}")["ETag"]
    for chapters in ([START, OCEAN, PANEL], [OCEAN], [{"at_ms": 5, "title": " é\n" + "x" * 197}]):
        answer = patch(client, video, chapters)
        assert (answer.status_code, answer.json()["chapters"]) == (200, chapters)
        assert client.get(f"/on-demand/{video.pk}").json() == answer.json()
        assert client.get("/on-demand").json()["data"][0]["chapters"] == chapters
    assert client.get(f"/on-demand/{video.pk}")["ETag"] != version
    for empty in (None, []):
        patch(client, video, [OCEAN])
        assert patch(client, video, empty).json()["chapters"] == []
        assert stored(video) is None


def test_all_rows_of_a_recording_have_the_same_chapters(client: Client) -> None:
    first = make_video()
    duplicate = make_video(prefix=first.prefix, duplicate_of=first)
    patch(client, duplicate, [OCEAN])
    assert client.get(f"/on-demand/{first.pk}").json()["chapters"] == [OCEAN]
    # A row that the predecessor inserts later.
    data = json.dumps({"recording_s3_bucket_name": first.bucket, "recording_s3_key_prefix": first.prefix})
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO on_demand_videos (data) VALUES (%s) RETURNING uuid", [data])
        [uuid] = cursor.fetchone()
    assert client.get(f"/on-demand/{uuid}").json()["chapters"] == [OCEAN]


def test_a_change_of_chapters_is_in_the_audit_log_and_another_version_is_refused(client: Client) -> None:
    video = make_video()
    version = client.get(f"/on-demand/{video.pk}")["ETag"]
    patch(client, video, [OCEAN])
    [entry] = AuditEntry.objects.filter(object_pk=str(video.pk), changes__has_key="chapters", action=1)
    assert entry.changes["chapters"] == [None, [OCEAN]]
    body = json.dumps({"chapters": [PANEL]})
    answer = client.patch(f"/on-demand/{video.pk}", body, "application/json", headers={"If-Match": version})
    assert (answer.status_code, stored(video)) == (412, [OCEAN])


def test_changing_chapters_takes_the_scope_curate() -> None:
    answer = patch(Client(), make_video(), [OCEAN])
    assert answer.status_code == 401


MALFORMED: tuple[Any, ...] = (
    *("x", 5, True, {}, [None], [[]], ["x"], [{}], [{"at_ms": 0}], [{"title": "x"}]),
    *([{"at_ms": value, "title": "x"}] for value in (-1, 1.5, "1", True, None, [], 2**70, 31_622_400_000)),
    *([{"at_ms": 0, "title": value}] for value in ("", " \n", 5, None, [], "\0", "\ud800", "x" * 201)),
    [{**START, "end_ms": 5}],
    [OCEAN, START],
    [OCEAN, OCEAN],
    # At the end of the video.
    [START, {"at_ms": 3_600_000, "title": "x"}],
    [{"at_ms": number, "title": "x"} for number in range(101)],
)


def test_each_fault_is_a_400_that_names_the_field_and_changes_nothing(client: Client) -> None:
    video = make_video()
    patch(client, video, [START])
    for value in MALFORMED:
        answer = patch(client, video, value, visibility="unlisted")
        assert (answer.status_code, list(answer.json().get("fields", ()))) == (400, ["chapters"]), value
        row = Video.objects.get()
        assert (row.chapters, row.visibility) == ([START], "public"), value


def test_a_video_of_unknown_length_takes_chapters_of_any_time(client: Client) -> None:
    late = [{"at_ms": 31_622_399_999, "title": "Late"}]
    assert patch(client, make_video(duration_ms=0), late).json()["chapters"] == late
    many = [{"at_ms": number, "title": "x"} for number in range(100)]
    assert patch(client, make_video(duration_ms=100), many).json()["chapters"] == many


# Search


def test_a_search_finds_the_words_of_chapters_and_says_where(client: Client) -> None:
    video = make_video()
    make_content(video, title="Summer festival", description="With every speaker", tags=[])
    patch(client, video, [START, OCEAN, {"at_ms": 90_000, "title": "Trains below the oceans"}, PANEL])
    for text, chapter in {
        "panel": PANEL,
        # As in titles: other forms of a word, and its beginning.
        "ocean": OCEAN,
        "pan": PANEL,
        '"deep oceans"': OCEAN,
        "deep ocean": OCEAN,
        "ocean trains": {"at_ms": 90_000, "title": "Trains below the oceans"},
        # The other words are elsewhere in the video.
        "festival panel": PANEL,
        "closing or nonsense": PANEL,
        "panel -nonsense": PANEL,
        "festival": None,
        "festival -nonsense": None,
    }.items():
        assert found(client, text) == chapter, text
    assert client.get("/on-demand?search=panel -oceans").json()["data"] == []
    patch(client, video, None)
    assert client.get("/on-demand?search=panel").json()["data"] == []
    assert client.get("/on-demand?search=festival").json()["data"][0]["chapters"] == []


def test_a_chapter_in_chinese_is_found_by_any_part(client: Client) -> None:
    video = make_video()
    weather = {"at_ms": 1000, "title": "東京都の天気予報"}
    patch(client, video, [START, weather])
    assert found(client, "天気") == weather


def test_lists_and_searches_take_as_many_statements_with_chapters_as_without(
    client: Client, django_assert_num_queries: Any
) -> None:
    for _ in range(5):
        make_content(make_video(chapters=[START, OCEAN]), title="ocean")
    for path in PATHS:
        with django_assert_num_queries(4):
            assert len(client.get(path, {"search": "ocean"}).json()["data"]) == 5
    with django_assert_num_queries(1):
        assert len(client.get("/on-demand").json()["data"]) == 5


# What another program may store

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
_AT = st.sampled_from([0, 1, 1000, 10**6, 2**40, -1, 1.5, "1000", True, None, 10**30])
_ITEMS = st.fixed_dictionaries({}, optional={"at_ms": _AT, "title": st.just("ocean") | _TEXTS | _SCALARS})
_ANY = st.recursive(_SCALARS | _TEXTS | _ITEMS, lambda values: st.lists(values) | st.dictionaries(_TEXTS, values))
HOSTILE = [
    "9" * 5000,
    f'[{{"at_ms": {"9" * 5000}, "title": "ocean"}}]',
    f'[{{"at_ms": 1e{"9" * 3}, "title": "ocean"}}]',
    "[" * 2000 + "]" * 2000,
    '[{"at_ms": 5, "title": ' + "[" * 1500 + "]" * 1500 + "}]",
    json.dumps([{"at_ms": 1, "title": "ocean " * 500_000}]),
    json.dumps([{"at_ms": number, "title": "ocean"} for number in range(20_000)]),
    json.dumps([{"at_ms": 1, "title": "<script>&' \u202e\ue000"}, {"at_ms": 1, "title": "b"}]),
]


def assert_readable(client: Client, video: Video) -> None:
    """Each read answers with chapters that could have been written, and search finds the video."""
    documents = [client.get(f"/on-demand/{video.pk}"), client.get("/on-demand")]
    for answer in documents:
        assert answer.status_code == 200
        document = answer.json().get("data", [answer.json()])[0]
        chapters = document["chapters"]
        times = [chapter["at_ms"] for chapter in chapters]
        assert times == sorted(set(times))
        assert all(type(at_ms) is int and 0 <= at_ms < 3_600_000 for at_ms in times)
        assert all(set(chapter) == {"at_ms", "title"} and chapter["title"].strip() for chapter in chapters)
        assert len(chapters) <= 100
    for path in PATHS:
        answer = client.get(path, {"search": "festival or ocean"})
        assert answer.status_code == 200
        [hit] = answer.json()["data"]
        assert hit["chapter"] is None or hit["chapter"] in chapters
    # What was shown can be sent back.
    assert patch(client, video, chapters).json()["chapters"] == chapters


@settings(
    max_examples=300 if THOROUGH else 30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
@given(value=_ANY | st.lists(_ITEMS, max_size=5))
def test_whatever_another_program_stores_as_chapters_is_read(client: Client, value: Any) -> None:
    Video.objects.all().delete()
    video = make_video()
    make_content(video, title="Festival")
    store(video, json.dumps(value))
    assert_readable(client, video)


@pytest.mark.parametrize("text", HOSTILE)
def test_chapters_that_python_refuses_to_decode_are_none(client: Client, text: str) -> None:
    video = make_video()
    make_content(video, title="Festival")
    store(video, text)
    assert_readable(client, video)
