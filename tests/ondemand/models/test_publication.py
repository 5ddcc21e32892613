"""Who finds a video and when: one rule on every read path, filters, orders, pages, and how long answers are kept."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ondemand.models import Video
from ondemand.models.publication import Listing, listing_expression
from ondemand.search.lists import VideoQuery, find_videos
from tests.support.helpers import OWNER, THOROUGH, bearer, kept, make_channel, make_content, make_token, make_video
from tests.support.road import ARN, Envelope, lambda_takes, recording_change
from tools.local.aws import LocalAws

NINE = datetime(2026, 3, 4, 9, tzinfo=UTC)
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def client() -> Client:
    """Sees the answer to a failure as a client does."""
    return Client(raise_request_exception=False)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Sets the clock; to `NOW` at first."""

    def stand(moment: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: moment)

    stand(NOW)
    return stand


AT_NOW = pytest.mark.usefixtures("clock")


@pytest.fixture
def curator(client: Client, api_key: str) -> Callable[[str], Any]:
    """A read by the shared key."""
    return lambda path: client.get(path, headers=bearer(api_key))


def uuids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [item.get("uuid") or item["on_demand_video_uuid"] for item in response.json()["data"]]


def walk(client: Client, address: str | None) -> Iterator[Any]:
    """The items of all pages."""
    while address:
        document = client.get(address).json()
        yield from document["data"]
        address = document["next"]


# One rule


UNFINISHED = {"active": None, "visibility": None, "held": None}
LISTINGS: dict[str, dict[str, Any]] = {
    "listed": {},
    "unlisted": {"visibility": "unlisted"},
    "scheduled": {"publish_from": NOW + HOUR},
    "expired": {"publish_until": NOW},
    "held": {"held": True},
    "hidden": {"active": False},
    "recording": {"status": "recording", **UNFINISHED},
    "failed": {"status": "failed", **UNFINISHED},
    "duplicate": {},
}


def make_each() -> dict[str, Video]:
    """One video for each listing, each with the same texts and a tag of its own, of one stream of one channel."""
    channel = make_channel(uuid=UUID(int=7))
    made = {}
    for listing, values in LISTINGS.items():
        first = {"duplicate_of": made["listed"]} if listing == "duplicate" else {}
        made[listing] = make_video(channel=channel, stream_ids=["st-one"], metadata={"of": listing}, **values, **first)
        make_content(made[listing], title="Morning show", tags=["shared", listing])
    return made


@pytest.mark.django_db
@AT_NOW
def test_every_read_path_shows_listed_videos_alone(client: Client) -> None:
    made = make_each()
    listed = [str(made["listed"].uuid)]
    for path in ("/on-demand", "/on-demand?page=1", "/on-demand?search=morning", "/on-demand/search?search=morning"):
        sign = "&" if "?" in path else "?"
        assert uuids(client.get(path)) == listed
        assert client.get(path).json()["next"] is None
        assert client.get(f"{path}{sign}pageSize=1").json()["next"] is None
        assert uuids(client.get(f"{path}{sign}channel={UUID(int=7)}&owner={OWNER}&tag=shared")) == listed
    for path in ("/on-demand?", "/on-demand/search?search=morning&"):
        for listing in LISTINGS:
            for query in ({"tag": listing}, {"metadata[of]": listing}):
                found = uuids(client.get(f"{path}{urlencode(query)}"))
                assert found == (listed if listing == "listed" else []), (path, query)
    tags = client.get("/tags").json()["data"]
    assert tags == [{"tag": "listed", "count": 1}, {"tag": "shared", "count": 1}]
    assert client.get("/tags?prefix=un").json()["data"] == []


@pytest.mark.django_db
@AT_NOW
def test_the_streams_of_a_channel_name_listed_videos_alone(client: Client) -> None:
    made = make_each()
    stream = made["listed"].channel.streams.create(stream_id="st-one", first_event_at=NINE, started_at=NINE)  # type: ignore[union-attr]
    document = client.get(f"/channels/{UUID(int=7)}/streams").json()
    assert [item["stream_id"] for item in document["data"]] == [stream.stream_id]
    assert str(made["listed"].uuid) in json.dumps(document)
    for listing in LISTINGS.keys() - {"listed"}:
        assert str(made[listing].uuid) not in json.dumps(document), listing


@pytest.mark.django_db
@AT_NOW
def test_listed_and_unlisted_videos_and_their_duplicates_open_and_the_others_for_curators(
    client: Client, curator: Callable[[str], Any]
) -> None:
    for listing, video in make_each().items():
        path = f"/on-demand/{video.uuid}"
        opens = listing in {"listed", "unlisted", "duplicate"}
        assert client.get(path).status_code == (200 if opens else 404), listing
        assert client.get(path, headers=bearer(make_token("read")[1])).status_code == (200 if opens else 404), listing
        document = curator(path).json()
        assert (document["listing"], document["uuid"]) == (listing, str(video.uuid))


@pytest.mark.django_db
@AT_NOW
def test_a_duplicate_opens_only_if_the_first_row_does(client: Client) -> None:
    for listing, values in LISTINGS.items():
        if listing != "duplicate":
            copy = make_video(duplicate_of=make_video(**values))
            opens = listing in {"listed", "unlisted"}
            assert client.get(f"/on-demand/{copy.uuid}").status_code == (200 if opens else 404), listing


@pytest.mark.django_db
@AT_NOW
def test_curators_list_the_videos_of_each_listing(curator: Callable[[str], Any]) -> None:
    made = make_each()
    for path in ("/on-demand?", "/on-demand/search?search=morning&"):
        for listing, video in made.items():
            assert uuids(curator(f"{path}listing={listing}")) == [str(video.uuid)]


@pytest.mark.django_db
@AT_NOW
def test_status_and_active_replace_their_part_of_listed_alone(curator: Callable[[str], Any]) -> None:
    made = make_each()
    for query, listing in {
        "status=available": "listed",
        "status=recording": "recording",
        "status=failed": "failed",
        "active=true": "listed",
        "active=false": "hidden",
        "status=available&active=false": "hidden",
        "status=recording&active=false": "recording",
        "listing=recording&status=recording": "recording",
        "listing=hidden&active=false": "hidden",
    }.items():
        assert uuids(curator(f"/on-demand?{query}")) == [str(made[listing].uuid)], query
    assert uuids(curator("/on-demand?listing=hidden&active=true")) == []
    assert uuids(curator("/on-demand?status=recording&active=true")) == []


@pytest.mark.django_db
def test_the_filters_of_curators_need_their_scope(client: Client) -> None:
    text = make_token("read", "channels", "playback")[1]
    for path in ("/on-demand?", "/on-demand/search?search=x&", "/on-demand/search?"):
        for query in ("status=available", "active=true", "listing=listed", "active=nonsense"):
            response = client.get(path + query)
            assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer"), path + query
            assert client.get(path + query, headers=bearer(text)).status_code == 403, path + query


MOMENTS = st.sampled_from([None, NOW - HOUR, NOW, NOW + HOUR])
ROWS = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["recording", "available", "failed"]),
        "active": st.sampled_from([True, False, None]),
        "held": st.sampled_from([True, False, None]),
        "visibility": st.sampled_from(["public", "unlisted", None]),
        "publish_from": MOMENTS,
        "publish_until": MOMENTS,
    }
)


CASES = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)


@pytest.mark.django_db
@settings(CASES, max_examples=60 if THOROUGH else 25)
@given(values=ROWS, is_duplicate=st.booleans())
def test_the_listing_of_a_row_is_the_same_in_python_and_in_sql(values: dict[str, Any], is_duplicate: bool) -> None:
    Video.objects.all().delete()
    copied = {"duplicate_of": make_video()} if is_duplicate else {}
    video = make_video(**values, **copied)
    listing = video.listing_at(NOW)
    rows = Video.objects.filter(pk=video.pk)
    assert rows.annotate(listing=listing_expression(NOW)).get().listing == listing  # type: ignore[attr-defined]
    assert [each for each in Listing if rows.with_listing(each, NOW).exists()] == [listing]
    assert rows.listed(NOW).exists() == (listing == Listing.LISTED)
    if not is_duplicate:
        assert rows.reachable(NOW).exists() == (listing in {Listing.LISTED, Listing.UNLISTED})


@pytest.mark.django_db
@settings(CASES, max_examples=700 if THOROUGH else 60)
@given(
    values=ROWS,
    is_duplicate=st.booleans(),
    status=st.sampled_from([None, *Video.Status.values]),
    active=st.sampled_from([None, True, False]),
)
def test_a_status_and_active_list_what_would_be_listed_without_them(
    values: dict[str, Any], is_duplicate: bool, status: str | None, active: bool | None
) -> None:
    """Another status than available usually goes with NULL values, which are no reason to leave a video out."""
    Video.objects.all().delete()
    video = make_video(**values, **({"duplicate_of": make_video(active=False)} if is_duplicate else {}))
    begun = video.publish_from is None or video.publish_from <= NOW
    is_within = begun and (video.publish_until is None or video.publish_until > NOW)

    def is_found(listing: str | None) -> bool:
        query = VideoQuery(NOW, listing=listing, status=status, active=active)
        return video.pk in {found.uuid for found in find_videos(query=query, order="newest", limit=9)}

    undecided = [None] if status in {"recording", "failed"} else []
    shown = {True: [True], False: [False, None], None: [True, *undecided]}[active]
    assert is_found(None) == (
        video.status == (status or "available")
        and video.active in shown
        and video.visibility in {"public", *undecided}
        and video.held in {False, *undecided}
        and is_within
        and not is_duplicate
    )
    for listing in Listing:
        assert is_found(listing) == (
            video.listing_at(NOW) == listing
            and status in {None, video.status}
            and active in {None, video.active is True}
        )


@pytest.mark.django_db
def test_a_row_of_the_predecessor_is_listed_at_once(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO on_demand_videos (ivs_channel_uuid, data) VALUES (%s, '{}')", [uuid4()])
    (video,) = client.get("/on-demand").json()["data"]
    assert (video["visibility"], video["listing"], video["metadata"]) == ("public", "listed", {})
    assert (video["playback"], video["publish_from"], video["publish_until"]) == ("public", None, None)


# What a new recording becomes


STARTED, ENDED, FAILED = (
    recording_change("Recording Start", 1),
    recording_change("Recording End", 9),
    recording_change("Recording End Failure", 9),
)


STATES = [(None, "listed"), (None, "unlisted"), (None, "hidden"), ("listed", "hidden"), ("unlisted", "listed")]
STATES += [("hidden", "unlisted")]
ORDERS = [[STARTED, ENDED], [ENDED, STARTED], [FAILED, ENDED], [ENDED]]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("by_channel", "by_setting", "events"),
    [
        (*state, events)
        for number, state in enumerate(STATES)
        for events in (ORDERS if THOROUGH else (ORDERS[number % 4], ORDERS[(number + 2) % 4]))
    ],
)
def test_the_channel_or_else_the_setting_decides_the_publication_of_a_new_recording(
    client: Client, aws: LocalAws, settings: Any, by_setting: str, by_channel: str | None, events: list[Envelope]
) -> None:
    settings.NEW_VIDEO_STATE = by_setting
    make_channel(arn=ARN, new_video_state=by_channel)
    for event in events:
        lambda_takes(event)
    video = Video.objects.get()
    listing = by_channel or by_setting
    assert video.listing_at(NOW) == listing
    # The predecessor, beside this one, lists by `active` alone.
    assert (video.active, video.held) == (listing != "hidden", False)
    assert len(uuids(client.get("/on-demand"))) == (listing == "listed")
    assert client.get(f"/on-demand/{video.uuid}").status_code == (404 if listing == "hidden" else 200)


@pytest.mark.django_db
def test_a_recording_that_runs_is_undecided_and_shown_as_recording(
    aws: LocalAws, curator: Callable[[str], Any]
) -> None:
    make_channel(arn=ARN)
    lambda_takes(STARTED)
    video = Video.objects.get()
    assert (video.active, video.visibility, video.held) == (None, None, None)
    document = curator(f"/on-demand/{video.uuid}").json()
    assert (document["listing"], document["visibility"], document["location"]) == ("recording", "public", None)


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["listed", "unlisted", "hidden"])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"active": False}, {"listed": "hidden", "unlisted": "hidden", "hidden": "hidden"}),
        ({"active": True}, {"listed": "listed", "unlisted": "unlisted", "hidden": "listed"}),
        ({"visibility": "unlisted"}, {"listed": "unlisted", "unlisted": "unlisted", "hidden": "hidden"}),
        ({"visibility": "public"}, {"listed": "listed", "unlisted": "listed", "hidden": "hidden"}),
    ],
)
def test_choices_of_staff_during_a_recording_stay(
    client: Client, aws: LocalAws, api_key: str, state: str, body: dict[str, Any], words: dict[str, str]
) -> None:
    make_channel(arn=ARN, new_video_state=state)
    lambda_takes(STARTED)
    path = f"/on-demand/{Video.objects.get().uuid}"
    assert client.patch(path, json.dumps(body), "application/json", headers=bearer(api_key)).status_code == 200
    assert Video.objects.get().active is not True
    lambda_takes(ENDED)
    assert Video.objects.get().listing_at(NOW) == words[state]


# Filters


def make_library() -> dict[str, Video]:
    """Three videos, an hour apart, of one, two and three minutes."""
    made = {}
    for number, name in enumerate(["one", "two", "three"]):
        channel = make_channel(owner=OWNER if number else uuid4())
        length, metadata = 60_000 * (number + 1), {"season": str(number % 2), "a]b": "x", "": ""}
        video = make_video(channel=channel, started_at=NINE + number * HOUR, duration_ms=length, metadata=metadata)
        make_content(video, title=f"{name} title", tags=["all", name, f"all {name}"])
        made[name] = video
    return made


FILTERS = [
    ("tag=all", "three two one"),
    ("tag=all&tag=one", "one"),
    ("tag=one&tag=two", ""),
    ("tag=all+one", "one"),
    ("tag=al", ""),
    ("tag=ALL", ""),
    (f"owner={OWNER}", "three two"),
    (f"owner={OWNER.hex}", "three two"),
    (f"owner={UUID(int=9)}", ""),
    ("started_after=2026-03-04T10:00:00Z", "three two"),
    ("started_after=2026-03-04T10:00:00.000001Z", "three"),
    ("started_before=2026-03-04T10:00:00Z", "one"),
    ("started_before=2026-03-04t11:00:00%2B01:00", "one"),
    ("started_after=2026-03-04T09:30:00Z&started_before=2026-03-04T10:30:00Z", "two"),
    ("min_duration=120", "three two"),
    ("min_duration=120.0001", "three"),
    ("max_duration=120", "two one"),
    ("max_duration=119.9999", "one"),
    ("min_duration=60&max_duration=60.0", "one"),
    ("min_duration=1e2", "three two"),
    ("max_duration=1e300", "three two one"),
    ("max_duration=0", ""),
    ("metadata[season]=0", "three one"),
    ("metadata%5Bseason%5D=1", "two"),
    ("metadata[season]=0&metadata[a]b]=x", "three one"),
    ("metadata[season]=2", ""),
    ("metadata[season]=", ""),
    ("metadata[nothing]=x", ""),
    ("metadata[season]=0&tag=three&min_duration=180", "three"),
    ("search=title", "three two one"),
    ("search=two&tag=all", "two"),
    ("search=%20", "three two one"),
    ("ordering=newest", "three two one"),
    ("ordering=oldest", "one two three"),
    ("ordering=longest", "three two one"),
    ("ordering=shortest", "one two three"),
    ("ordering=title", "one three two"),
    ("search=title&ordering=oldest", "one two three"),
    ("search=title&ordering=relevance", "three two one"),
]


@pytest.mark.django_db
def test_filters_and_orders(client: Client) -> None:
    made = make_library()
    for query, names in FILTERS:
        expected = [str(made[name].uuid) for name in names.split()]
        assert uuids(client.get(f"/on-demand?{query}")) == expected, query
        assert [video["uuid"] for video in walk(client, f"/on-demand?{query}&pageSize=2")] == expected, query
        if "search" not in query:
            searched = f"/on-demand/search?search=title&{query if 'ordering' in query else query + '&ordering=newest'}"
            assert uuids(client.get(searched)) == expected, query


@pytest.mark.django_db
def test_the_filter_tag_finds_no_longer_tag_that_begins_with_it(client: Client) -> None:
    """The index of tags has their first 100 characters."""
    tags = ["x" * length for length in (99, 100, 101, 150)]
    made = {tag: make_video() for tag in tags}
    for tag, video in made.items():
        make_content(video, tags=[tag])
    for tag in tags:
        assert uuids(client.get("/on-demand", {"tag": tag})) == [str(made[tag].pk)], len(tag)


@pytest.mark.django_db
def test_the_filter_channel_takes_every_form_of_a_uuid(client: Client) -> None:
    made = make_library()
    uuid = made["two"].channel_id
    for form in (uuid, str(uuid).upper(), f"{{{uuid}}}", f"urn:uuid:{uuid}"):
        assert uuids(client.get("/on-demand", {"channel": form})) == [str(made["two"].uuid)]


MALFORMED = [
    *(f"{name}={value}" for name in ("channel", "owner") for value in ("", "x", "5", "%00", "null")),
    *(
        f"{name}={value}"
        for name in ("started_after", "started_before")
        for value in ("", "x", "2026-03-04", "2026-03-04T09:00:00", "2026-13-04T09:00:00Z", "1772614800000", "%00")
    ),
    *(
        f"{name}={value}"
        for name in ("min_duration", "max_duration")
        for value in ("", "x", "-1", "NaN", "inf", "1,5", "0x10", "٣", "%00", "1" * 40)
    ),
    *("tag=" + value for value in ("", "%00", "%ED%A0%80%00", "x" * 5001)),
    *(f"ordering={value}" for value in ("", "x", "-newest", "Newest", "relevance", "%00")),
    "metadata[a]=%00",
    "metadata[a]=1&metadata[a]=2",
    "metadata[]=1",
    "metadata=1",
    "metadata[a=1",
    "metadata[%00]=1",
    f"metadata[{'x' * 65}]=1",
    "channel=x&channel=y",
    "started_at=x",
    "uuid=x",
    "tags=x",
    "search=a&search=b",
]


@pytest.mark.django_db
def test_a_malformed_value_or_an_unknown_name_is_a_400_that_names_it(
    client: Client, curator: Callable[[str], Any]
) -> None:
    for query in MALFORMED:
        for path in ("/on-demand?", "/on-demand/search?"):
            response = client.get(path + query)
            assert response.status_code == 400, (query, response.content)
            document = response.json()
            name = query.partition("=")[0]
            assert document["code"] == "invalid"
            assert "%" in name or list(document["fields"]) == [name]
    for query in ("status=x", "status=", "listing=x", "active=1", "active=True", "active="):
        response = curator(f"/on-demand?{query}")
        assert (response.status_code, list(response.json()["fields"])) == (400, [query.partition("=")[0]])


@pytest.mark.django_db
def test_equal_titles_starts_and_lengths_are_walked_without_gap_or_repeat(client: Client) -> None:
    for number in range(12):
        values = {} if number % 3 else {"started_at": None, "duration_ms": None}
        video = make_video(**values)
        if number % 2:
            make_content(video, title=["", None, "Same", "same"][number % 4], tags=["x" * 3000])
    for ordering in ("newest", "oldest", "longest", "shortest", "title"):
        for size in (1, 5):
            found = [video["uuid"] for video in walk(client, f"/on-demand?ordering={ordering}&pageSize={size}")]
            assert (len(found), len(set(found))) == (12, 12), ordering


@pytest.mark.django_db
def test_pages_of_any_depth(client: Client) -> None:
    Video.objects.bulk_create(Video(status="available", started_at=NINE, duration_ms=0) for _ in range(800))
    for page in (2, 7, 400, 10**7):
        document = client.get(f"/on-demand?page={page}&pageSize=2").json()
        assert (document["page"], len(document["data"])) == (page, 2 if page <= 400 else 0)
        assert (document["next"] is None) == (page >= 400)


# Two walkers, and a writer beside them


@pytest.mark.django_db(transaction=True)
def test_walkers_see_every_row_that_stays_once_while_others_come_and_go(client: Client) -> None:
    """Videos are inserted and hidden all over the list while two clients walk it by its links."""
    stay = {make_video(started_at=NINE + number * HOUR).pk: None for number in range(60)}
    for uuid in stay:
        make_content(Video.objects.get(pk=uuid))
    done = threading.Event()

    def write() -> None:
        try:
            for number in range(1000 if THOROUGH else 30):
                made = make_video(started_at=NINE + (number * 37 % 160) * HOUR + timedelta(minutes=number % 60))
                make_content(made)
                if number % 3:
                    Video.objects.filter(pk=made.pk).update(active=False)
        finally:
            done.set()
            connection.close()

    walked: list[list[str]] = []
    failures: list[BaseException] = []

    def walk_again(address: str) -> None:
        try:
            browser = Client()
            while True:
                is_last = done.is_set()
                walked.append([item.get("uuid") or item["on_demand_video_uuid"] for item in walk(browser, address)])
                if is_last:
                    return
        except BaseException as error:  # a thread's failure is the test's
            failures.append(error)
        finally:
            connection.close()

    addresses = ["/on-demand?pageSize=7", "/on-demand/search?search=morning&pageSize=11"]
    threads = [threading.Thread(target=write), *(threading.Thread(target=walk_again, args=[a]) for a in addresses)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(walked) >= 4
    for found in walked:
        assert len(found) == len(set(found))
        assert {str(uuid) for uuid in stay} <= set(found)


# Life in caches


def life(response: Any) -> str:
    assert response.status_code == 200, response.content
    return response["Cache-Control"]


@pytest.mark.django_db
@AT_NOW
def test_lists_are_cached_for_10_seconds_and_a_video_for_60(client: Client, api_key: str) -> None:
    video = make_video()
    make_content(video)
    lists = (
        "/on-demand",
        "/on-demand?search=morning",
        "/on-demand/search?search=morning",
        "/on-demand/search",
        "/tags",
    )
    for path in lists:
        assert life(client.get(path)) == kept(10)
        assert life(client.get(path, headers=bearer(api_key))) == "private, no-store"
    assert life(client.get(f"/on-demand/{video.uuid}")) == kept(60)
    assert life(client.get(f"/on-demand/{video.uuid}", headers=bearer(api_key))) == "private, no-store"


@pytest.mark.django_db
@AT_NOW
def test_no_answer_is_cached_past_the_next_publication_change(client: Client) -> None:
    shown = make_video(publish_from=NOW - HOUR, publish_until=NOW + timedelta(days=300))
    for name in ("publish_from", "publish_until"):
        for seconds, lists, one in (
            (3.9, kept(3, 0), kept(3, 0)),
            (0.5, kept(0), kept(0)),
            (12, kept(10, 2), kept(12, 0)),
            (30, kept(10), kept(30, 0)),
            (90, kept(10), kept(60)),
        ):
            edge = make_video(**{name: NOW + timedelta(seconds=seconds)})
            for path in ("/on-demand", "/on-demand/search?search=x", "/tags"):
                assert life(client.get(path)) == lists, (name, seconds)
            assert life(client.get(f"/on-demand/{shown.uuid}")) == kept(60)
            if name == "publish_until":
                copy = make_video(duplicate_of=edge)
                for video in (edge, copy):
                    assert life(client.get(f"/on-demand/{video.uuid}")) == one, seconds
            Video.objects.exclude(pk=shown.pk).delete()


@pytest.mark.django_db
def test_a_video_appears_and_goes_at_the_ends_of_its_window(client: Client, clock: Callable[[datetime], None]) -> None:
    video = make_video(publish_from=NOW, publish_until=NOW + HOUR)
    instant = timedelta(microseconds=1)
    for moment, count in ((NOW - instant, 0), (NOW, 1), (NOW + HOUR - instant, 1), (NOW + HOUR, 0)):
        clock(moment)
        assert len(uuids(client.get("/on-demand"))) == count
        assert client.get(f"/on-demand/{video.uuid}").status_code == (200 if count else 404)


@pytest.mark.django_db
def test_a_version_that_the_client_has_is_a_304(client: Client) -> None:
    video = make_video()
    for path in ("/on-demand", f"/on-demand/{video.uuid}", "/tags"):
        tag = client.get(path)["ETag"]
        assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
    Video.objects.update(duration_ms=5)
    assert client.get(f"/on-demand/{video.uuid}", headers={"If-None-Match": tag}).status_code == 200
