"""The entry of AWS Lambda: dispatch HTTP, SQS, raw EventBridge events, schedules and commands.

Zappa's own handler loses a raw event of IVS and answers a failed SQS item with success, so it handles HTTP only.
Modules of HTTP are loaded by the first request, those of events by the first event.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import gc
import json
import logging
import os
import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

# Imported objects stay: collecting garbage among them takes a tenth of a cold start.
gc.disable()

import django  # noqa: E402

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ivsvod.settings")
django.setup()

from django.conf import settings  # noqa: E402  (needs the settings)
from django.core.management import call_command  # noqa: E402
from django.db import close_old_connections, connections  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from common.audit import command_acting  # noqa: E402
from common.lines import STOPPED  # noqa: E402
from common.outages import outage_counted  # noqa: E402
from common.postgresql.base import statements_unlimited  # noqa: E402
from common.rest.request_ids import request_id  # noqa: E402
from ivsvod.gateway import cleaned, is_http, is_readable, method_and_path  # noqa: E402

logger = logging.getLogger(__name__)

# The commands that `zappa manage` may run; never Python text.
ALLOWED_COMMANDS = {
    *("axes_reset_logs", "backfill", "check", "check_recordings", "clearsessions", "create_admin", "encrypt_secrets"),
    *("import_playback_key", "migrate", "playback_keys", "process_inbox", "prune_grants", "prune_inbox", "reconcile"),
    *("redrive", "replay", "switch"),
}
# The command of a schedule, by the function that zappa_settings.json names. Zappa ends the name of the rule with it.
SCHEDULED = {
    "scheduled_check_files": "check_recordings",
    "scheduled_clear_sessions": "clearsessions",
    "scheduled_forget_sign_ins": "axes_reset_logs --age 90",
    "scheduled_process_inbox": "process_inbox --retry-failed",
    "scheduled_prune_grants": "prune_grants",
    "scheduled_prune_inbox": "prune_inbox",
    "scheduled_reconcile": "reconcile --scheduled",
}

# The time for a stopped command to end a call to AWS and to release its leases.
_LAST_SECONDS = 15
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
_LONGEST_MILLISECONDS = 900_000


class InvocationRefusedError(Exception):
    """A malformed invocation, or one that is not allowed."""


class EventFailedError(Exception):
    """An event that Lambda must try again."""


def lambda_handler(event: Any, context: Any) -> Any:
    """Handle one invocation.

    Returns:
        For HTTP, API Gateway's answer; for an SQS batch, `{"batchItemFailures": [{"itemIdentifier": …}]}`; for raw
        events, the outcome of each; for a command or a schedule `{}`, or `{"exit_code": 1}` if it ends with another
        status than 0.

    Raises:
        InvocationRefusedError: a malformed invocation, or a command or a schedule that is not allowed. The messages of
            a malformed SQS batch stay in the queue.
        EventFailedError: a raw event could not be processed.
        CommandError: a command that is allowed cannot run; the message says why.
    """
    if is_http(event):
        return _http(event, context)
    invocation_id = getattr(context, "aws_request_id", None)
    request_id.set(invocation_id if isinstance(invocation_id, str) else "-")
    # Outside HTTP no signal of Django closes a connection that died since the last invocation.
    close_old_connections()
    try:
        return _handle(event, context)
    except InvocationRefusedError as refused:
        logger.warning("invocation refused: %s", refused)
        raise
    finally:
        close_old_connections()


def _http(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if not is_readable(event):
        logger.warning("refused a request that cannot be read")
        return _error_answer(400)
    answer = _zappa().handler(cleaned(event, settings.PUBLIC_HOST, settings.ORIGIN_SECRETS), context)
    logger.info("answered method=%s path=%s status=%s", *method_and_path(event), answer["statusCode"])
    # Zappa's own error answer has no headers.
    return answer if "headers" in answer else _error_answer(500)


def _error_answer(status: int) -> dict[str, Any]:
    """Return an error in the shape of all API errors."""
    from ivsvod.api.errors import error_document

    sentences = {400: "The request cannot be understood", 500: "The server failed"}
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(error_document(status, sentences[status]))}


def _handle(event: Any, context: Any) -> Any:
    if isinstance(event, list) and event:
        return _raw_events(event)
    if not isinstance(event, dict):
        raise InvocationRefusedError(f"not an invocation of this service: {type(event).__name__}")
    if event.get("detail-type") == "Scheduled Event" and event.get("source") == "aws.events":
        # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
        resources = event.get("resources")
        rule = resources[0] if isinstance(resources, list) and resources else ""
        name = rule.rpartition("-")[2].rpartition(".")[2] if isinstance(rule, str) else ""
        if name not in SCHEDULED:
            raise InvocationRefusedError("not a schedule of this service")
        return _command(SCHEDULED[name], context)
    if "detail-type" in event:
        return _raw_events([event])[0]
    if isinstance(event.get("Records"), list):
        return sqs_batch(event)
    if "raw_command" in event or "command" in event:
        raise InvocationRefusedError("raw_command and command are switched off")
    return _command(event.get("manage"), context)


def _command(line: Any, context: Any) -> dict[str, Any]:
    try:
        name, *arguments = shlex.split(line if isinstance(line, str) else "") or [""]
    except ValueError as error:
        raise InvocationRefusedError(f"not a command: {error}") from None
    if name not in ALLOWED_COMMANDS:
        allowed = ", ".join(sorted(ALLOWED_COMMANDS))
        raise InvocationRefusedError(f"not allowed: manage must begin with one of {allowed}")
    # New connections: those of requests and events have a statement timeout.
    connections.close_all()
    try:
        with statements_unlimited(), command_acting(name), _interrupted_in_time(context):
            call_command(name, *arguments)
    except KeyboardInterrupt:
        logger.warning("command stopped before the time of the function was over command=%s", name)
        return {"exit_code": STOPPED}
    except SystemExit as end:
        # Lambda would treat it as a crash: restart the process, and run an asynchronous invocation twice more.
        # https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
        logger.warning("command ended command=%s status=%s", name, end.code)
        return {"exit_code": end.code if isinstance(end.code, int) else int(end.code is not None)}
    finally:
        connections.close_all()
    return {}


@contextmanager
def _interrupted_in_time(context: Any) -> Iterator[None]:
    """Stop a command as Ctrl-C does, shortly before Lambda would kill it; its next run continues from there."""
    remaining_time = getattr(context, "get_remaining_time_in_millis", None)
    milliseconds: Any = remaining_time() if callable(remaining_time) else 0
    is_valid = isinstance(milliseconds, int | float) and 0 <= milliseconds <= _LONGEST_MILLISECONDS
    remaining = (milliseconds / 1000 if is_valid else 0) - _LAST_SECONDS
    if remaining <= 0:
        yield
        return
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, remaining)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def sqs_batch(event: dict[str, Any]) -> dict[str, Any]:
    """Process a batch; return the items to deliver again, each by its message id."""
    ids = [record.get("messageId") if isinstance(record, dict) else None for record in event["Records"]]
    if not all(isinstance(message_id, str) and message_id for message_id in ids):
        # SQS delivers the whole batch again, and then to the dead-letter queue: nothing is lost.
        raise InvocationRefusedError("records without a messageId")
    try:
        deliveries = _ingest(event)
    except Exception as error:
        # For example, the database is unavailable. All stay in the queue; processed events are duplicates then.
        logger.exception("batch failed messages=%d", len(event["Records"]))
        outage_counted(error)
        failed = event["Records"]
    else:
        pairs = zip(event["Records"], deliveries, strict=True)
        failed = [record for record, delivery in pairs if delivery.must_come_again]
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}


def _raw_events(document: Any) -> list[dict[str, Any]]:
    deliveries = _ingest(document)
    failed = [f"event {item.event_id}: {item.outcome}" for item in deliveries if item.must_come_again]
    if failed:
        raise EventFailedError("; ".join(failed))
    return [{"event_id": item.event_id, "outcome": item.outcome} for item in deliveries]


def _ingest(document: Any) -> list[Any]:
    from channels_app.events.deliveries import envelope_texts
    from channels_app.events.inbox import ingest

    return list(ingest(envelope_texts(document)))


@cache
def _zappa() -> Any:
    """Return Zappa's handler, without its middleware that doubles every Set-Cookie header (zappa 0.63)."""
    gc.disable()
    try:
        from zappa.handler import LambdaHandler

        handler = LambdaHandler()
        handler.wsgi_app = handler.wsgi_app.application
        # The first part of each path on the host of API Gateway; the package is the same for each stage.
        handler.settings.API_STAGE = settings.STAGE
        # Loads the views.
        _ = get_resolver().url_patterns
        return handler
    finally:
        gc.freeze()
        gc.enable()


if settings.ON_LAMBDA:
    try:
        from snapshot_restore_py import register_before_snapshot
    except ImportError:
        # Only Lambda's own Python from 3.12 has it.
        pass
    else:
        # A snapshot of SnapStart must hold no connection: all its copies would use it.
        # https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
        register_before_snapshot(connections.close_all)
gc.freeze()
gc.enable()
