"""The audit log in the admin: overall, by object, filtered, and read-only."""

import re
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from channels_app.models import AuditEntry, Channel
from common.audit import Actor, Way, acting, audited
from ondemand.models import Video
from ondemand.videos.services import video_hide, video_update
from tests.support.console import CHANNELS, KEY, NINE, VIDEOS, make_channel, make_video, member, page

pytestmark = pytest.mark.django_db
AUDIT = "/admin/channels_app/auditentry/"
ADA = Actor(Way.ADMIN, "ada", operation="request-1")


def rows(html: str) -> list[str]:
    """The text of each row."""
    found = re.findall(r"<tr>\s*(<t[dh].*?)</tr>", html.partition("<tbody>")[2], re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in found]


def test_the_log_is_listed_newest_first_with_actor_object_and_values(browser: Client) -> None:
    video = make_video("Opening")
    with acting(ADA):
        video_hide(video_uuid=video.pk)
    first, *_ = rows(page(browser, AUDIT))
    for text in ("UTC ada admin update", "video Opening", "Shown: true → false"):
        assert text in first


def test_the_log_is_filtered(browser: Client) -> None:
    video = make_video()
    make_channel()
    AuditEntry.objects.filter(content_type__model="user").delete()
    with acting(ADA):
        video_hide(video_uuid=video.pk)
    for query, found in (
        ({"way": "admin"}, {"video"}),
        ({"way": "database"}, {"video", "channel"}),
        ({"object_type": "channels_app.channel"}, {"channel"}),
        ({"action": "1"}, {"video"}),
        ({"action": "0", "object_type": "ondemand.video"}, {"video"}),
        ({"action": "3"}, set()),
        ({"way": "nonsense", "action": "nonsense", "object_type": "nonsense"}, {"video", "channel"}),
    ):
        listed = rows(page(browser, AUDIT, query))
        assert {kind for kind in ("video", "channel") if any(f" {kind} " in row for row in listed)} == found, query


def test_the_log_is_searched_by_object_operation_and_name(browser: Client) -> None:
    video = make_video()
    make_video()
    with acting(ADA):
        video_hide(video_uuid=video.pk)
    for text, many in ((str(video.pk), 2), (str(video.pk).upper(), 2), ("request-1", 1), ("ada", 1), (str(uuid4()), 0)):
        assert len(rows(page(browser, AUDIT, {"q": text}))) == many, text


def test_the_history_of_an_object_is_its_part_of_the_log(browser: Client) -> None:
    channel = make_channel()
    response = browser.get(f"{CHANNELS}{channel.pk}/history/")
    assert response.status_code == 302
    html = page(browser, response["Location"])
    [row] = rows(html)
    assert "create" in row
    assert "Main stage" in row
    assert "1 audit entry" in " ".join(html.split())
    # The way back: the last crumb but one, and a button.
    assert html.partition('id="changelist"')[0].count(f'href="{CHANNELS}{channel.pk}/change/"') == 2
    Channel.objects.all().delete()
    html = page(browser, response["Location"])
    assert len(rows(html)) == 2
    assert f'href="{CHANNELS}{channel.pk}/change/"' not in html.partition('id="changelist"')[0]


def test_an_entry_shows_each_value_whole(browser: Client) -> None:
    video = make_video("Opening")
    with acting(ADA):
        video_update(video_uuid=video.pk, by=uuid4(), values={"publish_from": NINE})
        video_update(video_uuid=video.pk, by=uuid4(), values={"description": "long " * 200, "tags": ["a", "b"]})
    assert "2026-03-04 09:05:02 UTC" in page(browser, AUDIT)
    html = page(browser, f"{AUDIT}{AuditEntry.objects.latest('pk').pk}/change/")
    assert "long " * 200 in html
    assert "[&quot;a&quot;, &quot;b&quot;]" in html
    assert "long " * 200 not in page(browser, AUDIT)


def test_hostile_texts_and_secrets_are_shown_as_nothing_but_text(browser: Client) -> None:
    hostile = "<script>alert(1)</script>"
    channel = make_channel(name=hostile)
    with acting(Actor(Way.API, hostile, operation=hostile)), audited():
        Channel.objects.update(name=f"{hostile}2", stream_key="sk_another")
    entry = AuditEntry.objects.latest("pk")
    for path in (AUDIT, f"{AUDIT}{entry.pk}/change/", f"{AUDIT}?q={channel.pk}"):
        html = page(browser, path)
        assert "<script>alert" not in html
        assert KEY not in html
        assert "sk_another" not in html


def test_the_log_is_read_only_and_for_accounts_that_may_see_it(browser: Client) -> None:
    make_video()
    entry = AuditEntry.objects.latest("pk")
    address = f"{AUDIT}{entry.pk}/"
    assert browser.get(f"{AUDIT}add/").status_code == 403
    assert browser.post(f"{address}delete/", {"post": "yes"}).status_code == 403
    assert browser.post(f"{address}change/", {"actor_name": "x"}).status_code == 403
    assert "delete_selected" not in page(browser, AUDIT)
    assert member("view_video").get(AUDIT).status_code == 403
    assert member("view_auditentry").get(AUDIT).status_code == 200


def test_the_admin_writes_no_second_log(browser: Client) -> None:
    make_video("Opening")
    browser.post(VIDEOS, {"action": "hide", "_selected_action": [str(Video.objects.get().pk)]})
    browser.post("/admin/accounts/user/add/", {"username": "ada", "usable_password": "false"})
    assert not LogEntry.objects.exists()
