"""A time zone for each member of staff: chosen, used for shown and typed times, and removed."""

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from common.rest.times import zone_named
from ivsvod.accounts.middleware import TimeZoneMiddleware
from ivsvod.accounts.models import User
from ivsvod.accounts.time_zones import place_of, time_zone_names
from tests.support.console import VIDEOS, make_video, member, page

pytestmark = pytest.mark.django_db
PREFERENCES = "/admin/account/preferences/"
NINE = datetime(2026, 3, 4, 9, 5, 2, tzinfo=UTC)


@pytest.fixture
def dated(db: None) -> str:
    """A page with a time on it."""
    return f"{VIDEOS}{make_video(started_at=NINE).pk}/change/"


def test_a_member_of_staff_chooses_a_zone_and_sees_times_in_it(browser: Client, staff: User, dated: str) -> None:
    assert "2026-03-04 09:05:02 UTC" in page(browser, dated)
    response = browser.post(PREFERENCES, {"time_zone": "Europe/Berlin"}, follow=True)
    html = response.content.decode()
    assert "were saved" in html
    assert '<option value="Europe/Berlin" selected>Berlin</option>' in html
    assert re.search(r"On this page it is \d{4}-\d\d-\d\d \d\d:\d\d CES?T\.", html)
    assert "2026-03-04 10:05:02 CET" in page(browser, dated)
    # Others see theirs.
    assert "2026-03-04 09:05:02 UTC" in page(member("view_video"), dated)
    browser.post(PREFERENCES, {"time_zone": ""})
    staff.refresh_from_db()
    assert staff.time_zone == ""


def test_an_unknown_zone_is_refused(browser: Client, staff: User) -> None:
    for name in ("Mars/Olympus", "../etc/passwd", "Europe", "\0", "x" * 5000, "europe/berlin"):
        response = browser.post(PREFERENCES, {"time_zone": name})
        assert response.status_code == 200, name
        html = response.content.decode()
        assert "Select a valid choice" in html or "Null characters" in html, name
        staff.refresh_from_db()
        assert staff.time_zone == "", name


def test_a_removed_zone_falls_back_with_a_message_on_each_page(browser: Client, staff: User, dated: str) -> None:
    for name in ("Atlantis/<b>Centre</b>", "Europe", "../../etc/passwd"):
        User.objects.filter(pk=staff.pk).update(time_zone=name)
        html = page(browser, dated)
        assert "2026-03-04 09:05:02 UTC" in html
        assert "This server does not have your time zone" in html
        assert "<b>Centre" not in html
        page(browser, PREFERENCES)
    browser.post(PREFERENCES, {"time_zone": "Asia/Tokyo"})
    assert "is not known" not in page(browser, PREFERENCES)


def test_the_zone_of_the_service_counts_where_none_is_chosen(browser: Client, dated: str, settings: Any) -> None:
    settings.TIME_ZONE = "America/New_York"
    assert "2026-03-04 04:05:02 EST" in page(browser, dated)
    assert "That of the service (America/New_York)" in page(browser, PREFERENCES)


def test_a_zone_ends_with_its_request_and_counts_in_the_admin_alone(browser: Client, staff: User) -> None:
    User.objects.filter(pk=staff.pk).update(time_zone="Asia/Tokyo")
    page(browser, PREFERENCES)
    assert timezone.get_current_timezone_name() == "UTC"
    video = make_video()
    assert browser.get(f"/on-demand/{video.pk}").json()["started_at"].startswith("2026-03-04T09:05:02")


def test_a_superuser_sets_the_zone_of_an_account(browser: Client, staff: User) -> None:
    form = {"username": "boss", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    path = f"/admin/accounts/user/{staff.pk}/change/"
    assert browser.post(path, {**form, "time_zone": "Asia/Kathmandu"}).status_code == 302
    assert "2026" in page(browser, path)
    assert "+0545" in page(browser, path)
    assert "Select a valid choice" in browser.post(path, {**form, "time_zone": "Mars/Olympus"}).content.decode()


# Times that are typed


def typed(name: str, text: str) -> forms.Field | tuple[Any, list[str]]:
    """Return the time that a form of the admin reads in that zone."""

    class When(forms.Form):
        at = forms.DateTimeField()

    request: Any = RequestFactory().post("/admin/x/", {"at": text})
    request.user = User(time_zone=name)
    read: list[Any] = []

    def view(asked: HttpRequest) -> HttpResponse:
        form = When(asked.POST)
        read.append((form.cleaned_data["at"], []) if form.is_valid() else (None, form.errors["at"]))
        return HttpResponse()

    TimeZoneMiddleware(view)(request)
    return read[0]


@pytest.mark.parametrize(
    ("name", "text", "meant"),
    [
        ("", "2026-07-01 12:00", datetime(2026, 7, 1, 12, tzinfo=UTC)),
        ("Europe/Berlin", "2026-07-01 12:00", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("Europe/Berlin", "2026-01-01 12:00", datetime(2026, 1, 1, 11, tzinfo=UTC)),
        ("Asia/Kathmandu", "2026-01-01 12:00", datetime(2026, 1, 1, 6, 15, tzinfo=UTC)),
        ("Gone/Zone", "2026-07-01 12:00", datetime(2026, 7, 1, 12, tzinfo=UTC)),
    ],
)
def test_a_typed_time_means_the_readers_zone(name: str, text: str, meant: datetime) -> None:
    assert typed(name, text) == (meant, [])


@pytest.mark.parametrize("text", ["2026-03-29 02:30", "2026-10-25 02:30"])
def test_a_typed_time_that_the_clocks_skip_or_repeat_is_an_error(text: str) -> None:
    value, [sentence] = typed("Europe/Berlin", text)
    assert value is None
    assert "couldn’t be interpreted in time zone Europe/Berlin" in sentence  # noqa: RUF001


# Names


def test_every_zone_that_is_offered_can_be_used() -> None:
    assert len(time_zone_names()) > 300
    assert all(zone_named(name) == ZoneInfo(name) for name in time_zone_names())


@pytest.mark.parametrize(
    ("name", "place"), [("America/Argentina/Buenos_Aires", "Argentina, Buenos Aires"), ("UTC", "UTC")]
)
def test_a_zone_is_shown_as_people_write_its_place(name: str, place: str) -> None:
    assert place_of(name) == place
