"""The API against its own description: what fits the description works, what does not is refused, and no check fails.

https://schemathesis.readthedocs.io/
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings, strategies
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.generation import GenerationMode

from channels_app.channels.provisioning import channel_create
from channels_app.models import IdempotencyKey
from ivsvod.wsgi import application
from tests.support.delivery import put_playlists
from tests.support.helpers import OWNER, THOROUGH, make_content, make_token, make_video
from tools.local.aws import LocalAws

pytestmark = pytest.mark.slow

# The tool does not unpack the answers of a WSGI application.
PLAIN = {"Accept-Encoding": "identity"}
# The uuids of what is there, and a token.
THERE = {"channel": "", "video": "", "other": "", "token": ""}
CASES = settings(
    deadline=None,
    # The same cases on every run: what CI has seen is what lands.
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
CONFIG = {
    # A NUL is a 400 wherever it stands, and the description is not made of patterns that say so.
    "generation": {"allow-x00": False, "with-security-parameters": False},
    "checks": {
        # If-Match may name another version, and an Idempotency-Key may have come with another body.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", "401", "403", "404", "409", "412", "422"]},
        "negative_data_rejection": {
            "expected-statuses": ["400", "401", "403", "404", "405", "409", "412", "415", "422"]
        },
        # Deleting keeps the row of a channel and of a video: callers with the scope go on seeing both.
        "use_after_free": {"enabled": False},
    },
}


DESCRIPTION = json.loads((Path(__file__).parents[3] / "openapi.json").read_text())
OPERATIONS = [operation["operationId"] for methods in DESCRIPTION["paths"].values() for operation in methods.values()]


def described(*, corners: bool = True) -> Any:
    """The description, over the application in this process."""
    config = {**CONFIG, "phases": {"coverage": {"enabled": corners}}}
    schema = schemathesis.openapi.from_dict(DESCRIPTION, config=SchemathesisConfig.from_dict(config))
    schema.app = application
    schema.hook(map_path_parameters)
    schema.hook(map_case)
    schema.hook(filter_failure)
    return schema


def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    """Half of all uuids are those of what is there."""
    uuid = (path_parameters or {}).get("uuid")
    if isinstance(uuid, str) and len(uuid) in {32, 36} and uuid[:1] < "8":
        return {
            **path_parameters,
            "uuid": THERE["channel" if context.operation.path.startswith("/channels") else "video"],
        }
    return path_parameters


def map_case(context: Any, case: Any) -> Any:
    """Skip accepted calls that the description cannot express."""
    if case.meta.generation.mode is not GenerationMode.POSITIVE:
        return case
    query = case.query or {}
    # Cursors are made by the service, and only a search has an order of relevance.
    query.pop("cursor", None)
    if query.get("ordering") == "relevance":
        query["search"] = "show"
    if case.operation.label == "PATCH /on-demand/{uuid}" and isinstance(case.body, dict):
        # Publication ends after it begins, whatever the call before this one has set.
        case.body.pop("publish_from", None)
        if case.body.get("thumbnail"):
            case.body["thumbnail"] = "https://www.example.com/a.jpg"
    if case.operation.label.startswith(("PATCH /on-demand", "POST /on-demand")) and isinstance(case.body, dict):
        # A window ends after it begins, and what is joined exists.
        for window in (case.body, case.body.get("trim")):
            for name in {"start_ms", "end_ms"} & set(window or ()):
                window[name] = None
        if "with" in case.body:
            case.body["with"] = [THERE["other"]]
    return case


def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """All failures count but one: a query is text, and so `null` in one is a text as good as any."""
    message = f"{failure.message}"
    return not (isinstance(failure, AcceptedNegativeData) and re.search("parameter `(metadata|tag)` in query", message))


def moments() -> Any:
    """Those that publication takes; other values of the format are tried by the tests of videos."""
    first, last = datetime(1900, 1, 2), datetime(8999, 12, 30)  # noqa: DTZ001
    return strategies.datetimes(first, last, timezones=strategies.just(UTC)).map(datetime.isoformat)


schemathesis.openapi.format("date-time", moments())
# The corners of the description meet the same code with a token, and are refused or read by it without one.
WITH, WITHOUT = described(), described(corners=THOROUGH)


@WITH.auth(refresh_interval=None)
class Bearer:
    """The token of the test; the tool leaves it away, or spoils it, to see whether anybody looks at it."""

    def get(self, case: Any, context: Any) -> str:
        return THERE["token"]

    def set(self, case: Any, data: str, context: Any) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


@pytest.fixture
def one_transaction(db: None) -> Iterator[None]:
    """The requests of a test share its connection, as those of Django's own test client do."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def world(one_transaction: None, aws: LocalAws) -> None:
    """A channel, a video, and a token that may do everything."""
    channel = channel_create(owner=OWNER, name="Morning show")
    video, other = (make_video(channel_id=channel.uuid) for _ in range(2))
    for recorded in (video, other):
        put_playlists(recorded.prefix or "")
    make_content(video, title="Morning show", tags=["news"])
    make_content(make_video(started_at=datetime(2026, 1, 1, tzinfo=UTC)), title="Evening show", tags=["news", "late"])
    _, token = make_token("read", "curate", "channels", "playback")
    THERE.update(channel=str(channel.uuid), video=str(video.uuid), other=str(other.uuid), token=token)


def tried(schema: Any, operation_id: str, cases: int) -> Any:
    """A test of one operation. Each has a name of its own: by their names pytest-xdist tells tests apart."""

    @schema.include(operation_id=operation_id).parametrize()
    @settings(CASES, max_examples=cases)
    def test(case: Any, world: None) -> None:
        case.call_and_validate(headers=PLAIN)

    return test


# With what the tool adds of its own (examples, every corner of the description) more than 240 cases an operation if
# THOROUGH is set.
for operation in OPERATIONS:
    globals()[f"test_{operation}_with_a_token"] = tried(WITH, operation, 150 if THOROUGH else 4)
    globals()[f"test_{operation}_without_a_token"] = tried(WITHOUT, operation, 75 if THOROUGH else 2)


def test_call_after_call(world: None) -> None:
    """Chains of calls, each with what the ones before it answered."""

    class Walk(WITH.as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            # A walk that is tried again gets the same answers: no key of its first try is known.
            IdempotencyKey.objects.all().delete()

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": PLAIN}

    Walk.run(settings=settings(CASES, max_examples=50 if THOROUGH else 4, stateful_step_count=8))
