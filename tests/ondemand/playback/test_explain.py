"""What `explain` says of a video is what the routes answer, whatever its row, its settings and the caller are."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ondemand.models import PlaybackGrant, Video
from ondemand.playback.explain import Playing
from tests.support.console import VIDEOS, page
from tests.support.delivery import FACTS, sign_with
from tests.support.helpers import THOROUGH, bearer, make_token, make_video
from tests.support.road import BUCKET, PREFIX
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db
SCOPES: dict[str, tuple[str, ...]] = {
    "anonymous": (),
    "read": ("read",),
    "playback": ("read", "playback"),
    "curate": ("read", "curate"),
}
# Each value that decides something, the one of a listed public video first.
COLUMNS: dict[str, list[Any]] = {
    "status": ["available", "recording", "failed"],
    "active": [True, False, None],
    "held": [False, True],
    "held_by_check": [False, True],
    "visibility": ["public", "unlisted"],
    "publish_from": [None, -1, 1],
    "publish_until": [None, 1, -1],
    "playback": ["public", "grant"],
    "bucket": [BUCKET, "", "another-bucket"],
    "prefix": [PREFIX, ""],
    "first": [None, "open", "hidden", "missing"],
    "edit": [None, "trim", "elsewhere", "gone"],
    "part_of": [None, "open", "hidden"],
    "signed": [False, True],
    "public_read": [True, False],
}
BEST = {name: values[0] for name, values in COLUMNS.items()}


@pytest.fixture
def callers(db: None) -> dict[str, dict[str, str]]:
    """The header of each caller, and that of one with every scope."""
    made = {name: bearer(make_token(*scopes)[1]) if scopes else {} for name, scopes in SCOPES.items()}
    return {**made, "all": bearer(make_token("read", "curate", "playback")[1])}


@pytest.fixture
def firsts(db: None) -> dict[Any, Any]:
    """What a video may be a duplicate of."""
    opened, hidden = make_video(), make_video(active=False)
    return {None: None, "open": opened.pk, "hidden": hidden.pk, "missing": uuid4()}


@pytest.fixture
def explained(
    recorded: Video,
    aws: LocalAws,
    settings: Any,
    callers: dict[str, dict[str, str]],
    firsts: dict[Any, Any],
) -> Any:
    """Gives the video these values, and returns what `explain` says once it is compared with all routes."""

    def check(values: dict[str, Any]) -> dict[str, Any]:
        values = {**BEST, **values}
        if values.pop("signed"):
            sign_with(settings, aws, "ecdsa")
        else:
            settings.CLOUDFRONT_KEY_ID = ""
        settings.API_PUBLIC_READ = values.pop("public_read")
        now = timezone.now()
        for name in ("publish_from", "publish_until"):
            values[name] = values[name] and now + timedelta(hours=values[name])
        values["duplicate_of_id"] = firsts[values.pop("first")]
        values["part_of_id"] = firsts[values.pop("part_of")]
        values |= edited(recorded, values.pop("edit"))
        Video.objects.filter(pk=recorded.pk).update(**values)
        PlaybackGrant.objects.all().delete()
        return compared(recorded, callers)

    return check


def edited(video: Video, edit: str | None) -> dict[str, Any]:
    """The columns of a trim: of its recording, of one in a bucket that may not be read, and of one that is gone."""
    if edit is None:
        return {"edit": None, "edited": None}
    window = {"recording": str(video.pk), "start_ms": 0, "end_ms": 10_000}
    place = {"bucket": BUCKET if edit == "trim" else "another-bucket", "prefix": PREFIX, "playlist": FACTS["playlist"]}
    shown = {"duration_ms": 10_000, "parts": [{**window, **place, "at_ms": 0}], "pictures": [], "renditions": []}
    return {"edit": [window], "edited": None if edit == "gone" else shown}


def compared(video: Video, callers: dict[str, dict[str, str]]) -> dict[str, Any]:
    path = f"/on-demand/{video.pk}"
    answers = {name: answer_of(video, callers[name]) for name in SCOPES}
    answer = Client().get(
        f"{path}/explain", headers=callers["curate"] if answers["curate"]["opens"] else callers["all"]
    )
    assert answer.status_code == 200
    said = answer.json()
    assert {each["caller"]: {name: each[name] for name in answers["read"]} for each in said["callers"]} == answers
    assert {each["caller"]: tuple(each["scopes"]) for each in said["callers"]} == SCOPES
    assert_found(video, said, callers)
    assert_played(video, said["playback"], answers, callers)
    return said


def answer_of(video: Video, headers: dict[str, str]) -> dict[str, bool]:
    """What the routes give a caller."""
    client, path = Client(), f"/on-demand/{video.pk}"
    shown = client.get(path, headers=headers)
    granted = client.post(f"{path}/playback-grants", "{}", "application/json", headers=headers)
    return {
        "opens": shown.status_code == 200,
        "location": shown.status_code == 200 and shown.json()["location"] is not None,
        "plays": client.get(f"/play/{video.pk}/master.m3u8", headers=headers).status_code == 200,
        "grants": granted.status_code == 201,
    }


def assert_found(video: Video, said: dict[str, Any], callers: dict[str, dict[str, str]]) -> None:
    """The listing, and the first rule that is broken, are those of the document and of the list."""
    document = Client().get(f"/on-demand/{video.pk}", headers=callers["all"]).json()
    assert said["listing"] == document["listing"] == first_broken(said["rules"], "listed")
    found = Client().get("/on-demand?pageSize=100", headers=callers["read"]).json()["data"]
    assert (said["listing"] == "listed") == (str(video.pk) in {each["uuid"] for each in found})


def assert_played(
    video: Video, said: dict[str, Any], answers: dict[str, dict[str, bool]], callers: dict[str, dict[str, str]]
) -> None:
    """The result is what callers get who come without a scope, with a grant, and with the scope `curate`."""
    listed = Client().get(f"/playback-grants?lasting=true&video={video.pk}", headers=callers["all"]).json()["data"]
    assert said["lasting_grants"] == len(listed) == answers["playback"]["grants"]
    assert said["result"] == first_broken(said["rules"], "public")
    by_grant = answers["playback"]["grants"] and plays_by_grant(video, callers)
    assert answers["curate"]["plays"] == (said["result"] not in {Playing.NO_FILES, Playing.UNREADABLE})
    assert answers["anonymous"]["plays"] == (said["result"] == Playing.PUBLIC)
    assert by_grant == (said["result"] in {Playing.PUBLIC, Playing.GRANT})


def plays_by_grant(video: Video, callers: dict[str, dict[str, str]]) -> bool:
    """Whether the URL of a new grant, or of a public video the route that serves it in both deliveries, plays."""
    path = f"/on-demand/{video.pk}/playback-grants"
    made = Client().post(path, "{}", "application/json", headers=callers["playback"]).json()
    url = made["url"] if made["expires_at"] else f"/play/{video.pk}/master.m3u8"
    return bool(Client().get(url).status_code == 200)


def first_broken(rules: list[dict[str, Any]], best: str) -> str:
    assert all(rule["sentence"].endswith(".") for rule in rules)
    return next((rule["rule"] for rule in rules if not rule["kept"]), best)


def near_the_best() -> Iterator[dict[str, Any]]:
    """Each value alone: beside a public video that is delivered directly, and a `grant` video with signatures."""
    for base in ({}, {"signed": True, "playback": "grant"}):
        for name, values in COLUMNS.items():
            for value in values:
                if value != {**BEST, **base}[name]:
                    yield {**base, name: value}


@pytest.mark.slow
def test_it_is_what_the_routes_answer_for_each_value_alone(explained: Any) -> None:
    results = {explained(values)["playback"]["result"] for values in near_the_best()}
    assert results == set(Playing)


@pytest.mark.slow
@hypothesis_settings(
    max_examples=600 if THOROUGH else 30,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(values=st.fixed_dictionaries({name: st.sampled_from(values) for name, values in COLUMNS.items()}))
def test_it_is_what_the_routes_answer_for_values_together(explained: Any, values: dict[str, Any]) -> None:
    explained(values)


def test_it_gives_each_rule_in_its_order_with_its_sentence(explained: Any) -> None:
    said = explained({"active": False, "visibility": "unlisted", "playback": "grant"})
    assert (said["listing"], said["sentence"]) == (
        "hidden",
        "It is hidden. It is unlisted: it opens by its address alone.",
    )
    assert [(rule["rule"], rule["kept"], rule["sentence"]) for rule in said["rules"]] == [
        ("duplicate", True, "It is no duplicate of another."),
        ("failed", True, "Its recording is available."),
        ("recording", True, "Its recording is available."),
        ("held", True, "It is not held back."),
        ("hidden", False, "It is hidden."),
        ("scheduled", True, "Its publication has no beginning."),
        ("expired", True, "Its publication has no end."),
        ("unlisted", False, "It is unlisted: it opens by its address alone."),
    ]
    playing = said["playback"]
    assert (playing["result"], playing["delivery"], playing["lasting_grants"]) == ("closed", "direct", 0)
    assert [(rule["rule"], rule["kept"], rule["sentence"]) for rule in playing["rules"]] == [
        ("no_files", True, "It has files that play."),
        ("unreadable", True, "This service may read its bucket."),
        ("closed", False, "It does not open by its address: only curators see it."),
        (
            "not_configured",
            False,
            "It needs a grant, and grants need signed delivery, which is not configured.",
        ),
        ("grant", False, "It is played with a grant alone."),
    ]
    assert [(each["caller"], each["sentence"]) for each in said["callers"]] == [
        ("anonymous", "Is told that there is no such video."),
        ("read", "Is told that there is no such video."),
        ("playback", "Is told that there is no such video."),
        ("curate", "Opens it, and gets its location."),
    ]
    assert explained({"signed": True})["callers"][2]["sentence"] == (
        "Opens it, and gets its location. May grant playback to others."
    )


def test_the_page_of_the_admin_says_the_same(explained: Any, browser: Client, recorded: Video) -> None:
    for values in (BEST, {"playback": "grant"}, {"active": False, "playback": "grant", "signed": True}):
        said = explained(values)
        html = page(browser, f"{VIDEOS}{recorded.pk}/change/")
        sentences = [rule["sentence"] for rules in (said, said["playback"]) for rule in rules["rules"]]
        sentences += [each["sentence"] for each in said["callers"]]
        assert [sentence for sentence in sentences if sentence not in html] == []
        assert said["sentence"] in " ".join(html.split())
        assert said["playback"]["sentence"] in " ".join(html.split())
        assert f'<span class="badge badge-playing-{said["playback"]["result"]}">' in html


def test_it_needs_the_scope_curate(recorded: Video, callers: dict[str, dict[str, str]]) -> None:
    path = f"/on-demand/{recorded.pk}/explain"
    statuses = {name: Client().get(path, headers=headers).status_code for name, headers in callers.items()}
    assert statuses == {"anonymous": 401, "read": 403, "playback": 403, "curate": 200, "all": 200}
    assert Client().get(f"/on-demand/{uuid4()}/explain", headers=callers["curate"]).status_code == 404
    assert Client().get("/on-demand/nonsense/explain", headers=callers["curate"]).status_code == 400
