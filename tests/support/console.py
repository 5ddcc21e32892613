"""The admin as its tests see it: rows, and browsers in which someone is signed in."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.contrib.sessions.backends.db import SessionStore
from django.template.response import SimpleTemplateResponse
from django.test import Client

from channels_app.models import Channel, InboxEvent, Stream, StreamHistoryEntry
from ivsvod.accounts.models import User
from ondemand.models import Content, Video

NINE = datetime(2026, 3, 4, 9, 5, 2, tzinfo=UTC)
VIDEOS = "/admin/ondemand/video/"
BULK = f"{VIDEOS}bulk/"
CHANNELS = "/admin/channels_app/channel/"
EVENTS = "/admin/channels_app/inboxevent/"
STREAMS = "/admin/channels_app/stream/"
TOKENS = "/admin/accounts/apitoken/"
KEY = "sk_eu-west-1_a_secret_key"


def signed_in(account: User) -> Client:
    """A browser with a session of the account; `force_login` would take five times as many statements."""
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(account.pk), account.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session.create()
    client = Client()
    client.cookies["sessionid"] = session.session_key
    return client


def member(*permissions: str) -> Client:
    """A browser in which someone with just these permissions is signed in."""
    user = User.objects.create_user(f"member-{uuid4()}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return signed_in(user)


def make_channel(**values: Any) -> Channel:
    return Channel.objects.create(
        **{
            "owner": uuid4(),
            "arn": f"arn:aws:ivs:eu-west-1:111122223333:channel/{uuid4().hex[:12]}",
            "rtmp_address": "a.global-contribute.live-video.net",
            "stream_key": KEY,
            "name": "Main stage",
            "status": Channel.Status.READY,
            **values,
        }
    )


def make_video(title: str | None = None, tags: Any = None, **values: Any) -> Video:
    video = Video.objects.create(
        **{
            "status": Video.Status.AVAILABLE,
            "bucket": "ivsvod-recordings",
            "prefix": f"ivs/v1/{uuid4().hex}",
            "started_at": NINE,
            "ended_at": NINE + timedelta(seconds=3725),
            "duration_ms": 3_725_900,
            "facts": {"playlist": "media/hls/master.m3u8", "thumbnails": [f"thumb{n}.jpg" for n in range(3)]},
            **values,
        }
    )
    if title is not None:
        Content.objects.create(video=video, created_by=uuid4(), title=title, tags=tags, description="", thumbnail="")
    return Video.objects.get(pk=video.pk)


def make_event(**values: Any) -> InboxEvent:
    return InboxEvent.objects.create(**{"event_id": str(uuid4()), "body": "{}", **values})


def make_stream(channel: Channel, stream_id: str, start: float | None = None, end: float | None = None) -> Stream:
    """A stream that started and ended so many minutes after nine; None: no such event."""
    known = {"started_at": start, "ended_at": end}
    times = {name: None if value is None else NINE + timedelta(minutes=value) for name, value in known.items()}
    first = min((time for time in times.values() if time), default=NINE)
    return Stream.objects.create(channel=channel, stream_id=stream_id, first_event_at=first, **times)


def happened(stream: Stream, name: str, minutes: float = 0, **values: Any) -> StreamHistoryEntry:
    detail = values.pop("detail", {"reason": None})
    at = NINE + timedelta(minutes=minutes)
    event_id = values.pop("event_id", None) or str(uuid4())
    return StreamHistoryEntry.objects.create(stream=stream, event_id=event_id, name=name, at=at, detail=detail)


def page(client: Client, path: str, data: dict[str, Any] | None = None) -> str:
    response = client.get(path, data or {})
    assert response.status_code == 200, response.headers
    return response.content.decode()


def unrendered() -> Any:
    """Leave the pages of answers empty, for requests of which the status alone counts."""
    return patch.object(SimpleTemplateResponse, "rendered_content", "")


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def run_action(client: Client, path: str, action: str, *rows: Any) -> list[str]:
    response = client.post(path, {"action": action, "_selected_action": [str(row.pk) for row in rows]})
    assert response.status_code == 302
    shown = messages_of(response)
    # The page that follows takes them off the list of messages to show.
    client.get(response["Location"])
    return shown


def choose(client: Client, action: str, *videos: Video, query: str = "", across: bool = False) -> str:
    """The address of the page to which an action leads."""
    sent = {"action": action, "_selected_action": [str(video.pk) for video in videos]}
    response = client.post(f"{VIDEOS}{query}", {**sent, **({"select_across": "1"} if across else {})})
    assert response.status_code == 302
    assert response["Location"].startswith(BULK)
    return str(response["Location"])


def press(client: Client, address: str, button: str, **typed: str) -> Any:
    return client.post(address, {button: "1", **typed})


def row_titles(html: str) -> list[str]:
    return re.findall(r'class="field-title">.*?<bdi[^>]*>(.*?)</bdi>', html, re.DOTALL)


def listed_events(html: str) -> list[str]:
    return re.findall(r'class="field-name">(.*?)</td>', html)


def listed_streams(html: str) -> list[str]:
    return re.findall(r'class="field-shown_id"><a [^>]*>(.*?)</a>', html)


def badges(html: str, field: str) -> list[str]:
    cells = re.findall(rf'class="field-{field}">(.*?)</td>', html)
    return [" ".join(re.findall(r">([^<>]+)</span>", cell)) for cell in cells]


class _Fields(HTMLParser):
    """What a browser sends of the form of a page that posts."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._writing: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name")
        if not name or tag not in {"input", "textarea"} or given.get("type") in {"submit", "file"}:
            return
        if tag == "textarea":
            self._writing, self.values[name] = name, ""
        elif given.get("type") not in {"radio", "checkbox"} or "checked" in given:
            self.values[name] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._writing = None

    def handle_data(self, data: str) -> None:
        if self._writing:
            # The line end after the tag is none of the text.
            self.values[self._writing] += data if self.values[self._writing] else data.removeprefix("\n")


def form_of(html: str) -> dict[str, str]:
    """The fields of a page as a browser sends them: line ends are CR LF."""
    fields = _Fields()
    fields.feed(html)
    return {name: "\r\n".join(re.split("\r?\n", text)) for name, text in fields.values.items()}


def save(client: Client, video: Video, **values: Any) -> Any:
    """Open the page of the video, change these fields, and save."""
    path = f"{VIDEOS}{video.pk}/change/"
    typed = {name: "\r\n".join(text.split("\n")) if isinstance(text, str) else text for name, text in values.items()}
    return client.post(path, {**form_of(page(client, path)), **typed})
