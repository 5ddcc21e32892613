"""Reads from a replica: a second database whose rows differ shows which of the two was read."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import close_old_connections, connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from psycopg import sql

from common.rest.replica import REPLICA
from tests.support.console import make_stream
from tests.support.helpers import assert_error, bearer, make_channel, make_content, make_token, make_video
from tests.support.processes import connect

# They copy the database of the worker.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

CHANNEL, VIDEO, STREAM = UUID(int=1), UUID(int=2), "st-one"
PUBLIC = [
    "/on-demand",
    "/on-demand?search=night&ordering=newest",
    "/on-demand/search?search=night",
    f"/on-demand/{VIDEO}",
    "/tags",
    "/channels",
    f"/channels/{CHANNEL}/streams",
]
LIVE = ["/channels/live", f"/channels/{CHANNEL}", f"/channels/{CHANNEL}/live"]


@pytest.fixture
def replica(
    transactional_db: None, django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[psycopg.Connection[Any]]:
    """A copy of the database whose title, tag and name are others; what it yields is connected to it."""
    channel = make_channel(uuid=CHANNEL, name="night of the primary")
    make_stream(channel, STREAM, start=5, end=65)
    video = make_video(uuid=VIDEO, channel=channel, stream_ids=[STREAM])
    make_content(video, title="night of the primary", tags=["of the primary"])
    connection.close()
    connection.close_pool()
    monkeypatch.setattr("common.rest.replica._rest_until", 0.0)
    name, original = f"replica_{uuid4().hex[:12]}", connection.settings_dict["NAME"]
    with ExitStack() as stack:
        server = stack.enter_context(connect("postgres"))
        copying = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        server.execute(copying.format(sql.Identifier(name), sql.Identifier(original)))
        stack.callback(server.execute, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        rows = stack.enter_context(connect(name))
        rows.execute("UPDATE on_demand_video_content SET title = 'night of the replica', tags = '{of the replica}'")
        rows.execute("UPDATE ivs_channels SET _name = 'night of the replica'")
        values = {**connection.settings_dict, "NAME": name, "OPTIONS": {}}
        stack.enter_context(patch.dict(connections.settings, {REPLICA: values}))
        # Django knows only databases that were there when the test began.
        with django_db_blocker.unblock():
            yield rows
        connections[REPLICA].close()
        del connections[REPLICA]


def database_of(answer: Any) -> str:
    """Return the database that an answer was read from."""
    assert answer.status_code == 200
    text = answer.content.decode()
    return " and ".join(name for name in ("primary", "replica") if f"of the {name}" in text) or text


def test_public_reads_and_pages_are_of_the_replica_and_the_live_state_is_of_the_primary(replica: Any) -> None:
    for path in PUBLIC:
        with CaptureQueriesContext(connection) as of_primary:
            answer = Client().get(path)
        assert (database_of(answer), len(of_primary)) == ("replica", 0), path
        assert Client().head(path)["ETag"] == answer["ETag"], path
    assert database_of(Client().get(f"/watch/{VIDEO}")) == "replica"
    for path in LIVE:
        with CaptureQueriesContext(connections[REPLICA]) as of_replica:
            assert Client().get(path).status_code == 200, path
        assert len(of_replica) == 0, path


def test_a_caller_who_may_write_reads_the_primary(replica: Any) -> None:
    reading = {("read",): "replica", ("read", "curate"): "primary", ("channels",): "primary", ("playback",): "primary"}
    for scopes, name in reading.items():
        _, text = make_token(*scopes)
        found = [database_of(Client().get(path, headers=bearer(text))) for path in PUBLIC]
        assert found == [name] * len(PUBLIC), scopes


def test_staff_write_and_read_the_primary(replica: Any, api_key: str, browser: Client) -> None:
    written = {"title": "a title of the primary"}
    path, headers = f"/on-demand/{VIDEO}", bearer(api_key)

    answer = Client().patch(path, written, "application/json", headers=headers)

    assert [database_of(found) for found in (answer, Client().get(path, headers=headers))] == ["primary"] * 2
    assert [database_of(browser.get(found)) for found in ("/admin/ondemand/video/", path)] == ["primary"] * 2
    assert replica.execute("SELECT title FROM on_demand_video_content").fetchall() == [("night of the replica",)]


def test_the_primary_answers_while_the_replica_is_away(
    replica: psycopg.Connection[Any], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert database_of(Client().get("/on-demand")) == "replica"
    with connect("postgres") as server:
        name = sql.Identifier(connections[REPLICA].settings_dict["NAME"])
        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        server.execute(terminate, [replica.info.dbname])

        with caplog.at_level(logging.WARNING):
            found = [database_of(Client().get(path)) for path in PUBLIC]

        assert found == ["primary"] * len(PUBLIC)
        # The first request alone has tried.
        assert [record.name for record in caplog.records].count("common.rest.replica") == 1
        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
    monkeypatch.setattr("common.rest.replica._rest_until", 0.0)
    # As Django does at the end of a request, and its test client does not.
    close_old_connections()
    assert database_of(Client().get("/on-demand")) == "replica"


def test_the_primary_answers_when_the_replica_cannot_be_reached(replica: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections[REPLICA].settings_dict, "HOST", "/nowhere")

    assert database_of(Client().get("/on-demand")) == "primary"


def test_the_primary_answers_when_the_replica_refuses_a_statement(replica: psycopg.Connection[Any]) -> None:
    replica.execute("DROP TABLE ondemand_videoindex, ondemand_tagcount CASCADE")

    assert [database_of(Client().get(path)) for path in ("/on-demand", "/tags")] == ["primary"] * 2


def test_a_statement_that_takes_too_long_on_the_replica_is_not_made_again(replica: psycopg.Connection[Any]) -> None:
    name = sql.Identifier(connections[REPLICA].settings_dict["NAME"])
    replica.execute(sql.SQL("ALTER DATABASE {} SET statement_timeout = '200ms'").format(name))
    with replica.transaction():
        replica.execute("LOCK TABLE ondemand_videoindex")
        assert_error(Client().get("/on-demand"), 503, "statement_timeout")

    assert database_of(Client().get("/on-demand")) == "replica"
