"""A database that is there and ends a statement: what clients and staff see, and that it is no outage."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import sleep
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection
from django.test import Client

from ondemand.models import Video
from tests.support.helpers import assert_error, make_channel, make_video
from tests.support.road import ARN, BUCKET, PREFIX, ended_metadata, lambda_takes, put, recording_change
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db(transaction=True)

PLACE = {"bucket": BUCKET, "prefix": PREFIX}
LOW, HIGH = UUID(int=1), UUID(int=2)
ENDED = [
    ("statement_timeout", "statement_timeout", "The query took too long: narrow it, or try again"),
    ("lock_timeout", "database_contended", "Others are writing the same: try again"),
]


@pytest.fixture(autouse=True)
def no_outage_is_counted(settings: Any, capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    settings.EMBEDDED_METRICS = True
    yield
    assert "DatabaseErrors" not in capsys.readouterr().out


@contextmanager
def another_session() -> Iterator[psycopg.Connection[Any]]:
    values = connection.settings_dict
    place = {"host": values["HOST"], "port": values["PORT"], "user": values["USER"], "dbname": values["NAME"]}
    with psycopg.connect(**place) as session:
        yield session


@contextmanager
def limited(setting: str) -> Iterator[None]:
    """The table of videos is locked by another session, and a statement of ours ends soon by this setting."""
    with another_session() as session, connection.cursor() as cursor:
        session.execute("LOCK TABLE on_demand_videos")
        cursor.execute(f"SET {setting} = '50ms'")
        try:
            yield
        finally:
            cursor.execute(f"RESET {setting}")


@pytest.mark.parametrize(("setting", "code", "sentence"), ENDED)
def test_a_statement_that_is_ended_has_its_own_sentence_and_code(
    client: Client, browser: Client, setting: str, code: str, sentence: str
) -> None:
    with limited(setting):
        answers = [client.get("/on-demand"), browser.get("/admin/ondemand/video/")]
        page = client.get("/")

    for answer in answers:
        assert assert_error(answer, 503, code)["error"] == sentence
        assert answer["Retry-After"].isdigit()
    assert (page.status_code, "This takes too long" in page.content.decode()) == (503, True)


# For a lock of this session: those of other tests wait at the same time.
_WAITING = "SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"


def deadlocked(write: Callable[[], Any]) -> Any:
    """Return the result of a writer that is the victim of a deadlock: another session locks the rows in reverse."""

    def run() -> Any:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET deadlock_timeout = '500ms'")
            return write()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread, another_session() as session:
        # The other one is patient: it is the writer who finds the circle.
        session.execute("SET deadlock_timeout = '1min'")
        session.execute("SELECT FROM on_demand_videos WHERE uuid = %s FOR UPDATE", [HIGH])
        result = thread.submit(run)
        while not result.done() and not session.execute(_WAITING).rowcount:
            sleep(0.01)
        session.execute("SELECT FROM on_demand_videos WHERE uuid = %s FOR UPDATE", [LOW])
        return result.result(timeout=30)


def test_the_victim_of_a_deadlock_gets_a_conflict_with_other_writers(api_key: str) -> None:
    for uuid in (LOW, HIGH):
        make_video(uuid=uuid, **PLACE)
    headers = {"Authorization": f"Bearer {api_key}"}
    body = json.dumps({"visibility": "unlisted"})

    def patch() -> Any:
        return Client().patch(f"/on-demand/{LOW}", body, "application/json", headers=headers)

    assert_error(deadlocked(patch), 503, "database_contended")
    assert patch().status_code == 200


def test_an_event_that_is_the_victim_of_a_deadlock_comes_again(aws: LocalAws) -> None:
    channel = make_channel(arn=ARN)
    put(f"{PREFIX}/events/recording-ended.json", ended_metadata())
    for uuid in (LOW, HIGH):
        make_video(uuid=uuid, channel=channel, **PLACE)
    event = recording_change("Recording End", 70)

    assert deadlocked(lambda: lambda_takes(event)) == [0]
    assert lambda_takes(event) == []
    assert Video.objects.filter(duplicate_of=None).count() == 1
