"""Playback grants by the API: made, played, listed, revoked and removed."""

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels_app.models import AuditEntry, Channel
from common import aws as aws_door
from common.rest.rates import Rate
from ondemand.models import PlaybackGrant, Video
from tests.support.delivery import FACTS, HLS, fetched
from tests.support.helpers import assert_error, bearer, make_channel, make_token, make_video
from tests.support.private_playback import private_channel_of, refusal, use_playback_key, verified
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db
GRANTS = "/playback-grants"


@pytest.fixture
def granter() -> dict[str, str]:
    """The header of a caller that may grant playback, and nothing else but read."""
    return bearer(make_token("read", "playback")[1])


def grant(target: Any, headers: dict[str, str], key: str = "", **body: Any) -> Any:
    kind = "on-demand" if isinstance(target, Video) else "channels"
    keyed = {"Idempotency-Key": key} if key else {}
    return Client().post(
        f"/{kind}/{target.pk}/playback-grants", json.dumps(body), "application/json", headers={**headers, **keyed}
    )


def revoke(grant_id: str, headers: dict[str, str]) -> int:
    return Client().delete(f"{GRANTS}/{grant_id}", headers=headers).status_code


def plays(url: str, path: str = "master.m3u8") -> int:
    """The status of a file of the URL of a grant, for a player that sends no header."""
    return Client().get(urlsplit(url).path.replace("master.m3u8", path)).status_code


# Of videos


def test_a_grant_plays_one_video_for_its_time_and_nothing_else(
    protected: Video,
    signed: LocalAws,
    granter: dict[str, str],
) -> None:
    before = timezone.now()
    answer = grant(protected, granter, viewer="member-42", ttl_seconds=600)
    assert (answer.status_code, answer["Cache-Control"], set(answer.json())) == (
        201,
        "private, no-store",
        {"id", "url", "expires_at"},
    )
    url = answer.json()["url"]
    assert url.startswith("http://testserver/play/g/")
    stored = PlaybackGrant.objects.get()
    assert timedelta(seconds=598) < (stored.expires_at or before) - before < timedelta(seconds=602)
    master = Client().get(url)
    assert (master.status_code, master["Cache-Control"]) == (200, "private, no-store")
    variant = Client().get(urlsplit(url).path.replace("master.m3u8", f"{HLS}/720p30/playlist.m3u8"))
    segment = variant.content.decode().splitlines()[3]
    assert fetched(signed, segment) == 200
    assert plays(url, FACTS["thumbnails"][1]) == 302
    assert plays(url, "events/recording-ended.json") == plays(url, "../x.m3u8") == 404
    # Not a bit of the token may differ, and the plain URL of the video stays closed.
    token = urlsplit(url).path.split("/")[3]
    for wrong in (token[:-1], token[:-2] + "AA", token.swapcase(), token + "=", stored.digest or "", str(stored.pk)):
        assert plays(url.replace(token, wrong)) == 404
    assert Client().get(f"/play/{protected.pk}/master.m3u8").status_code == 404


def test_minting_is_one_insert(protected: Video, signed: LocalAws, api_key: str) -> None:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert grant(protected, bearer(api_key), viewer="a").status_code == 201
    written = [each["sql"] for each in captured if each["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert [sql.split('"')[1] for sql in written] == ["ondemand_playbackgrant"]
    assert len(captured) <= 6


@pytest.mark.parametrize("how", ["revoked", "expired", "hidden", "scheduled", "unknown secret"])
def test_a_grant_stops_at_the_next_playlist_request(
    protected: Video,
    signed: LocalAws,
    granter: dict[str, str],
    api_key: str,
    settings: Any,
    how: str,
) -> None:
    made = grant(protected, granter).json()
    assert plays(made["url"]) == 200
    now = timezone.now()
    if how == "revoked":
        assert revoke(made["id"], granter) == 204
    elif how == "expired":
        PlaybackGrant.objects.update(expires_at=now)
    elif how == "hidden":
        Client().delete(f"/on-demand/{protected.pk}", headers=bearer(api_key))
    elif how == "scheduled":
        Video.objects.update(publish_from=now + timedelta(hours=1))
    else:
        # The signature of a grant ends with it; without signed delivery nothing would.
        settings.CLOUDFRONT_KEY_ID = ""
    assert plays(made["url"]) == plays(made["url"], f"{HLS}/720p30/playlist.m3u8") == (409 if "secret" in how else 404)
    if how == "revoked":
        assert revoke(made["id"], granter) == 204


def test_a_public_video_gets_its_plain_url_without_an_end(
    recorded: Video,
    signed: LocalAws,
    granter: dict[str, str],
) -> None:
    made = grant(recorded, granter).json()
    assert (made["url"], made["expires_at"]) == (f"http://testserver/play/{recorded.pk}/master.m3u8", None)
    assert grant(recorded, granter, key="k").json()["expires_at"] is None
    Video.objects.update(playback=Video.Playback.GRANT)
    # The URL of before plays no more.
    assert_error(grant(recorded, granter, key="k"), 422, "idempotency_key_reused")
    assert revoke(made["id"], granter) == 204


def test_direct_delivery_grants_public_videos_alone(recorded: Video, granter: dict[str, str]) -> None:
    assert grant(recorded, granter).json()["url"].startswith("https://media.example.com/")
    Video.objects.update(playback="grant")
    refused = grant(recorded, granter)
    assert (refused.status_code, refused.json()["code"]) == (409, "playback_not_configured")
    Video.objects.update(playback="public")
    running = make_video(status="recording", active=True)
    assert grant(running, bearer(make_token("playback", "curate")[1])).json()["code"] == "nothing_to_play"


def test_bad_requests_are_refused_by_name(
    protected: Video,
    signed: LocalAws,
    granter: dict[str, str],
) -> None:
    for body, name in (
        ({"viewer": "a" * 41}, "viewer"),
        ({"viewer": "\0"}, "viewer"),
        ({"viewer": None}, "viewer"),
        ({"ttl_seconds": 59}, "ttl_seconds"),
        ({"ttl_seconds": 86_401}, "ttl_seconds"),
        ({"ttl_seconds": "600"}, "ttl_seconds"),
        ({"ttl_seconds": True}, "ttl_seconds"),
        ({"ttl_seconds": 600.5}, "ttl_seconds"),
        ({"ttl": 600}, "ttl"),
        ({"origins": ["https://a.test"]}, "origins"),
    ):
        answer = grant(protected, granter, **body)
        assert (answer.status_code, list(answer.json()["fields"])) == (400, [name]), body
    assert grant(Video(pk=uuid4()), granter).status_code == 404
    Video.objects.update(active=False)
    assert grant(protected, granter).status_code == 404
    assert not PlaybackGrant.objects.exists()


def test_the_scope_playback_is_needed_to_grant_to_list_and_to_revoke(
    protected: Video,
    signed: LocalAws,
    granter: dict[str, str],
) -> None:
    made = grant(protected, granter).json()
    lesser = bearer(make_token("read", "curate", "channels")[1])
    for headers, status in (({}, 401), (lesser, 403)):
        assert grant(protected, headers).status_code == status
        assert Client().get(GRANTS, headers=headers).status_code == status
        assert revoke(made["id"], headers) == status
    assert plays(made["url"]) == 200


def test_grants_are_listed_without_their_urls_and_their_uses_are_counted_once_a_minute(
    protected: Video,
    signed: LocalAws,
    granter: dict[str, str],
) -> None:
    urls = {viewer: grant(protected, granter, viewer=viewer).json()["url"] for viewer in ("a", "b", "b")}
    for _ in range(3):
        assert plays(urls["a"]) == 200
    PlaybackGrant.objects.filter(viewer="a").update(last_used_at=timezone.now() - timedelta(minutes=1))
    assert plays(urls["a"]) == 200
    listed = Client().get(f"{GRANTS}?viewer=a&lasting=true&video={protected.pk}", headers=granter).json()["data"]
    assert [(row["viewer"], row["uses"], row["video"]) for row in listed] == [("a", 2, str(protected.pk))]
    everything = Client().get(GRANTS, headers=granter)
    assert [row["viewer"] for row in everything.json()["data"]] == ["b", "b", "a"]
    assert all(urlsplit(url).path.split("/")[3] not in everything.content.decode() for url in urls.values())
    body = json.dumps({"viewer": "b"})
    revoked = Client().post(f"{GRANTS}/revoke", body, "application/json", headers=granter)
    assert revoked.json() == {"revoked": 2}
    assert [plays(urls[viewer]) for viewer in "ab"] == [200, 404]
    assert len(Client().get(f"{GRANTS}?lasting=false", headers=granter).json()["data"]) == 2


def test_an_idempotency_key_makes_one_grant_and_gives_the_same_url(
    protected: Video,
    signed: LocalAws,
    granter: dict[str, str],
    settings: Any,
) -> None:
    first = grant(protected, granter, key="k1", viewer="a").json()
    assert grant(protected, granter, key="k1", viewer="a").json() == first
    assert grant(protected, granter, key="k1", viewer="b").status_code == 422
    other = make_video(playback="grant")
    assert grant(other, granter, key="k1", viewer="a").status_code == 422
    assert grant(protected, bearer(make_token("playback", "read")[1]), key="k1", viewer="a").json() != first
    assert grant(protected, granter, key="\u00e9", viewer="a").status_code == 400
    PlaybackGrant.objects.update(made_at=timezone.now() - timedelta(hours=25))
    second = grant(protected, granter, key="k1", viewer="b").json()
    assert second["id"] != first["id"]
    revoke(second["id"], granter)
    again = grant(protected, granter, key="k1", viewer="b")
    assert (again.status_code, again.json()["code"]) == (409, "grant_revoked")
    # Tokens outlive SECRET_KEY, and their URLs cannot be told again.
    settings.SECRET_KEY = "another"
    assert plays(first["url"]) == 200


@pytest.mark.django_db(transaction=True)
def test_requests_with_one_key_at_the_same_time_make_one_grant(
    protected: Video,
    signed: LocalAws,
    api_key: str,
) -> None:
    answers: list[Any] = []

    def ask() -> None:
        answers.append(grant(protected, bearer(api_key), key="k1"))
        connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(answer.status_code, answer.json()["url"]) for answer in answers} == {(201, answers[0].json()["url"])}
    assert PlaybackGrant.objects.count() == 1


def test_grants_have_a_limit_of_their_own(
    protected: Video,
    signed: LocalAws,
    granter: dict[str, str],
    settings: Any,
) -> None:
    settings.THROTTLE_GRANTS = Rate(2, 60)
    assert [grant(protected, granter).status_code for _ in range(3)] == [201, 201, 429]
    assert Client().get(GRANTS, headers=granter).status_code == 200


def test_making_and_revoking_are_audited_without_the_token_and_old_grants_are_removed(
    protected: Video,
    signed: LocalAws,
    granter: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = grant(protected, granter, viewer="a").json()
    revoke(made["id"], granter)
    entries = AuditEntry.objects.filter(object_pk=made["id"]).order_by("pk")
    assert [sorted(entry.changes) for entry in entries] == [["expires_at", "video", "viewer"], ["revoked_at"]]
    row = PlaybackGrant.objects.get()
    token = urlsplit(made["url"]).path.split("/")[3]
    assert token not in f"{vars(row)} {row!r} {[entry.changes for entry in entries]}"
    PlaybackGrant.objects.update(made_at=timezone.now() - timedelta(days=91))
    grant(protected, granter)
    call_command("prune_grants", "--dry-run")
    call_command("prune_grants")
    assert [json.loads(line)["removed"] for line in capsys.readouterr().out.splitlines()] == [1, 1]
    assert PlaybackGrant.objects.count() == 1


# Of channels


@pytest.fixture
def private(aws: LocalAws, settings: Any) -> Channel:
    """A private channel in the local IVS, and a key of the service there."""
    found = private_channel_of(aws)
    return make_channel(arn=found["arn"], private=True, playback_url=found["playbackUrl"])


def test_a_grant_for_a_private_channel_is_let_in_by_ivs_and_revoked_there(
    aws: LocalAws, settings: Any, private: Channel, granter: dict[str, str]
) -> None:
    key = use_playback_key(aws, settings)
    now = timezone.now()
    made = grant(private, granter, viewer="member-42", ttl_seconds=3600, origins=["https://*.example.com"]).json()
    assert made["url"].startswith(f"{private.playback_url}?token=")
    claims = verified(made["url"].partition("?token=")[2], key)
    assert (claims["aws:viewer-id"], claims["aws:channel-arn"]) == ("member-42", private.arn)
    assert abs(claims["exp"] - now.timestamp() - 600) < 3
    assert made["expires_at"][:19] == datetime.fromtimestamp(claims["exp"], UTC).isoformat()[:19]
    assert refusal(aws, made["url"], timezone.now(), "https://www.example.com") == ""
    assert refusal(aws, made["url"], timezone.now(), "https://www.example.org") != ""
    other = grant(private, granter, viewer="member-43").json()
    assert revoke(made["id"], granter) == 204
    assert refusal(aws, made["url"], timezone.now(), "https://www.example.com") != ""
    assert refusal(aws, other["url"], timezone.now()) == ""
    later = grant(private, granter, viewer="member-42").json()
    assert refusal(aws, later["url"], timezone.now()) == ""
    body = json.dumps({"viewer": "member-42"})
    assert Client().post(f"{GRANTS}/revoke", body, "application/json", headers=granter).json() == {"revoked": 1}
    assert refusal(aws, later["url"], timezone.now()) != ""


def test_single_use_resolution_and_a_longer_life_without_a_viewer(
    aws: LocalAws, settings: Any, private: Channel, granter: dict[str, str]
) -> None:
    key, now = use_playback_key(aws, settings), timezone.now()
    once = grant(private, granter, single_use=True, maximum_resolution="HD").json()["url"]
    claims = verified(once.partition("?token=")[2], key)
    assert (claims["aws:maximum-resolution"], "aws:viewer-id" in claims) == ("HD", False)
    assert [refusal(aws, once, timezone.now()) == "" for _ in range(2)] == [True, False]
    long = grant(private, granter, ttl_seconds=7200).json()["url"]
    assert abs(verified(long.partition("?token=")[2], key)["exp"] - now.timestamp() - 7200) < 3
    for body, name in (({"origins": ["example.com"]}, "origins"), ({"maximum_resolution": "4K"}, "maximum_resolution")):
        answer = grant(private, granter, **body)
        assert (answer.status_code, list(answer.json()["fields"])) == (400, [name])


def test_a_public_channel_gets_its_playback_url_and_a_private_one_needs_the_key(
    aws: LocalAws, private: Channel, granter: dict[str, str]
) -> None:
    public = make_channel(playback_url="https://a.playback.live-video.net/x.m3u8")
    made = grant(public, granter, viewer="a").json()
    assert (made["url"], made["expires_at"]) == (public.playback_url, None)
    assert revoke(made["id"], granter) == 204
    refused = grant(private, granter)
    assert (refused.status_code, refused.json()["code"]) == (409, "playback_not_configured")
    assert "IVS_PLAYBACK_PRIVATE_KEY" in refused.json()["error"]
    Channel.objects.update(active=False)
    assert grant(public, granter).status_code == 404


def test_a_viewer_is_revoked_on_every_channel_though_one_is_gone_from_ivs_or_ivs_fails(
    aws: LocalAws, settings: Any, granter: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_playback_key(aws, settings)
    channels = []
    for _ in range(3):
        found = private_channel_of(aws)
        channels.append(make_channel(arn=found["arn"], private=True, playback_url=found["playbackUrl"]))
    urls = [grant(channel, granter, viewer="v").json()["url"] for channel in channels]
    aws.ivs.call("DeleteChannel", arn=channels[1].arn)
    real, failing = aws_door.viewer_sessions_revoke, {channels[0].arn}

    def revoked(*, channel_arn: str, **named: Any) -> None:
        if channel_arn in failing:
            raise aws_door.AwsError(
                "StartViewerSessionRevocation", channel_arn, aws_door.AwsErrorKind.THROTTLED, "slow down"
            )
        real(channel_arn=channel_arn, **named)

    monkeypatch.setattr(aws_door, "viewer_sessions_revoke", revoked)
    body = json.dumps({"viewer": "v"})
    assert Client().post(f"{GRANTS}/revoke", body, "application/json", headers=granter).status_code == 503
    assert [refusal(aws, urls[n], timezone.now()) == "" for n in (0, 2)] == [True, False]
    failing.clear()
    assert Client().post(f"{GRANTS}/revoke", body, "application/json", headers=granter).json() == {"revoked": 0}
    assert refusal(aws, urls[0], timezone.now()) != ""
