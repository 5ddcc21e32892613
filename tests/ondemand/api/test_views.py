"""Videos by the API: the predecessor's routes, its defects, and whatever a client may send."""

import functools
import io
import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ondemand.models import Content, Video
from tests.support.helpers import (
    OWNER,
    assert_error,
    bearer,
    make_account,
    make_channel,
    make_content,
    make_token,
    make_video,
)
from tools.local.aws import LocalAws

EVENTS = Path(__file__).resolve().parents[2] / "support" / "events"
NINE = datetime(2026, 3, 4, 9, tzinfo=UTC)
FORMS: tuple[Callable[[UUID], str], ...] = (
    str,
    lambda uuid: str(uuid).upper(),
    lambda uuid: uuid.hex,
    lambda uuid: f"{{{uuid}}}",
    lambda uuid: f"urn:uuid:{uuid}",
    lambda uuid: f"URN:UUID:{str(uuid).upper()}",
)
FORM = "application/x-www-form-urlencoded"
MALFORMED = ("x", "5", "undefined", "8d0c0b3e-5f0a-4d5e-9a53-1c2f5f1c7a1", "%00", "%ff%fe", "..", "x" * 5000, "%7B%7D")


@pytest.fixture
def client() -> Client:
    """Sees the answer to a failure as a client does."""
    return Client(raise_request_exception=False)


@pytest.fixture
def send(client: Client, api_key: str) -> Callable[..., Any]:
    """A request by the shared key; the body as it is, or as JSON."""

    def request(method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return client.generic(method, path, data, content_type, headers=bearer(api_key))

    return request


def listed(client: Client, query: str = "") -> list[str]:
    response = client.get(f"/on-demand{query}")
    assert response.status_code == 200, response.content
    return [video["uuid"] for video in response.json()["data"]]


def found(client: Client, text: str) -> list[str]:
    response = client.get("/on-demand/search", {"search": text})
    assert response.status_code == 200, response.content
    return [hit["on_demand_video_uuid"] for hit in response.json()["data"]]


def insert_as_the_predecessor(data: str, *, channel: UUID | None = None, created_at: str | None = None) -> UUID:
    """A Recording End as the predecessor's code writes it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO on_demand_videos (uuid, ivs_channel_uuid, created_at, active, data) "
            "VALUES (DEFAULT, %s, coalesce(%s::timestamptz, now()), DEFAULT, %s::jsonb) RETURNING uuid",
            [channel, created_at, data],
        )
        return UUID(str(cursor.fetchone()[0]))


def detail(**values: Any) -> str:
    sample = json.loads((EVENTS / "recording_end.json").read_text())["detail"]
    merged = {**sample, "recording_s3_key_prefix": f"ivs/v1/{uuid4()}", **values}
    return json.dumps({name: value for name, value in merged.items() if value is not None})


def database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("connection to server at db.example.com failed: password of user ivsvod")

    monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", away)


# A video, and the list


@pytest.mark.django_db
def test_a_video_has_the_predecessors_fields(client: Client, settings: Any) -> None:
    settings.PLAYBACK_BASE_URL = ""
    video = make_video(started_at=NINE + timedelta(milliseconds=1234), duration_ms=60_500, prefix="ivs/v1/a/b")
    make_content(video, tags=["news", "weather"])
    document = client.get(f"/on-demand/{video.uuid}").json()
    expected = {
        "uuid": str(video.uuid),
        "start_time": int(NINE.timestamp()) * 1000 + 1234,
        "duration_seconds": 60.5,
        "location": "https://ivsvod-recordings.s3.amazonaws.com/ivs/v1/a/b/media/hls/master.m3u8",
        "active": True,
        "content": {
            "title": "Morning show",
            "description": "News and weather",
            "tags": ["news", "weather"],
            "thumbnail": "https://www.example.com/a.jpg",
        },
    }
    assert {name: document[name] for name in expected} == expected
    assert isinstance(document["start_time"], int)


@pytest.mark.django_db
def test_a_video_has_the_new_fields_in_rfc_3339(client: Client) -> None:
    channel = make_channel()
    video = make_video(channel=channel, started_at=NINE, duration_ms=60_000)
    document = client.get(f"/on-demand/{video.uuid}").json()
    assert document["channel"] == str(channel.uuid)
    assert document["status"] == "available"
    assert document["stream_ids"] == ["st-u8jzPde0IgxLd6GncfBAepf"]
    assert datetime.fromisoformat(document["started_at"]) == NINE
    assert datetime.fromisoformat(document["ended_at"]) == NINE + timedelta(minutes=1)
    assert document["started_at"].endswith(("Z", "+00:00"))
    assert (document["thumbnails"], document["renditions"]) == ([], [])


@pytest.mark.django_db
def test_the_location_of_our_recordings_is_on_the_media_host(client: Client, settings: Any) -> None:
    settings.PLAYBACK_BASE_URL = "https://media.example.com"
    video = make_video(prefix="ivs/v1/a/b")
    location = client.get(f"/on-demand/{video.uuid}").json()["location"]
    assert location == "https://media.example.com/ivs/v1/a/b/media/hls/master.m3u8"


@pytest.mark.django_db
def test_a_video_without_content_has_an_empty_object(client: Client) -> None:
    video = make_video()
    assert client.get(f"/on-demand/{video.uuid}").json()["content"] == {}
    assert client.get("/on-demand").json()["data"][0]["content"] == {}


@pytest.mark.django_db
def test_absent_texts_of_content_are_empty_and_tags_are_always_a_list(client: Client) -> None:
    video = make_video()
    make_content(video, title=None, description=None, tags=None, thumbnail=None)
    empty = {"title": "", "description": "", "tags": [], "thumbnail": ""}
    assert client.get(f"/on-demand/{video.uuid}").json()["content"] == empty
    assert client.get("/on-demand").json()["data"][0]["content"] == empty


@pytest.mark.django_db
def test_null_and_empty_tags_are_not_shown(client: Client) -> None:
    video = make_video()
    make_content(video, tags=[None, "", "news", None])
    assert client.get(f"/on-demand/{video.uuid}").json()["content"]["tags"] == ["news"]
    (hit,) = client.get("/on-demand/search?search=news").json()["data"]
    assert hit["tags"] == ["news"]


@pytest.mark.django_db
def test_a_whole_number_of_seconds_is_written_without_a_fraction(client: Client) -> None:
    video = make_video(duration_ms=60_000)
    assert b'"duration_seconds":60,' in client.get(f"/on-demand/{video.uuid}").content.replace(b": ", b":")


@pytest.mark.django_db
def test_the_list_answers_data_page_and_page_size(client: Client) -> None:
    video = make_video()
    document = client.get("/on-demand").json()
    assert [item["uuid"] for item in document["data"]] == [str(video.uuid)]
    assert (document["page"], document["pageSize"]) == (1, 25)
    assert document["data"][0] == client.get(f"/on-demand/{video.uuid}").json()


@pytest.mark.django_db
def test_the_page_is_echoed_and_a_page_past_the_end_is_empty(client: Client) -> None:
    make_video()
    for page in (2, 7, 10**9, 10**15):
        document = client.get("/on-demand", {"page": page}).json()
        assert (document["page"], document["data"]) == (page, [])


@pytest.mark.django_db
def test_pages_walk_the_whole_list_without_gap_or_repeat(client: Client) -> None:
    made = {str(make_video(started_at=NINE + timedelta(hours=hour % 3)).uuid) for hour in range(11)}
    pages = [listed(client, f"?page={page}&pageSize=4") for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [4, 4, 3, 0]
    assert {uuid for page in pages for uuid in page} == made


@pytest.mark.django_db
def test_head_is_as_get_without_a_body(client: Client) -> None:
    response = client.head("/on-demand")
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.django_db
@pytest.mark.parametrize("rows", [2, 25])
def test_the_lists_take_a_fixed_number_of_queries(
    client: Client, django_assert_num_queries: Any, django_assert_max_num_queries: Any, rows: int
) -> None:
    channel = make_channel()
    for number in range(rows):
        video = make_video(channel=channel if number % 2 else None)
        if number % 3:
            make_content(video)
    # The videos with the next publication change; for a search one or two trials, the matches with ranks, and videos.
    with django_assert_num_queries(1):
        assert len(client.get("/on-demand").json()["data"]) == rows
    for path in ("/on-demand/search?search=morning", "/on-demand?search=morning"):
        with django_assert_max_num_queries(4):
            # By their content or the name of their channel.
            found = sum(number % 3 > 0 or number % 2 > 0 for number in range(rows))
            assert len(client.get(path).json()["data"]) == found
    with django_assert_num_queries(2):
        assert client.get("/tags").json()["data"] == [{"tag": "news", "count": rows - len(range(0, rows, 3))}]
    with django_assert_num_queries(1):
        client.get(f"/on-demand/{video.uuid}")


@pytest.mark.django_db
def test_the_shared_key_takes_no_query_more(client: Client, api_key: str, django_assert_num_queries: Any) -> None:
    video = make_video()
    with django_assert_num_queries(1):
        client.get(f"/on-demand/{video.uuid}", headers=bearer(api_key))


# The predecessor's defects


@pytest.mark.django_db
def test_defect_03_a_video_that_is_not_shown_is_found_nowhere_without_a_key(client: Client, api_key: str) -> None:
    kinds: list[dict[str, Any]] = [
        {"active": False},
        {"active": None},
        {"status": Video.Status.RECORDING},
        {"status": Video.Status.FAILED},
        {"status": Video.Status.RECORDING, "active": None},
    ]
    for values in kinds:
        video = make_video(**values)
        make_content(video, title="Findable")
        document = assert_error(client.get(f"/on-demand/{video.uuid}"), 404)
        assert document["error"] == "Recording not found", values
        assert client.get(f"/on-demand/{video.uuid}", headers=bearer(api_key)).json()["uuid"] == str(video.uuid), values
    shown = Video.objects.filter(pk__in=[*found(client, "findable"), *listed(client)])
    assert list(shown.values("active", "status")) == []


@pytest.mark.django_db
def test_defect_03_a_credential_without_curate_does_not_see_a_hidden_video(client: Client) -> None:
    video = make_video(active=False)
    make_account("read", "curate", username="curator")
    cases = [(make_token("read")[1], 404), (make_token("curate")[1], 200)]
    # The account may curate; this token of it may not.
    cases.append((make_token("read", account="curator")[1], 404))
    for text, status in cases:
        assert client.get(f"/on-demand/{video.uuid}", headers=bearer(text)).status_code == status


@pytest.mark.django_db
def test_defect_04_the_list_is_ordered_by_start_newest_first_and_the_uuid_breaks_ties(client: Client) -> None:
    moments = [NINE, NINE + timedelta(hours=2), NINE + timedelta(hours=1), NINE, NINE]
    videos = [make_video(started_at=moment) for moment in moments]
    # Rows that were changed last stand elsewhere in the table.
    Video.objects.filter(pk=videos[0].pk).update(active=True)
    shown = listed(client)
    assert shown[:2] == [str(videos[1].uuid), str(videos[2].uuid)]
    tied = [str(videos[number].uuid) for number in (0, 3, 4)]
    assert shown[2:] in (sorted(tied), sorted(tied, reverse=True))


@pytest.mark.django_db
def test_defect_04_a_page_size_is_never_more_than_the_maximum_and_nonsense_is_the_default(
    client: Client, settings: Any
) -> None:
    settings.API_MAX_PAGE_SIZE = 30
    Video.objects.bulk_create([Video(status="available", started_at=NINE, duration_ms=0) for _ in range(32)])
    nonsense = ("0", "-1", "undefined", "", "NaN", "null", "1.5", "1e3", "0x10", "٣", "\0")
    sizes = dict.fromkeys(nonsense, 25) | {"1": 1, "26": 26, "29": 29, "30": 30, "1000000": 30, "9" * 15: 30}
    for number, (asked, size) in enumerate(sizes.items()):
        path = "/on-demand?page=undefined&" if number % 2 else "/on-demand?"
        document = client.get(f"{path}pageSize={quote(asked)}").json()
        assert (len(document["data"]), document["pageSize"], document["page"]) == (size, size, 1), asked


@pytest.mark.django_db
def test_defect_04_no_page_or_page_size_breaks_the_list_or_passes_the_maximum(client: Client, settings: Any) -> None:
    settings.API_MAX_PAGE_SIZE = 2
    for _ in range(3):
        make_content(make_video())
    for number in ("0", "-1", "undefined", "9" * 18, "9" * 40, "1" * 5000, "-9" * 30, "\0", "\udcff"):
        text = quote(number, errors="surrogateescape")
        for path in (
            f"/on-demand?page={text}",
            f"/on-demand?pageSize={text}",
            f"/on-demand/search?search=morning&page={text}&pageSize={text}",
        ):
            response = client.get(path)
            assert response.status_code == 200, (path[:99], response.content)
            assert len(response.json()["data"]) <= 2, path[:99]


@pytest.mark.django_db
def test_defect_05_a_recording_without_duration_does_not_break_the_list(client: Client) -> None:
    durations = (None, "60000", "soon", 1.5, -1, 10**30, [], {}, True)
    odd = {str(insert_as_the_predecessor(detail(recording_duration_ms=value))): value for value in durations}
    good = make_video()
    assert set(listed(client)) == {str(good.uuid), *odd}
    for uuid, duration in odd.items():
        seconds = client.get(f"/on-demand/{uuid}").json()["duration_seconds"]
        assert isinstance(seconds, int | float), duration
        assert 0 <= seconds <= 60, duration


@pytest.mark.django_db
def test_defect_05_a_recording_without_duration_has_none_and_starts_when_it_was_written(client: Client) -> None:
    odd = insert_as_the_predecessor(detail(recording_duration_ms=None), created_at=NINE.isoformat())
    document = client.get(f"/on-demand/{odd}").json()
    assert (document["duration_seconds"], document["start_time"]) == (0, int(NINE.timestamp()) * 1000)


@pytest.mark.django_db
def test_defect_06_an_event_that_comes_months_late_does_not_shift_the_start(
    client: Client, aws: LocalAws, tmp_path: Path, settings: Any
) -> None:
    event = json.loads((EVENTS / "recording_end.json").read_text())
    make_channel(arn=event["resources"][0])
    event["detail"]["recording_s3_bucket_name"] = settings.RECORDING_BUCKET
    path = tmp_path / "late.json"
    path.write_text(json.dumps(event))
    call_command("ingest_events", str(path), stdout=io.StringIO())
    (video,) = client.get("/on-demand").json()["data"]
    ended = datetime.fromisoformat(event["time"])
    assert video["start_time"] == int(ended.timestamp()) * 1000 - 3_960_000
    assert video["duration_seconds"] == 3960


@pytest.mark.django_db
def test_defect_07_a_hit_has_location_start_and_duration(client: Client) -> None:
    video = make_video(started_at=NINE, duration_ms=60_500)
    make_content(video)
    document = client.get("/on-demand/search?search=morning").json()
    (hit,) = document["data"]
    shown = client.get(f"/on-demand/{video.uuid}").json()
    assert hit["location"] == shown["location"] is not None
    assert (hit["duration_seconds"], hit["start_time"]) == (60.5, int(NINE.timestamp()) * 1000)
    assert (document["page"], document["pageSize"]) == (1, 25)
    assert isinstance(hit["rank"], float)
    assert {name: hit[name] for name in ("title", "description", "tags", "thumbnail")} == shown["content"]


@pytest.mark.django_db
def test_defect_07_a_search_computes_no_vector(client: Client) -> None:
    make_content(make_video())
    with CaptureQueriesContext(connection) as queries:
        assert len(found(client, "morning")) == 1
    text = " ".join(query["sql"] for query in queries)
    assert "to_tsvector" not in text
    assert '"ondemand_videoindex"."search" @@' in text


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "GET"])
def test_defect_08_a_write_to_an_unknown_video_is_a_404(send: Callable[..., Any], method: str) -> None:
    body = {"title": "x"} if method == "PUT" else None
    document = assert_error(send(method, f"/on-demand/{uuid4()}", body), 404)
    assert document["error"] == "Recording not found"
    assert not Content.objects.exists()


@pytest.mark.django_db
def test_defect_13_an_empty_or_missing_key_setting_lets_no_header_pass(client: Client, settings: Any) -> None:
    settings.AUTH_API_KEY = ""
    video = make_video()
    writes = (("PUT", f"/on-demand/{video.uuid}"), ("DELETE", f"/on-demand/{video.uuid}"), ("POST", "/channels"))
    empty = ("", " ", "Bearer", "Bearer ", "Bearer  ", "\xa0")
    for header in (None, *empty, "x", "Bearer x", "x x", "None", "Bearer None", "Bearer undefined"):
        headers = {} if header is None else {"Authorization": header}
        for method, path in writes:
            response = client.generic(method, path, b'{"title": "x"}', "application/json", headers=headers)
            assert response.status_code == 401, (header, method, path)
            assert_error(response, 401)
            assert response["WWW-Authenticate"] == "Bearer", (header, method, path)
    video.refresh_from_db()
    assert video.active
    assert not Content.objects.exists()


application = functools.cache(get_wsgi_application)


def ask(path: str, **environ: str) -> int:
    """A whole request through the WSGI application, the signals that give connections back included."""
    values: dict[str, Any] = {"PATH_INFO": path, "HTTP_HOST": "testserver", "QUERY_STRING": "", **environ}
    setup_testing_defaults(values)
    seen: list[str] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        seen.append(status)

    answer = application()(values, start_response)
    try:
        b"".join(answer)
    finally:
        answer.close()  # type: ignore[attr-defined]
    return int(seen[0].split()[0])


def connections_to_this_database() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_defect_14_many_requests_share_the_connections_of_one_pool() -> None:
    video = make_video()
    paths = ["/on-demand", "/on-demand/search", f"/on-demand/{video.uuid}", "/healthz", "/on-demand/x", "/nothing"]
    connection.close()
    assert ask("/healthz") == 200
    pool = connection.pool
    before = pool.get_stats()
    for number in range(60):
        ask(paths[number % len(paths)])
    # A connection goes back in the background.
    for _ in range(100):
        after = pool.get_stats()
        if after["pool_available"] == after["pool_size"]:
            break
        time.sleep(0.05)
    assert connection.pool is pool
    assert after["requests_num"] - before["requests_num"] >= 30
    # A quick successor may open another one while that is on its way.
    assert after.get("connections_num", 0) - before.get("connections_num", 0) <= 15
    assert after["pool_available"] == after["pool_size"] <= 10
    assert connections_to_this_database() <= 10


@pytest.mark.django_db(transaction=True)
def test_defect_14_requests_at_once_never_open_more_connections_than_the_pool_may_hold(settings: Any) -> None:
    make_video()
    seen: list[int] = []
    workers = [threading.Thread(target=lambda: seen.extend(ask("/on-demand") for _ in range(4))) for _ in range(16)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert seen == [200] * 64
    most = settings.DATABASES["default"]["OPTIONS"]["pool"]["max_size"]
    assert connection.pool.get_stats()["pool_size"] <= most
    assert connections_to_this_database() <= most + 1


# One video by its uuid


@pytest.mark.django_db
@pytest.mark.parametrize("spell", FORMS, ids=["lower", "upper", "bare", "braces", "urn", "URN"])
def test_every_form_of_the_uuid_is_taken_by_every_method(
    send: Callable[..., Any], spell: Callable[[UUID], str]
) -> None:
    video = make_video()
    path = f"/on-demand/{spell(video.uuid)}"
    answers = [send("GET", path), send("PUT", path, {}), send("DELETE", path), send("PATCH", path)]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert answers[0].json()["uuid"] == answers[1].json()["on_demand_video_uuid"] == str(video.uuid)


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_uuid_is_a_400_that_names_it(send: Callable[..., Any], method: str, text: str) -> None:
    assert_error(send(method, f"/on-demand/{text}", {} if method == "PUT" else None), 400, field="uuid")


@pytest.mark.django_db
def test_a_malformed_uuid_without_a_credential_is_a_400_for_get_and_a_401_for_writes(client: Client) -> None:
    assert_error(client.get("/on-demand/x"), 400, field="uuid")
    assert_error(client.delete("/on-demand/x"), 401)


@pytest.mark.django_db
def test_an_unknown_video_is_a_404_with_the_predecessors_sentence(client: Client) -> None:
    assert assert_error(client.get(f"/on-demand/{uuid4()}"), 404)["error"] == "Recording not found"


# Duplicates and rows that the predecessor or hands wrote


@pytest.mark.django_db
def test_a_duplicate_answers_with_the_first_ones_content_and_is_not_listed(client: Client) -> None:
    data = detail()
    first, second = insert_as_the_predecessor(data), insert_as_the_predecessor(data)
    make_content(Video.objects.get(pk=first), title="Written about the first")
    assert listed(client) == [str(first)]
    document = client.get(f"/on-demand/{second}").json()
    assert (document["uuid"], document["content"]["title"]) == (str(second), "Written about the first")


@pytest.mark.django_db
def test_a_duplicate_opens_on_its_own_once_the_first_row_is_deleted_by_sql(client: Client) -> None:
    data = detail()
    first, second = insert_as_the_predecessor(data), insert_as_the_predecessor(data)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM on_demand_videos WHERE uuid = %s", [first])
    assert client.get(f"/on-demand/{second}").status_code == 200
    assert listed(client) == [str(second)]


@pytest.mark.django_db
def test_a_duplicate_with_content_of_its_own_answers_with_it(send: Callable[..., Any]) -> None:
    data = detail()
    first, second = insert_as_the_predecessor(data), insert_as_the_predecessor(data)
    make_content(Video.objects.get(pk=first), title="Written about the first")
    assert send("PUT", f"/on-demand/{second}", {"title": "Its own"}).status_code == 200
    assert send("GET", f"/on-demand/{second}").json()["content"]["title"] == "Its own"
    assert send("GET", f"/on-demand/{first}").json()["content"]["title"] == "Written about the first"


@pytest.mark.django_db
def test_a_row_that_the_predecessor_writes_shows_at_once(client: Client, settings: Any) -> None:
    channel = make_channel()
    data = detail(recording_s3_bucket_name="old-bucket", recording_s3_key_prefix="ivs/v1/old/one")
    uuid = insert_as_the_predecessor(data, channel=channel.uuid, created_at="2026-03-04T10:00:00Z")
    (document,) = client.get("/on-demand").json()["data"]
    assert document["uuid"] == str(uuid)
    assert document["location"] == "https://old-bucket.s3.amazonaws.com/ivs/v1/old/one/media/hls/master.m3u8"
    assert (document["duration_seconds"], document["channel"]) == (3960, str(channel.uuid))
    assert document["start_time"] == (int(NINE.timestamp()) + 3600 - 3960) * 1000
    assert document["qa"] == "unverified"


@pytest.mark.django_db
def test_a_row_with_any_data_is_listed_and_opens(client: Client) -> None:
    texts = ("null", "[]", '"text"', "5", "{}", '{"recording_s3_key_prefix": 5}', '{"a": [[[{}]]]}')
    rows = {str(insert_as_the_predecessor(data)): data for data in texts}
    assert set(listed(client)) == set(rows)
    for uuid, data in rows.items():
        document = client.get(f"/on-demand/{uuid}").json()
        found_in = (document["location"], document["duration_seconds"], document["thumbnails"])
        assert found_in == (None, 0, []), data


@pytest.mark.django_db
def test_a_video_without_start_stands_last_with_start_time_zero(client: Client) -> None:
    unknown = make_video(started_at=None, duration_ms=None)
    known = make_video(started_at=datetime(1971, 1, 1, tzinfo=UTC))
    assert listed(client) == [str(known.uuid), str(unknown.uuid)]
    document = client.get(f"/on-demand/{unknown.uuid}").json()
    assert (document["start_time"], document["duration_seconds"], document["started_at"]) == (0, 0, None)


@pytest.mark.django_db
def test_a_channel_that_points_nowhere_never_raises(client: Client) -> None:
    uuid = insert_as_the_predecessor(detail(), channel=uuid4())
    assert client.get(f"/on-demand/{uuid}").status_code == 200
    assert listed(client) == [str(uuid)]


@pytest.mark.django_db
def test_a_row_of_any_age_does_not_break_the_list(client: Client) -> None:
    moments = ("infinity", "-infinity", "4713-01-01 BC", "20000-01-01", "0001-01-01", "9999-12-31 23:59:59")
    odd = {str(insert_as_the_predecessor(detail(), created_at=moment)): moment for moment in moments}
    good = make_video()
    assert set(listed(client)) == {str(good.uuid), *odd}
    for uuid, moment in odd.items():
        assert isinstance(client.get(f"/on-demand/{uuid}").json()["start_time"], int), moment


@pytest.mark.django_db
def test_content_with_any_tags_is_shown_and_searched(client: Client) -> None:
    rows = {}
    for tags in ("NULL", "'{}'", "'{NULL}'", "'{\"\"}'", "'{NULL,\"\",news}'"):
        uuid = make_video().uuid
        rows[str(uuid)] = ["news"] if "news" in tags else []
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO on_demand_video_content "  # noqa: S608  (texts of this test)
                "(uuid, on_demand_video_uuid, created_at, created_by, title, description, tags, data, thumbnail) "
                f"VALUES (DEFAULT, %s, NULL, %s, NULL, 'Weather', {tags}, 'null'::jsonb, NULL)",
                [uuid, UUID(int=0)],
            )
    assert {uuid: client.get(f"/on-demand/{uuid}").json()["content"]["tags"] for uuid in rows} == rows
    assert {item["uuid"]: item["content"]["tags"] for item in client.get("/on-demand").json()["data"]} == rows
    assert set(found(client, "weather")) == set(rows)


# Search


@pytest.fixture
def library(db: None) -> dict[str, str]:
    """Titles and the uuids of their videos."""
    texts = {
        "Morning show": ("The weather in Köln", ["news", "live"]),
        "Evening show": ("Guests and music", ["music"]),
        "Show of the morning": ("Nothing else", []),
    }
    made = {}
    for hour, (title, (description, tags)) in enumerate(texts.items()):
        video = make_video(started_at=NINE + timedelta(hours=hour))
        make_content(video, title=title, description=description, tags=tags)
        made[title] = str(video.uuid)
    return made


def test_the_search_takes_web_search_syntax_over_title_description_and_tags(
    client: Client, library: dict[str, str]
) -> None:
    expected = {
        "morning": {"Morning show", "Show of the morning"},
        "MORNING": {"Morning show", "Show of the morning"},
        '"morning show"': {"Morning show"},
        "show -morning": {"Evening show"},
        "weather or guests": {"Morning show", "Evening show"},
        "weather guests": set(),
        "music": {"Evening show"},
        "news": {"Morning show"},
        "köln": {"Morning show"},
        "guest": {"Evening show"},
        "nowhere": set(),
        "show": {"Morning show", "Evening show", "Show of the morning"},
    }
    titles = {uuid: title for title, uuid in library.items()}
    assert {search: {titles[uuid] for uuid in found(client, search)} for search in expected} == expected


def test_the_best_match_comes_first(client: Client, library: dict[str, str]) -> None:
    hits = client.get("/on-demand/search?search=show").json()["data"]
    ranks = [hit["rank"] for hit in hits]
    assert ranks == sorted(ranks, reverse=True)
    both = found(client, "morning show")
    assert both[0] == library["Morning show"]


def test_an_empty_search_is_an_empty_list(client: Client, library: dict[str, str]) -> None:
    for query in ("", "?search=", "?search=%20%20", "?search=%09&page=2", "?page=1"):
        response = client.get(f"/on-demand/search{query}")
        assert response.status_code == 200, query
        assert response.json()["data"] == [], query


def test_no_search_text_breaks_the_search(client: Client, library: dict[str, str]) -> None:
    signs = ["'", '"', '"""', "-", "- - -", "or", "or or", "-or", "()&|!:*<->", "\\", "%", "_", ":A"]
    long = ["-" * 3000 + "a", "- " * 2000 + "a", "-" * 5000, '"' * 4999, '-"' * 2000]
    long += ["or " * 1500, "-or " * 1200, "-a " * 1600]
    for search in ("\0", "morning\0show", *signs, "\ufffe", "😀", "the", *long):
        for path in ("/on-demand/search", "/on-demand"):
            assert client.get(path, {"search": search}).status_code == 200, (path, search[:40])


@pytest.mark.django_db(transaction=True)
def test_no_long_search_text_breaks_the_search(client: Client) -> None:
    for search in (
        "x" * 5000,
        "-a b " * 10_000,
        "a or " * 20_000,
        "(" * 20_000,
        '"' * 20_000,
        "%FF%FE",
        "a b " * 3000,
    ):
        assert client.get("/on-demand/search", {"search": search}).status_code == 200, search[:40]
        assert client.get(f"/on-demand/search?search={search[:100]}%ff%00").status_code == 200, search[:40]


def test_the_search_pages_as_the_list_does(client: Client, library: dict[str, str]) -> None:
    first = client.get("/on-demand/search?search=show&page=1&pageSize=2").json()
    second = client.get("/on-demand/search?search=show&page=2&pageSize=2").json()
    assert [len(first["data"]), len(second["data"])] == [2, 1]
    assert {hit["on_demand_video_uuid"] for hit in first["data"] + second["data"]} == set(library.values())


def test_the_search_follows_every_change_of_content(
    client: Client, send: Callable[..., Any], library: dict[str, str]
) -> None:
    uuid = library["Evening show"]
    send("PUT", f"/on-demand/{uuid}", {"title": "Nightcap"})
    assert found(client, "nightcap") == [uuid]
    assert found(client, "evening") == []


def test_the_list_searches_too_with_whole_videos(client: Client, library: dict[str, str]) -> None:
    document = client.get("/on-demand", {"search": '"morning show"'}).json()
    assert [video["uuid"] for video in document["data"]] == [library["Morning show"]]
    assert document["data"][0]["content"]["title"] == "Morning show"


# PUT


@pytest.mark.django_db
def test_put_makes_the_content_and_answers_with_its_row(send: Callable[..., Any]) -> None:
    video = make_video()
    body = {"title": "T", "description": "D", "thumbnail": "https://x.example/t.jpg", "tags": ["a", "b"]}
    response = send("PUT", f"/on-demand/{video.uuid}", body)
    assert response.status_code == 200
    answer = response.json()
    row = Content.objects.get()
    assert {name: answer[name] for name in body} == body
    assert (answer["uuid"], answer["on_demand_video_uuid"]) == (str(row.uuid), str(video.uuid))
    assert datetime.fromisoformat(answer["created_at"]).utcoffset() == timedelta(0)
    assert row.created_by == UUID(int=0)
    assert send("GET", f"/on-demand/{video.uuid}").json()["content"] == body


@pytest.mark.django_db
def test_put_by_a_token_writes_the_accounts_uuid(client: Client) -> None:
    token, text = make_token("curate")
    video = make_video()
    response = client.put(f"/on-demand/{video.uuid}", "{}", "application/json", headers=bearer(text))
    assert response.status_code == 200
    assert Content.objects.get().created_by == token.user.uuid


@pytest.mark.django_db
def test_replacing_keeps_uuid_created_at_and_created_by(send: Callable[..., Any]) -> None:
    video = make_video()
    old = make_content(video, created_by=OWNER, created_at=NINE)
    answer = send("PUT", f"/on-demand/{video.uuid}", {"title": "New"}).json()
    row = Content.objects.get()
    assert (row.uuid, row.created_by, row.created_at) == (old.uuid, OWNER, NINE)
    assert (answer["uuid"], datetime.fromisoformat(answer["created_at"])) == (str(old.uuid), NINE)
    assert (row.title, row.description, row.tags, row.thumbnail) == ("New", "", [], "")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": None, "description": None, "thumbnail": None, "tags": None},
        {"unknown": 1, "uuid": "x", "created_by": "y", "created_at": 5, "on_demand_video_uuid": [], "": {}, "\0": 1},
        {"\ud800": "\udfff", "title": ""},
    ],
)
def test_absent_and_null_become_empty_and_unknown_fields_are_ignored(
    send: Callable[..., Any], body: dict[str, Any]
) -> None:
    video = make_video()
    make_content(video)
    answer = send("PUT", f"/on-demand/{video.uuid}", body).json()
    assert [answer[name] for name in ("title", "description", "thumbnail", "tags")] == ["", "", "", []]
    row = Content.objects.get()
    assert (row.title, row.description, row.thumbnail, row.tags) == ("", "", "", [])


@pytest.mark.django_db
@pytest.mark.parametrize("body", [b"", b" "])
def test_a_put_without_a_body_is_no_json_and_empties_nothing(send: Callable[..., Any], body: bytes) -> None:
    """The predecessor could not read it either; a client that lost its body must not wipe what people wrote."""
    video = make_video()
    make_content(video)
    for content_type in ("application/json", "application/x-www-form-urlencoded", ""):
        assert_error(send("PUT", f"/on-demand/{video.uuid}", body, content_type), 400)
    assert Content.objects.get().title == "Morning show"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "nonsense",
        "a/b; charset=x",
    ],
)
def test_the_body_of_put_is_json_whatever_its_content_type(send: Callable[..., Any], content_type: str) -> None:
    video = make_video()
    response = send("PUT", f"/on-demand/{video.uuid}", {"title": "Ä"}, content_type)
    assert response.status_code == 200
    assert response.json()["title"] == "Ä"


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["x" * 1_500_000, "\U0001f600" * 100_000, " ".join(f"w{n:x}" for n in range(150_000))])
def test_texts_of_any_length_are_kept(send: Callable[..., Any], text: str) -> None:
    video = make_video()
    response = send("PUT", f"/on-demand/{video.uuid}", {"title": text, "description": text, "tags": [text[:9000]]})
    assert response.status_code == 200
    row = Content.objects.get()
    assert (row.title, row.description, row.tags) == (text, text, [text[:9000]])


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text", [" two  spaces ", "\ttab\n", "%s {0} \\", "'; drop table x; --", "<b>", "\u202e\u0301", "日本"]
)
def test_texts_are_kept_as_they_are(send: Callable[..., Any], text: str) -> None:
    video = make_video()
    body = {"title": text, "description": text, "tags": [text, 'with "quotes"', "{braces}", "NULL", "a,b"]}
    answer = send("PUT", f"/on-demand/{video.uuid}", body).json()
    assert {name: answer[name] for name in body} == body


@pytest.mark.django_db
def test_a_bad_value_is_a_400_that_names_its_field_and_changes_nothing(send: Callable[..., Any]) -> None:
    video = make_video()
    make_content(video)
    no_text: list[Any] = [5, True, [], {}, "\0", "a\ud800"]
    no_url = ["x", "/a.jpg", "//x.example/a.jpg", "javascript:alert(1)", "data:image/png,x", "ftp://x/"]
    values: dict[str, list[Any]] = {
        "title": no_text,
        "description": no_text,
        "thumbnail": [*no_text, *no_url],
        "tags": ["news", 5, True, {}, {"a": 1}, [5], [[]], [{}], ["\0"], ["\udfff"], [["a"]]],
    }
    for field, value in ((field, value) for field, bad in values.items() for value in bad):
        response = send("PUT", f"/on-demand/{video.uuid}", {"title": "New", field: value})
        assert response.status_code == 400, (field, value)
        assert_error(response, 400, field=field)
        assert Content.objects.get().title == "Morning show", (field, value)


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["", "http://x.example/a", "HTTPS://X.EXAMPLE/A.JPG", "https://x.example/ä b?c=%20#d"])
def test_a_thumbnail_is_empty_or_any_http_url(send: Callable[..., Any], url: str) -> None:
    video = make_video()
    assert send("PUT", f"/on-demand/{video.uuid}", {"thumbnail": url}).json()["thumbnail"] == url


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'"x"', b"5", b"\xff\xfe{\x00}\x00", b'{"title": "\xff"}', b"\0", b"title=x"]
)
def test_a_body_that_is_no_json_object_is_a_400(send: Callable[..., Any], body: bytes) -> None:
    video = make_video()
    for content_type in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data"):
        document = assert_error(send("PUT", f"/on-demand/{video.uuid}", body, content_type), 400)
        assert (document["fields"], "non_field" in document["error"]) == ({}, False)
    assert not Content.objects.exists()


@pytest.mark.django_db
def test_a_body_over_the_limit_is_a_413(send: Callable[..., Any], settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    video = make_video()
    for content_type in ("application/json", "application/x-www-form-urlencoded", ""):
        assert_error(send("PUT", f"/on-demand/{video.uuid}", {"title": "x" * 1000}, content_type), 413)
    assert not Content.objects.exists()


@pytest.mark.django_db
def test_a_hidden_video_can_be_edited(send: Callable[..., Any]) -> None:
    video = make_video(active=False)
    assert send("PUT", f"/on-demand/{video.uuid}", {"title": "x"}).status_code == 200


# Hide and show


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"", ""), (b"", "application/json"), (b"{", "application/json"), (b"\xff" * 3_000_000, "")],
)
def test_delete_hides_the_video_and_does_not_read_a_body(
    client: Client, send: Callable[..., Any], body: bytes, content_type: str
) -> None:
    video = make_video()
    response = send("DELETE", f"/on-demand/{video.uuid}", body, content_type)
    assert (response.status_code, response.content) == (200, b"OK")
    assert response["Content-Type"].startswith("text/plain")
    video.refresh_from_db()
    assert video.active is False
    assert listed(client) == []
    assert send("DELETE", f"/on-demand/{video.uuid}").content == b"OK"


@pytest.mark.django_db
def test_patch_shows_the_video_again(client: Client, send: Callable[..., Any]) -> None:
    video = make_video()
    make_content(video)
    bodies = product((False,), (b"", b"{}", b"null"), ("", "application/json", FORM))
    for case in (*bodies, (None, b"", ""), (True, b"", "")):
        active, body, content_type = case
        Video.objects.update(active=active)
        response = send("PATCH", f"/on-demand/{video.uuid}", body, content_type)
        assert (response.status_code, response.content) == (200, b"OK"), case
        assert response["Content-Type"].startswith("text/plain"), case
        assert listed(client) == [str(video.uuid)], case
        assert Content.objects.get().title == "Morning show", case


@pytest.mark.django_db
def test_hiding_and_showing_leaves_the_rest_of_the_row(send: Callable[..., Any]) -> None:
    uuid = insert_as_the_predecessor(detail(), created_at=NINE.isoformat())
    before = Video.objects.filter(pk=uuid).values().get()
    send("DELETE", f"/on-demand/{uuid}")
    send("PATCH", f"/on-demand/{uuid}")
    assert Video.objects.filter(pk=uuid).values().get() == before


# Who may, and the shape of errors


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_writes_without_a_credential_are_401_and_without_the_scope_403(client: Client, method: str) -> None:
    video = make_video()
    path = f"/on-demand/{video.uuid}"
    response = client.generic(method, path, b"{}", "application/json")
    assert_error(response, 401)
    assert response["WWW-Authenticate"] == "Bearer"
    _, text = make_token("read", "channels", "playback")
    refused = client.generic(method, path, b"{}", "application/json", headers=bearer(text))
    assert assert_error(refused, 403)["error"] == "This needs the scope `curate`"
    video.refresh_from_db()
    assert video.active
    assert not Content.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/on-demand", "/on-demand/search?search=x", "/on-demand/{}", "/channels/{}/live"])
def test_an_invalid_credential_is_a_401_on_public_reads_too(client: Client, path: str) -> None:
    response = client.get(path.format(make_video().uuid), headers=bearer("nonsense"))
    assert_error(response, 401)
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.django_db
def test_where_reads_are_not_public_they_need_the_scope_read(client: Client, settings: Any, api_key: str) -> None:
    settings.API_PUBLIC_READ = False
    path = f"/on-demand/{make_video().uuid}"
    for asked in (path, "/on-demand", "/on-demand/search?search=x"):
        response = client.get(asked)
        assert_error(response, 401)
        assert response["WWW-Authenticate"] == "Bearer"
        assert_error(client.get(asked, headers=bearer(make_token("curate")[1])), 403)
        assert client.get(asked, headers=bearer(make_token("read")[1])).status_code == 200
        assert client.get(asked, headers=bearer(api_key)).status_code == 200
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/on-demand"),
        ("DELETE", "/on-demand"),
        ("PUT", "/on-demand/search"),
        ("POST", "/on-demand/{}"),
        ("POST", "/channels/{}/live"),
        ("DELETE", "/channels"),
        ("POST", "/healthz"),
        ("FOO", "/on-demand"),
        ("TRACE", "/on-demand/{}"),
        ("PROPFIND", "/healthz"),
    ],
)
def test_a_method_that_a_route_does_not_have_is_a_405(send: Callable[..., Any], method: str, path: str) -> None:
    response = send(method, path.format(make_video().uuid))
    assert_error(response, 405)
    assert response["Allow"]


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "FOO"])
def test_a_write_to_a_route_that_only_reads_is_no_500_without_a_credential(client: Client, method: str) -> None:
    for path in ("/on-demand", "/on-demand/search", f"/channels/{uuid4()}/live", "/healthz"):
        response = client.generic(method, path)
        assert response.status_code in (401, 405)
        assert_error(response, response.status_code)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    ["/nothing", "/on-demand/", "/on-demand/a/b", "/channels/", "/%00", "/%ff", "/on-demand//", "/" + "a/" * 2000],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_route_is_a_404_of_the_same_shape(client: Client, method: str, path: str) -> None:
    assert_error(client.generic(method, path), 404)


@pytest.mark.parametrize(
    "host", ["evil.example", "", "a b", "testserver:port", "[::1", "\xff", "a" * 10_000, "testserver\0"]
)
def test_a_host_that_is_not_served_is_a_400_of_the_same_shape(client: Client, host: str) -> None:
    assert_error(client.get("/on-demand", HTTP_HOST=host), 400)


@pytest.mark.django_db
def test_a_session_needs_the_csrf_token(client: Client) -> None:
    video = make_video()
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    user = make_account("curate", is_staff=True)
    strict.force_login(user)
    path = f"/on-demand/{video.uuid}"
    for content_type in ("application/json", "application/x-www-form-urlencoded"):
        assert_error(strict.generic("PUT", path, b'{"title": "x"}', content_type), 403)
        assert_error(strict.generic("POST", "/channels", b"[1]", content_type), 403)
    assert not Content.objects.exists()
    secret = "a" * 32
    strict.cookies["csrftoken"] = secret
    assert strict.put(path, "{}", "application/json", headers={"X-CSRFToken": secret}).status_code == 200
    assert Content.objects.get().created_by == user.pk
    # The account has the permission `curate` alone.
    assert_error(strict.post("/channels", "{}", "application/json", headers={"X-CSRFToken": secret}), 403)


@pytest.mark.django_db
@pytest.mark.parametrize("body", [b"[1]", b"null", b"5", b'"x"', b"{", b""])
def test_a_session_with_a_form_type_and_a_body_that_is_no_object_is_no_500(body: bytes) -> None:
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    strict.force_login(make_account("curate", "channels"))
    strict.cookies["csrftoken"] = "a" * 32
    response = strict.generic("POST", "/channels", body, "application/x-www-form-urlencoded")
    assert response.status_code in (400, 403)
    assert_error(response, response.status_code)


# The database is away


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/on-demand"),
        ("GET", "/on-demand/search?search=x"),
        ("GET", "/on-demand/{}"),
        ("PUT", "/on-demand/{}"),
        ("PATCH", "/on-demand/{}"),
        ("DELETE", "/on-demand/{}"),
        ("GET", "/healthz"),
        ("GET", "/admin/"),
    ],
)
def test_an_outage_of_the_database_is_a_503_that_says_when_to_come_back(
    send: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    video = make_video()
    if path == "/admin/":
        send = Client(raise_request_exception=False, headers={"Cookie": "sessionid=abcdefgh12345678"}).generic
    database_is_away(monkeypatch)
    response = send(method, path.format(video.uuid), b"{}" if method == "PUT" else b"")
    document = assert_error(response, 503)
    assert response["Retry-After"].isdigit()
    assert "example.com" not in document["error"]
    assert "password" not in response.content.decode()


@pytest.mark.django_db
def test_an_outage_while_a_token_is_looked_up_is_a_503_and_no_401(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, text = make_token("curate")
    database_is_away(monkeypatch)
    assert_error(client.get("/on-demand", headers=bearer(text)), 503)


@pytest.mark.django_db
def test_healthz_is_ok_while_the_database_answers(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert client.get("/healthz", headers=bearer("nonsense")).status_code == 200


# Hostile input


@pytest.mark.django_db(transaction=True)
def test_no_cookie_gives_a_5xx(client: Client) -> None:
    for cookie in ('sessionid="\\000aaaaaaaaa"', "sessionid=\xff\xfe\xff\xfe\xff\xfe\xff\xfe", 'csrftoken="\\000"'):
        for path in ("/on-demand", "/admin/", "/healthz"):
            assert client.get(path, HTTP_COOKIE=cookie).status_code < 500, (cookie, path)


@pytest.mark.django_db
def test_more_parameters_than_django_takes_are_a_400(client: Client) -> None:
    assert_error(client.get("/on-demand?" + "&".join(f"a{n}=1" for n in range(1200))), 400)


@pytest.mark.django_db
@pytest.mark.parametrize("page", [str(2**63 - 1), "9" * 23, "9" * 5000])
def test_a_page_beyond_every_number_is_an_empty_list(client: Client, page: str) -> None:
    make_video()
    assert client.get("/on-demand", {"page": page}).json()["data"] == []


@pytest.mark.django_db
def test_showing_a_recording_that_runs_leaves_it_to_its_end(send: Callable[..., Any]) -> None:
    video = make_video(status="recording", active=False)
    assert send("PATCH", f"/on-demand/{video.uuid}").status_code == 200
    video.refresh_from_db()
    assert video.active is None


@pytest.mark.django_db
def test_lists_of_tags_within_lists_are_one_list_and_stay_when_something_else_is_edited(
    client: Client, api_key: str
) -> None:
    video = make_video()
    make_content(video)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE on_demand_video_content SET tags = '{{a,b},{c,d}}'")
    assert client.get("/on-demand").json()["data"][0]["content"]["tags"] == ["a", "b", "c", "d"]
    for path in ("/", "/?tag=c", f"/watch/{video.pk}"):
        assert client.get(path).status_code == 200
    path = f"/on-demand/{video.pk}"
    answer = client.patch(path, {"description": "y"}, content_type="application/json", headers=bearer(api_key))
    assert answer.json()["content"]["tags"] == ["a", "b", "c", "d"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT tags FROM on_demand_video_content")
        assert cursor.fetchone()[0] == [["a", "b"], ["c", "d"]]
