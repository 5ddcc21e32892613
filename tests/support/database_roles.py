"""What the service does by the role that docs/deploy.md makes for it; a program of its own, which prints JSON.

Run by tests/deploy/test_docs.py, with the variables of a deployment.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402  (needs the apps)
from django.core.management import call_command  # noqa: E402
from django.db import Error, connection  # noqa: E402
from django.test import Client  # noqa: E402

from channels_app.events import inbox  # noqa: E402
from channels_app.models import InboxEvent  # noqa: E402
from ivsvod.accounts.models import User  # noqa: E402
from ivsvod.accounts.services import admin_create, api_token_create  # noqa: E402
from ondemand.models import Video  # noqa: E402
from tests.support.helpers import make_channel, make_video  # noqa: E402
from tests.support.road import at  # noqa: E402
from tools.local.broadcast.events import stream_event  # noqa: E402

# As in tests/conftest.py: that of production takes a third of a second.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
KEY = {"Authorization": "Bearer a shared key"}
PASSWORD = "a long password 1"
# What the role may do nowhere, and what it may not do to the records of others.
REFUSED = [
    "CREATE TABLE more (id int)",
    "CREATE TEMPORARY TABLE more (id int)",
    "CREATE FUNCTION more() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "ALTER TABLE on_demand_videos ADD COLUMN more int",
    "ALTER TABLE on_demand_videos DISABLE TRIGGER ALL",
    "DROP TABLE ivs_state_changes",
    "TRUNCATE on_demand_video_content",
    "INSERT INTO django_migrations (app, name, applied) VALUES ('a', 'b', now())",
    "DELETE FROM django_migrations",
    "DELETE FROM channels_app_auditentry",
    "UPDATE channels_app_auditentry SET actor_name = 'somebody'",
    "CREATE ROLE another",
    "SET ROLE ivsvod",
]


def read() -> list[int]:
    """Lists, search, and the check of a load balancer."""
    paths = ["/healthz", "/on-demand", "/on-demand/search?search=x", "/channels", "/channels/live", "/tags"]
    return [Client().get(path).status_code for path in paths]


def write() -> str:
    """By the API, and so by the service behind it; the audit log has it."""
    video = make_video()
    answer = Client().patch(
        f"/on-demand/{video.pk}",
        {"title": "Opening night", "tags": ["a"]},
        content_type="application/json",
        headers=KEY,
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM channels_app_auditentry WHERE way = 'api'")
        [noted] = cursor.fetchone()
    return f"{answer.status_code} {Video.objects.get(pk=video.pk).content.title} {'noted' if noted else 'not noted'}"


def event() -> list[str]:
    """Down the road that the queue's messages take; the second belongs to a self-test, and changes nothing."""
    event = stream_event("Stream Start", make_channel().arn, "Main stage", "st-1", at(0))
    test = {**event, "id": "a-self-test", "source": "ivsvod.selftest"}
    outcomes = [item.outcome for item in inbox.ingest([json.dumps(event), json.dumps(test)])]
    InboxEvent.objects.filter(event_id=test["id"]).delete()
    return outcomes


def staff() -> str:
    """Accounts: made, signed in, deleted, which empties their place in the audit log."""
    boss = admin_create(name="boss", email="", password=PASSWORD)
    gone = admin_create(name="gone", email="", password=PASSWORD)
    client = Client(headers={"X-Forwarded-Proto": "https"})
    sent = {"username": "gone", "password": PASSWORD, "next": "/admin/"}
    signed_in = client.post("/admin/login/", sent, secure=True)
    api_token_create(name="a program", account="program", scopes=["read"])
    client.force_login(boss)
    pages = [client.get(f"/admin/{page}", secure=True).status_code for page in ("", "ondemand/video/")]
    deleted = client.post(f"/admin/accounts/user/{gone.pk}/delete/", {"post": "yes"}, secure=True)
    left = User.objects.filter(pk=gone.pk).exists()
    return f"{signed_in.status_code} {pages} {deleted.status_code} {'left' if left else 'gone'}"


def commands() -> list[str]:
    """What schedules and people run on the function, as far as that asks no AWS."""
    lines = ["check", "migrate --check", "process_inbox --retry-failed", "prune_inbox", "backfill", "replay --all"]
    for line in lines:
        call_command(*line.split(), **({} if line.startswith("migrate") else {"stdout": sys.stderr}))
    return lines


def refused() -> list[str]:
    """Those statements that are."""
    return [statement for statement in REFUSED if _is_refused(statement)]


def _is_refused(statement: str) -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    except Error as error:
        return "permission denied" in str(error) or "must be owner" in str(error)
    return False


def zone() -> list[str]:
    """The time zone of the connection, and who set it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT setting, source FROM pg_settings WHERE name = 'TimeZone'")
        return list(cursor.fetchone())


TRIED: list[Callable[[], Any]] = [zone, read, write, event, staff, commands, refused]


if __name__ == "__main__":
    sys.stdout.write(json.dumps({tried.__name__: tried() for tried in TRIED}) + "\n")
