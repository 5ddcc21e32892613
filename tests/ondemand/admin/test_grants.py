"""Playback grants in the admin: what is shown of them, the uses of a viewer, and revocation."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from channels_app.models import AuditEntry, Channel
from ondemand.models import GrantState, PlaybackGrant, Video
from tests.support.console import make_channel, make_video, member, messages_of, page
from tests.support.helpers import bearer, make_token
from tests.support.private_playback import private_channel_of, refusal, use_playback_key
from tools.local.aws import LocalAws
from tools.local.ivs.errors import Fault

pytestmark = pytest.mark.django_db
GRANTS = "/admin/ondemand/playbackgrant/"
HOUR = timedelta(hours=1)


def make_grant(target: Any, **values: Any) -> PlaybackGrant:
    named = {"video": target} if isinstance(target, Video) else {"channel": target}
    now = timezone.now()
    made = {"viewer": "member-42", "by": uuid4(), "by_name": "Website", "expires_at": now + HOUR}
    return PlaybackGrant.objects.create(**{**named, **made, "digest": uuid4().hex, **values})


def one_of_each_state(video: Video) -> dict[GrantState, PlaybackGrant]:
    now = timezone.now()
    return {
        GrantState.LASTING: make_grant(video, viewer="lasting"),
        GrantState.NO_END: make_grant(video, viewer="no end", expires_at=None, digest=None),
        GrantState.ENDED: make_grant(video, viewer="ended", expires_at=now - HOUR),
        GrantState.REVOKED: make_grant(video, viewer="revoked", revoked_at=now),
    }


def shown_viewers(html: str) -> list[str]:
    return re.findall(r'class="field-of_viewer">.*?<bdi>(.*?)</bdi>', html, re.DOTALL)


def granted(target: Any, viewer: str) -> Any:
    """A grant made by the API."""
    kind = "on-demand" if isinstance(target, Video) else "channels"
    headers = bearer(make_token("read", "playback")[1])
    body = {"viewer": viewer, "ttl_seconds": 600}
    made = Client().post(f"/{kind}/{target.pk}/playback-grants", body, "application/json", headers=headers)
    assert made.status_code == 201
    return made.json()


# The list


def test_the_list_shows_the_state_in_a_word_and_filters_by_it(browser: Client) -> None:
    made = one_of_each_state(make_video("Opening"))
    html = page(browser, GRANTS)
    for state, grant in made.items():
        assert f'<span class="badge badge-grant-{state}">{state.label}</span>' in html
        assert shown_viewers(page(browser, GRANTS, {"state": state.value})) == [grant.viewer]
        assert grant.state_at(timezone.now()) == state
    assert shown_viewers(html) == ["revoked", "ended", "no end", "lasting"]
    assert shown_viewers(page(browser, GRANTS, {"state": "nonsense"})) == shown_viewers(html)


def test_the_list_finds_a_viewer_a_grant_a_video_and_a_channel(browser: Client) -> None:
    video, channel = make_video("Opening"), make_channel(name="Board room")
    first, second = make_grant(video, viewer="a"), make_grant(channel, viewer="b")
    for text, viewers in (
        ("a", ["a"]),
        ("A", []),
        (str(first.pk), ["a"]),
        (second.pk.hex, ["b"]),
        (str(video.pk), ["a"]),
        (str(channel.pk), ["b"]),
        (str(uuid4()), []),
    ):
        assert shown_viewers(page(browser, GRANTS, {"q": text})) == viewers
    assert shown_viewers(page(browser, GRANTS, {"kind": "channel"})) == ["b"]
    assert shown_viewers(page(browser, GRANTS, {"kind": "video"})) == ["a"]
    html = page(browser, GRANTS)
    assert f'<a href="/admin/ondemand/video/{video.pk}/change/"><bdi>Opening</bdi></a>' in html
    assert f'<a href="/admin/channels_app/channel/{channel.pk}/change/"><bdi>Board room</bdi></a>' in html


def test_the_pages_of_a_video_and_of_a_channel_lead_to_their_grants(browser: Client) -> None:
    channel = make_channel()
    video = make_video("Opening", channel=channel)
    make_grant(make_video("Another"), viewer="other")
    make_grant(video, viewer="a")
    make_grant(video, viewer="b", revoked_at=timezone.now())
    make_grant(channel, viewer="c")
    for path, viewers in (
        (f"/admin/ondemand/video/{video.pk}/change/", ["b", "a"]),
        (f"/admin/channels_app/channel/{channel.pk}/change/", ["c"]),
    ):
        html = page(browser, path)
        [address] = re.findall(rf'href="({GRANTS}\?[^"]*)"', html)
        assert shown_viewers(page(browser, address)) == viewers
    assert "Grants (1 lasting)" in page(browser, f"/admin/ondemand/video/{video.pk}/change/")
    assert GRANTS not in page(member("view_video"), f"/admin/ondemand/video/{video.pk}/change/")


def test_no_page_shows_a_token_or_a_digest_and_no_filter_guesses_one(
    browser: Client, protected: Video, signed: LocalAws
) -> None:
    url = granted(protected, "member-42")["url"]
    grant = PlaybackGrant.objects.get()
    grant.request_key, grant.request_digest = "a-key-of-a-request", "a-digest-of-a-body"
    grant.save()
    for path in (GRANTS, f"{GRANTS}{grant.pk}/change/", f"{GRANTS}{grant.pk}/revoke/"):
        html = page(browser, path)
        for secret in (urlsplit(url).path.split("/")[3], str(grant.digest), grant.request_key, grant.request_digest):
            assert secret not in html
    for name, value in (
        ("digest__startswith", (grant.digest or "")[:1]),
        ("request_key__startswith", "a"),
        ("request_digest__startswith", "a"),
        ("video__prefix__startswith", "ivs"),
        ("channel__stream_key__startswith", "sk"),
    ):
        assert browser.get(GRANTS, {name: value}).status_code == 400, name


# The page of a grant


def test_the_page_shows_the_other_grants_of_the_viewer_and_all_uses(browser: Client) -> None:
    first, second = make_video("First"), make_video("Second")
    grant = make_grant(first, uses=3, last_used_at=timezone.now())
    make_grant(second, uses=4)
    make_grant(make_video("Fourth"), viewer="member-43", uses=1000)
    html = page(browser, f"{GRANTS}{grant.pk}/change/")
    assert "Uses of the viewer “member-42”: 7, of 2 grants." in html
    assert [title in html for title in ("First", "Second", "Fourth")] == [True, True, False]
    assert "Uses of the viewer “member-42”: 7, of 2 grants." in page(browser, GRANTS, {"q": "member-42"})
    nobody = make_grant(first, viewer="")
    html = page(browser, f"{GRANTS}{nobody.pk}/change/")
    assert "anyone who has the URL" in html
    assert "Other grants of this viewer" not in html


def test_the_page_shows_the_limits_of_a_token_of_ivs(browser: Client) -> None:
    claims = {"origins": ["https://a.example.com"], "single_use": True, "maximum_resolution": "HD"}
    html = page(browser, f"{GRANTS}{make_grant(make_channel(), claims=claims).pk}/change/")
    assert "https://a.example.com" in html
    assert ">HD<" in html
    assert "Limits of its token" not in page(browser, f"{GRANTS}{make_grant(make_video()).pk}/change/")


def test_the_history_of_a_grant_is_in_the_audit_log(browser: Client) -> None:
    grant = make_grant(make_video("Opening"))
    browser.post(f"{GRANTS}{grant.pk}/revoke/")
    log = browser.get(f"{GRANTS}{grant.pk}/history/")["Location"]
    html = page(browser, log)
    assert f"{GRANTS}{grant.pk}/change/" in html
    assert html.count("playback grant <bdi>member-42</bdi>") == 2
    entry = AuditEntry.objects.filter(object_pk=str(grant.pk)).latest("pk")
    assert (entry.actor_name, entry.way, list(entry.changes or {})) == ("boss", "admin", ["revoked_at"])


# Revocation


def test_the_chosen_grants_are_revoked_after_a_question_and_stop(
    browser: Client, protected: Video, signed: LocalAws
) -> None:
    urls = [granted(protected, viewer)["url"] for viewer in ("a", "b", "c")]
    chosen = list(PlaybackGrant.objects.exclude(viewer="c"))
    sent = {"action": "revoke_selected", "_selected_action": [str(grant.pk) for grant in chosen]}
    asked = browser.post(GRANTS, sent)
    assert "Revoke 2 grants?" in asked.content.decode()
    assert not PlaybackGrant.objects.filter(revoked_at__isnull=False).exists()
    assert re.findall(r'name="_selected_action" value="([^"]+)"', asked.content.decode()) == [
        str(grant.pk) for grant in chosen
    ]
    done = browser.post(GRANTS, {**sent, "post": "yes"})
    assert messages_of(done) == ["2 grants were revoked."]
    assert [Client().get(url).status_code for url in urls] == [404, 404, 200]


def test_at_most_so_many_are_revoked_at_once(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ondemand.admin.grants.MOST_REVOKED", 1)
    grants = one_of_each_state(make_video())
    sent = {"action": "revoke_selected", "_selected_action": [str(grants[GrantState.LASTING].pk)]}
    refused = browser.post(GRANTS, {**sent, "select_across": "1", "post": "yes"})
    assert messages_of(refused) == [
        "Nothing was revoked: these are more than 1 grants. Select fewer, or revoke all of a viewer."
    ]
    assert PlaybackGrant.objects.filter(revoked_at__isnull=False).count() == 1


def test_all_grants_of_a_viewer_are_revoked_after_a_question(browser: Client) -> None:
    grant, other = make_grant(make_video()), make_grant(make_channel(), claims={})
    make_grant(make_video(), viewer="member-43")
    path = f"{GRANTS}{grant.pk}/revoke-viewer/"
    assert path in page(browser, f"{GRANTS}{grant.pk}/change/")
    assert "Revoke all grants of the viewer “member-42”?" in page(browser, path)
    assert not PlaybackGrant.objects.filter(revoked_at__isnull=False).exists()
    PlaybackGrant.objects.filter(pk=other.pk).update(expires_at=None)
    assert messages_of(browser.post(path)) == ["2 grants were revoked."]
    assert set(PlaybackGrant.objects.filter(revoked_at__isnull=True).values_list("viewer", flat=True)) == {"member-43"}
    nobody = make_grant(make_video(), viewer="")
    assert messages_of(browser.post(f"{GRANTS}{nobody.pk}/revoke-viewer/"))[-1:] == [
        "This grant names no viewer: revoke it alone."
    ]
    nobody.refresh_from_db()
    assert nobody.revoked_at is None


@pytest.fixture
def private(aws: LocalAws, settings: Any) -> Channel:
    """A private channel in the local IVS, and a key of the service there."""
    found = private_channel_of(aws)
    use_playback_key(aws, settings)
    return make_channel(arn=found["arn"], private=True, playback_url=found["playbackUrl"])


def test_a_failure_of_ivs_is_shown_and_nothing_is_lost(
    browser: Client, aws: LocalAws, private: Channel, one_try: None
) -> None:
    made = granted(private, "member-42")
    path = f"{GRANTS}{made['id']}/revoke-viewer/"
    aws.ivs.faults.append(Fault("StartViewerSessionRevocation", "error500", times=9))
    [message] = messages_of(browser.post(path))
    assert message.endswith("The grants are revoked. What Amazon IVS plays may go on: revoke them again.")
    assert PlaybackGrant.objects.get().revoked_at is not None
    assert refusal(aws, made["url"], timezone.now()) == ""
    aws.ivs.faults.clear()
    assert messages_of(browser.post(path))[-1] == "0 grants were revoked."
    assert refusal(aws, made["url"], timezone.now()) != ""


def test_a_channel_that_is_gone_from_ivs_holds_up_no_revocation(
    browser: Client, aws: LocalAws, private: Channel
) -> None:
    made = granted(private, "member-42")
    aws.ivs.call("DeleteChannel", arn=private.arn)
    assert messages_of(browser.post(f"{GRANTS}{made['id']}/revoke/")) == ["1 grant was revoked."]


def test_who_may_only_view_grants_is_offered_no_revocation() -> None:
    grant = make_grant(make_video())
    viewer = member("view_playbackgrant")
    html = page(viewer, f"{GRANTS}{grant.pk}/change/")
    assert "/revoke" not in html
    assert 'value="revoke_selected"' not in page(viewer, GRANTS)
    for end in ("revoke", "revoke-viewer"):
        assert viewer.post(f"{GRANTS}{grant.pk}/{end}/").status_code == 403
    grant.refresh_from_db()
    assert grant.revoked_at is None
