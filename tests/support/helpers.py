"""Plain helpers of the tests: rows with values that make sense, and headers."""

import os
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import boto3
from django.db import connection

from channels_app.models import Channel
from ivsvod.accounts.models import ApiToken, User
from ivsvod.accounts.services import api_token_create
from ondemand.models import Content, Video

# CI tries more cases of what is tried by chance than a person waits for.
THOROUGH = os.environ.get("THOROUGH") == "1"
OWNER = UUID("8d0c0b3e-5f0a-4d5e-9a53-1c2f5f1c7a10")
STREAM_KEY = "sk_eu-west-1_AbCdEfGhIjKl_aSecretOfATest"


def make_channel(**values: Any) -> Channel:
    """A channel that is ready, without one in IVS."""
    uuid = values.pop("uuid", None) or uuid4()
    made = {
        "owner": OWNER,
        "arn": f"arn:aws:ivs:eu-west-1:111122223333:channel/{uuid.hex[:12]}",
        "rtmp_address": "a1b2c3d4e5f6.global-contribute.live-video.net",
        "stream_key": STREAM_KEY,
        "name": "Morning show",
        "type": "STANDARD",
        "latency_mode": "LOW",
        "private": False,
        "record": True,
        "playback_url": f"https://a1b2c3d4e5f6.eu-west-1.playback.live-video.net/api/video/v1/{uuid.hex[:12]}.m3u8",
        "status": Channel.Status.READY,
    }
    return Channel.objects.create(uuid=uuid, **{**made, **values})


def make_video(**values: Any) -> Video:
    """A video that anyone may find: an hour, started on 4 March 2026 at 9:05."""
    uuid = values.pop("uuid", None) or uuid4()
    started_at = values.pop("started_at", datetime(2026, 3, 4, 9, 5, tzinfo=UTC))
    duration_ms = values.pop("duration_ms", 3_600_000)
    made = {
        "status": Video.Status.AVAILABLE,
        "bucket": "ivsvod-recordings",
        "prefix": f"ivs/v1/111122223333/AjIhKtJ0RlgL/2026/3/4/9/5/{uuid.hex[:12]}",
        "ended_at": started_at and started_at + timedelta(milliseconds=duration_ms or 0),
        "session_id": "",
        "stream_ids": ["st-u8jzPde0IgxLd6GncfBAepf"],
    }
    made = {**made, "started_at": started_at, "duration_ms": duration_ms}
    return Video.objects.create(uuid=uuid, **{**made, **values})


def make_content(video: Video, **values: Any) -> Content:
    """What the shared key wrote about the video."""
    made = {
        "created_by": UUID(int=0),
        "title": "Morning show",
        "description": "News and weather",
        "tags": ["news"],
        "thumbnail": "https://www.example.com/a.jpg",
    }
    return Content.objects.create(video=video, **{**made, **values})


def make_account(*scopes: str, **values: Any) -> User:
    """An account with the permissions of these scopes."""
    user = User.objects.create_user(values.pop("username", f"account-{uuid4().hex[:8]}"), **values)
    permissions = user._meta.get_field("user_permissions").related_model.objects
    user.user_permissions.set(permissions.filter(content_type__app_label="accounts", codename__in=scopes))
    return user


def make_token(*scopes: str, **values: Any) -> tuple[ApiToken, str]:
    """A token with these scopes and its text; of a new account with the same permissions unless `account` is named."""
    account = values.pop("account", f"account-{uuid4().hex[:8]}")
    return api_token_create(name=values.pop("name", "a token"), account=account, scopes=scopes, **values)


def bearer(text: str) -> dict[str, str]:
    """The header of a request that shows this credential, for `client.get(…, headers=bearer(text))`."""
    return {"Authorization": f"Bearer {text}"}


def in_transaction() -> bool:
    """Return whether the code under test has a transaction open: in the one of a test, it is a savepoint."""
    return bool(connection.savepoint_ids)


def kept(seconds: int, stale: int | None = None) -> str:
    """The Cache-Control of an answer that any cache may keep for so long; `stale` where it ends earlier."""
    stale = min(seconds, 5) if stale is None else stale
    return f"public, max-age={seconds}, s-maxage={seconds}, stale-while-revalidate={stale}"


@cache
def ivs() -> Any:
    """A client of the local IVS, which the fixture `aws` serves: one for all, for making one takes long."""
    return boto3.session.Session().client("ivs")


def ivs_channels() -> list[dict[str, Any]]:
    """What IVS has, with tags."""
    return [ivs().get_channel(arn=item["arn"])["channel"] for item in ivs().list_channels()["channels"]]


def assert_error(response: Any, status: int, code: str | None = None, *, field: str | None = None) -> dict[str, Any]:
    """The one shape of every error."""
    assert response.status_code == status, response.content[:300]
    assert response["Content-Type"] == "application/json"
    document: dict[str, Any] = response.json()
    # Clients of the predecessor read the sentence of a 400 as `message`.
    assert sorted(document) == ["code", "error", "fields", *(["message"] if status == 400 else [])]
    assert document.get("message", document["error"]) == document["error"]
    assert isinstance(document["error"], str)
    assert document["error"]
    assert document["code"] == (code or document["code"])
    assert document["code"]
    for texts in document["fields"].values():
        assert isinstance(texts, list)
        assert texts
        assert all(isinstance(text, str) for text in texts)
    assert field is None or document["fields"][field]
    assert "no-store" in response["Cache-Control"]
    assert response["X-Request-ID"]
    return document
