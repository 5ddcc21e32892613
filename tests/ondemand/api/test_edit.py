"""Editing a video by the API: PATCH, its limits, and versions (`If-Match`)."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from ondemand.models import Content, Video
from tests.support.helpers import OWNER, bearer, make_content, make_token, make_video

NINE = datetime(2026, 3, 4, 9, tzinfo=UTC)
FACTS = {"playlist": "media/hls/master.m3u8", "thumbnails": [f"media/thumbnails/thumb{n}.jpg" for n in range(20)]}
Patch = Callable[..., Any]


@pytest.fixture
def client() -> Client:
    """Sees the answer to a failure as a client does."""
    return Client(raise_request_exception=False)


@pytest.fixture
def patch(client: Client, api_key: str) -> Patch:
    """PATCH by the shared key; the body as it is, or as JSON."""

    def send(video: Video, body: Any, method: str = "PATCH", **headers: str) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {**bearer(api_key), **{name.replace("_", "-"): value for name, value in headers.items()}}
        return client.generic(method, f"/on-demand/{video.uuid}", data, "application/json", headers=headers)

    return send


def assert_named(response: Any, *fields: str) -> None:
    assert response.status_code == 400, response.content
    assert sorted(response.json()["fields"]) == sorted(fields)


# What changes


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"title": "New"}, {"title": "New"}),
        ({"title": ""}, {"title": ""}),
        ({"title": None, "description": None, "tags": None, "thumbnail": None}, {"title": "", "tags": []}),
        ({"title": "x" * 200, "description": "y" * 10_000}, {"title": "x" * 200, "description": "y" * 10_000}),
        ({"tags": ["a", "b", "a"]}, {"tags": ["a", "b"]}),
        ({"tags": ["x" * 64] + [f"tag {n}" for n in range(49)]}, {}),
        ({"thumbnail": "https://example.com/ä.jpg?x=%20#y"}, {"thumbnail": "https://example.com/ä.jpg?x=%20#y"}),
        ({"title": "\u202eשלום 😀" * 10}, {"title": "\u202eשלום 😀" * 10}),  # noqa: RUF001
    ],
)
def test_content_is_changed_field_by_field(client: Client, patch: Patch, body: dict[str, Any], shown: Any) -> None:
    video = make_video()
    old = make_content(video, created_by=OWNER, created_at=NINE)
    response = patch(video, body)
    assert response.status_code == 200, response.content
    assert response.json() == client.get(f"/on-demand/{video.uuid}").json()
    content = response.json()["content"]
    assert {name: content[name] for name in shown} == shown
    untouched = {"title": old.title, "description": old.description, "tags": old.tags, "thumbnail": old.thumbnail}
    assert {name: content[name] for name in untouched.keys() - body.keys()} == {
        name: value for name, value in untouched.items() if name not in body
    }
    row = Content.objects.get()
    assert (row.uuid, row.created_by, row.created_at) == (old.uuid, OWNER, NINE)


@pytest.mark.django_db
def test_content_is_created_only_if_there_is_none(patch: Patch) -> None:
    video = make_video()
    assert patch(video, {"visibility": "unlisted"}).json()["content"] == {}
    empty = {"title": "New", "description": "", "tags": [], "thumbnail": ""}
    assert patch(video, {"title": "New"}).json()["content"] == empty
    assert Content.objects.get().created_by == UUID(int=0)


@pytest.mark.django_db
def test_a_change_of_a_duplicate_copies_the_content_of_the_first_row(patch: Patch) -> None:
    first = make_video()
    make_content(first, title="First", tags=["a"])
    copy = make_video(duplicate_of=first)
    shown = patch(copy, {"description": "Own"}).json()["content"]
    assert (shown["title"], shown["description"], shown["tags"]) == ("First", "Own", ["a"])
    assert Content.objects.get(video=first).description == "News and weather"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "listing"),
    [
        ({"active": False}, "hidden"),
        ({"visibility": "unlisted"}, "unlisted"),
        ({"publish_from": "2999-01-01T00:00:00Z"}, "scheduled"),
        ({"publish_until": "2001-01-01T00:00:00+02:00"}, "expired"),
        ({"publish_from": "2001-01-01T00:00:00Z", "publish_until": "2999-01-01T00:00:00Z"}, "listed"),
        ({"active": True, "visibility": "public", "publish_from": None, "publish_until": None}, "listed"),
    ],
)
def test_publication_is_changed_and_undone(client: Client, patch: Patch, body: dict[str, Any], listing: str) -> None:
    video = make_video()
    document = patch(video, body).json()
    assert document["listing"] == listing
    for name in {"publish_from", "publish_until"} & body.keys():
        moment = document[name] and datetime.fromisoformat(document[name])
        assert moment == (body[name] and datetime.fromisoformat(body[name]))
        assert moment is None or document[name].endswith("Z")
    assert len(client.get("/on-demand").json()["data"]) == (listing == "listed")
    undo = {"active": True, "visibility": "public", "publish_from": None, "publish_until": None}
    assert patch(video, undo).json()["listing"] == "listed"


@pytest.mark.django_db
def test_metadata_is_replaced_as_a_whole(client: Client, patch: Patch) -> None:
    video = make_video(metadata={"old": "1"})
    full = {"k" * 64: "v" * 500} | {f"key {n}": "" for n in range(49)}
    assert patch(video, {"metadata": full}).json()["metadata"] == full
    assert len(client.get("/on-demand", {f"metadata[{'k' * 64}]": "v" * 500}).json()["data"]) == 1
    assert client.get("/on-demand", {"metadata[old]": "1"}).json()["data"] == []
    assert patch(video, {"metadata": None}).json()["metadata"] == {}


@pytest.mark.django_db
def test_showing_a_held_video_releases_it(patch: Patch) -> None:
    for body in ({"active": True}, {}):
        video = make_video(held=True, active=None)
        assert patch(video, body).status_code == 200
        assert Video.objects.get(pk=video.pk).listing_at(timezone.now()) == "listed"


@pytest.mark.django_db
def test_the_row_of_the_predecessor_is_unchanged(patch: Patch) -> None:
    video = make_video(data={"a": 1}, created_at=NINE)
    before = Video.objects.values("created_at", "data", "channel_id", "status", "facts").get()
    assert patch(video, {"title": "x", "metadata": {"a": "b"}}).status_code == 200
    assert Video.objects.values("created_at", "data", "channel_id", "status", "facts").get() == before


# Limits


LONG = {f"k{n}": "v" for n in range(51)}
MALFORMED: list[tuple[str, Any]] = [
    *((name, value) for name in ("title", "description", "thumbnail") for value in (5, True, [], {}, "\0", "a\ud800")),
    ("title", "x" * 201),
    ("description", "x" * 10_001),
    *(
        ("tags", value)
        for value in ("a", 5, {}, [5], [None], [""], ["\0"], ["x" * 65], [["a"]], [f"{n}" for n in range(51)])
    ),
    ("tags", [f"tag {n}" for n in range(10_000)]),
    *(
        ("thumbnail", value)
        for value in (
            "http://example.com/a.jpg",
            "javascript:alert(1)",
            "//example.com/a.jpg",
            "a.jpg",
            "https://",
            "https:///a.jpg",
            "https://[",
            "https://a b/",
            "https://example.com/\n",
            "https://example.com:0/",
            "https://example.com/" + "x" * 2000,
            "media/thumbnails/thumb99.jpg",
            "https://www.example.com\\@elsewhere.example/x.jpg",
            "https://user:password@www.example.com/x.jpg",
            'https://www.example.com/"><script>',
        )
    ),
    *(("active", value) for value in (None, 1, 0, "true", [], {})),
    *(("visibility", value) for value in (None, "", "Public", "hidden", 1, [], {}, "\ud800")),
    *(
        (name, value)
        for name in ("publish_from", "publish_until")
        for value in (
            "",
            "tomorrow",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-02-30T00:00:00Z",
            "9999-01-01T00:00:00Z",
            "0001-01-01T00:00:00+14:00",
            1772614800000,
            True,
            [],
            {},
            "\0",
        )
    ),
    *(
        ("metadata", value)
        for value in (
            [],
            "x",
            5,
            {"a": 1},
            {"a": None},
            {"a": {}},
            {"a": "\0"},
            {"a": "\ud800"},
            {"\0": "a"},
            {"": "a"},
        )
    ),
    *(("metadata", value) for value in ({"k" * 65: "a"}, {"a": "x" * 501}, LONG)),
]


@pytest.mark.django_db
def test_a_value_beyond_its_limits_is_a_400_that_names_it_and_changes_nothing(patch: Patch) -> None:
    video = make_video(facts=FACTS)
    make_content(video)
    before = Video.objects.values().get(), Content.objects.values().get()
    for field, value in MALFORMED:
        other = {"visibility": "unlisted"} if field != "visibility" else {"title": "New"}
        response = patch(video, {**other, field: value})
        assert (response.status_code, list(response.json().get("fields", ()))) == (400, [field]), (field, value)
        assert (Video.objects.values().get(), Content.objects.values().get()) == before, (field, value)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["trimmed", "Title", "uuid", "status", "location", "held", "created_by", "", "\ud800", "a.b"]
)
def test_an_unknown_field_is_a_400_that_names_it(patch: Patch, name: str) -> None:
    video = make_video()
    response = patch(video, {"title": "x", name: None})
    assert response.status_code == 400
    assert response.json()["code"] == "invalid"
    assert not Content.objects.exists()
    if name.isalpha() and name.isascii():
        assert_named(response, name)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body", [b"[]", b"[{}]", b"0", b"false", b'""', b'"x"', b"{", b'{"title": "a", "title": "b"}', b" "]
)
def test_a_body_that_is_no_object_is_a_400_and_shows_nothing(patch: Patch, body: bytes) -> None:
    video = make_video(active=False)
    assert patch(video, body).status_code == 400
    assert Video.objects.get().active is False


@pytest.mark.django_db
def test_limits_apply_to_changed_fields_alone(patch: Patch) -> None:
    """The predecessor knew no limits, and a client may send back what it read."""
    video = make_video(metadata={"k" * 100: "v" * 1000, "n": 5})
    texts = {"title": "x" * 300, "description": "y" * 20_000, "tags": ["z" * 100] * 60, "thumbnail": "http://a/b"}
    make_content(video, **texts)
    answer = patch(video, {**texts, "metadata": {"k" * 100: "v" * 1000, "n": 5}, "visibility": "unlisted"})
    assert answer.status_code == 200, answer.content
    assert (answer.json()["content"], answer.json()["visibility"]) == (texts, "unlisted")
    assert patch(video, {"title": "New"}).json()["content"] == {**texts, "title": "New"}
    for name, value in texts.items():
        if name != "title":
            assert_named(patch(video, {name: [*value, "b"] if isinstance(value, list) else f"{value}\n"}), name)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("begin", "end"), [("2030-01-02T00:00:00Z", "2030-01-01T00:00:00Z"), ("2030-01-01T00:00:00Z",) * 2]
)
def test_publication_ends_after_it_begins(patch: Patch, begin: str, end: str) -> None:
    assert_named(patch(make_video(), {"publish_from": begin, "publish_until": end}), "publish_until")
    assert_named(patch(make_video(publish_until=datetime.fromisoformat(end)), {"publish_from": begin}), "publish_from")
    assert_named(patch(make_video(publish_from=datetime.fromisoformat(begin)), {"publish_until": end}), "publish_until")
    strange = make_video(publish_from=datetime.fromisoformat(begin), publish_until=datetime.fromisoformat(end))
    assert patch(strange, {"title": "x"}).status_code == 200


@pytest.mark.django_db
def test_a_thumbnail_may_be_any_picture_of_the_recording(patch: Patch, settings: Any) -> None:
    settings.PLAYBACK_BASE_URL = "http://127.0.0.1:8000/_local/media"
    video = make_video(facts=FACTS, prefix="ivs/v1/a b")
    url = "http://127.0.0.1:8000/_local/media/ivs/v1/a%20b/media/thumbnails/thumb13.jpg"
    for value in (url, "media/thumbnails/thumb13.jpg"):
        assert patch(video, {"thumbnail": value}).json()["content"]["thumbnail"] == url
        assert patch(video, {"thumbnail": ""}).json()["content"]["thumbnail"] == ""
    assert_named(patch(make_video(facts=FACTS), {"thumbnail": url}), "thumbnail")


@pytest.mark.django_db
def test_edits_need_the_scope_curate(client: Client) -> None:
    video = make_video(active=False)
    path = f"/on-demand/{video.uuid}"
    assert client.patch(path, '{"title": "x"}', "application/json").status_code == 401
    for scope, status in (("read", 403), ("channels", 403), ("curate", 200)):
        headers = bearer(make_token(scope)[1])
        assert client.patch(path, '{"title": "x"}', "application/json", headers=headers).status_code == status
    assert client.patch(f"/on-demand/{OWNER}", '{"title": "x"}', "application/json", headers=headers).status_code == 404


@pytest.mark.django_db
def test_a_write_takes_a_fixed_number_of_queries(patch: Patch, django_assert_max_num_queries: Any) -> None:
    video = make_video()
    with django_assert_max_num_queries(15):
        patch(video, {"title": "x", "tags": ["a"] * 40, "metadata": {"a": "b"}, "visibility": "unlisted"})


# Versions


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "body"), [("PATCH", b'{"title": "New"}'), ("PATCH", b""), ("PUT", b'{"title": "New"}'), ("DELETE", b"")]
)
def test_a_write_of_another_version_is_a_412(
    client: Client, patch: Patch, api_key: str, method: str, body: bytes
) -> None:
    video = make_video()
    make_content(video)
    seen = client.get(f"/on-demand/{video.uuid}", headers=bearer(api_key))["ETag"]
    Content.objects.update(title="Meanwhile")
    for tag in (seen, '"x"', "W/" + seen, f'{seen}, "y"', "nonsense"):
        response = patch(video, body, method, If_Match=tag)
        assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")
    assert (Content.objects.get().title, Video.objects.get().active) == ("Meanwhile", True)
    now = client.get(f"/on-demand/{video.uuid}", headers={**bearer(api_key), "Accept-Encoding": "gzip"})["ETag"]
    assert patch(video, body, method, If_Match=f'"y", {now}').status_code == 200


@pytest.mark.django_db
def test_if_match_star_accepts_any_existing_version(patch: Patch) -> None:
    assert patch(make_video(), {"title": "x"}, If_Match="*").status_code == 200
    assert patch(Video(uuid=OWNER), {"title": "x"}, If_Match="*").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_of_editors_with_the_same_version_one_wins(client: Client, api_key: str) -> None:
    video = make_video()
    make_content(video)
    path = f"/on-demand/{video.uuid}"
    seen = client.get(path, headers=bearer(api_key))["ETag"]
    barrier, statuses = threading.Barrier(6), []

    def edit(number: int) -> None:
        headers = {**bearer(api_key), "If-Match": seen}
        barrier.wait()
        answer = Client().patch(path, json.dumps({"title": f"By {number}"}), "application/json", headers=headers)
        statuses.append((answer.status_code, number))
        connection.close()

    editors = [threading.Thread(target=edit, args=[number]) for number in range(6)]
    for editor in editors:
        editor.start()
    for editor in editors:
        editor.join()
    assert sorted(status for status, _ in statuses) == [200, 412, 412, 412, 412, 412]
    assert Content.objects.get().title == f"By {dict(statuses)[200]}"


@pytest.mark.django_db
def test_a_version_changes_when_a_publication_window_begins_or_ends(
    client: Client, api_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = make_video(publish_from=NINE)
    tags = []
    for moment in (NINE - timedelta(hours=1), NINE):
        monkeypatch.setattr(timezone, "now", lambda moment=moment: moment)
        tags.append(client.get(f"/on-demand/{video.uuid}", headers=bearer(api_key))["ETag"])
    assert tags[0] != tags[1]


@pytest.mark.django_db(transaction=True)
def test_of_two_editors_none_makes_a_publication_end_before_it_begins(client: Client, api_key: str) -> None:
    for _ in range(8):
        video = make_video()
        barrier = threading.Barrier(2)

        def send(changes: dict[str, str], video: Video = video, barrier: threading.Barrier = barrier) -> int:
            barrier.wait()
            try:
                return (
                    Client()
                    .patch(f"/on-demand/{video.uuid}", json.dumps(changes), "application/json", headers=bearer(api_key))
                    .status_code
                )
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            found = pool.map(
                send, [{"publish_from": "2028-01-01T00:00:00Z"}, {"publish_until": "2027-01-01T00:00:00Z"}]
            )
            assert sorted(found) == [200, 400]


@pytest.mark.django_db
def test_an_answer_to_a_change_has_the_version_that_get_shows(client: Client, patch: Patch, api_key: str) -> None:
    video = make_video()
    version = patch(video, {"title": "One"})["ETag"]
    assert client.get(f"/on-demand/{video.uuid}", headers=bearer(api_key))["ETag"] == version
    assert patch(video, {"title": "Two"}, If_Match=version).status_code == 200
    assert patch(video, {"title": "Three"}, If_Match=version).status_code == 412


@pytest.mark.django_db
def test_every_writable_value_can_be_filtered_by(client: Client, patch: Patch) -> None:
    video = make_video()
    assert patch(video, {"metadata": {"a": ""}}).status_code == 200
    assert patch(video, {"title": "x", "tags": ["y" * 1200]}, "PUT").status_code == 200
    for query in ("metadata[a]=", f"tag={'y' * 1200}"):
        assert [row["uuid"] for row in client.get(f"/on-demand?{query}").json()["data"]] == [str(video.uuid)]
    assert client.get("/on-demand?metadata[b]=").json()["data"] == []
