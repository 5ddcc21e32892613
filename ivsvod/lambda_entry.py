"""The entry of AWS Lambda: tells HTTP, SQS and raw EventBridge events apart and hands them on.

Zappa's own handler loses a raw event of IVS and answers a failed SQS item with success; what it is good at, HTTP and
management commands, goes on to it. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import logging
import os
from functools import cache
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ivsvod.settings")
django.setup()

from django.db import close_old_connections  # noqa: E402  (needs the settings)

from channels_app import inbox  # noqa: E402
from channels_app.audit import command_acting  # noqa: E402
from channels_app.envelopes import envelope_texts  # noqa: E402
from ivsvod.api.request_ids import request_id  # noqa: E402

logger = logging.getLogger(__name__)

# Whoever may invoke the function may run these by `zappa manage`; nothing else, and never Python text.
ALLOWED_COMMANDS = {
    "backfill",
    "check",
    "check_recordings",
    "migrate",
    "process_inbox",
    "prune_inbox",
    "reconcile",
    "redrive",
    "replay",
}


class EventFailedError(Exception):
    """An event that Lambda must try again, or hand to its dead-letter queue."""


def lambda_handler(event: Any, context: Any) -> Any:
    """Handle one invocation.

    Returns:
        For HTTP, API Gateway's answer; for an SQS batch, `{"batchItemFailures": [{"itemIdentifier": …}]}`; for raw
        events, what became of each; for a command `{}`, or `{"exit_code": 1}` where it ends with another status than 0.

    Raises:
        EventFailedError: a raw event could not be processed.
        PermissionError: a command that is not allowed.
    """
    if isinstance(event, dict) and (event.get("httpMethod") or event.get("version") == "2.0"):
        return _zappa().handler(event, context)
    request_id.set(getattr(context, "aws_request_id", "-"))
    # Outside HTTP no signal of Django runs: a connection that died since the last invocation would stay.
    close_old_connections()
    try:
        return _handle(event, context)
    finally:
        close_old_connections()


def _handle(event: Any, context: Any) -> Any:
    if isinstance(event, list):
        return _raw_events(event)
    if isinstance(event.get("Records"), list):
        return sqs_batch(event)
    if "detail-type" in event and "manage" not in event:
        return _raw_events(event)[0]
    if "raw_command" in event or "command" in event:
        raise PermissionError("raw_command and command are switched off")
    command = str(event.get("manage", "")).split(" ")[0]
    if command not in ALLOWED_COMMANDS:
        raise PermissionError(f"not allowed: {command or 'an invocation without a command'}")
    return _command(event["manage"], context)


def _command(line: str, context: Any) -> dict[str, Any]:
    try:
        # The command alone: Zappa looks at other keys first, and one of them calls any function by its name.
        with command_acting(line.split(" ")[0]):
            return _zappa().handler({"manage": line}, context)
    except SystemExit as end:
        # Lambda would take it for a crash, start the process anew, and run an asynchronous invocation twice more.
        # https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
        logger.warning("command ended command=%s status=%s", line, end.code)
        return {"exit_code": end.code if isinstance(end.code, int) else int(end.code is not None)}


def sqs_batch(event: dict[str, Any]) -> dict[str, Any]:
    """Process a batch; only the items that must come again are reported, each by its own message id."""
    try:
        deliveries = list(inbox.ingest(envelope_texts(event)))
    except Exception:
        # The database is away, say: all stay in the queue, and what was done of them is done.
        logger.exception("batch failed messages=%d", len(event["Records"]))
        failed = event["Records"]
    else:
        told = zip(event["Records"], deliveries, strict=True)
        failed = [record for record, delivery in told if delivery.must_come_again]
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}


def _raw_events(document: Any) -> list[dict[str, Any]]:
    deliveries = list(inbox.ingest(envelope_texts(document)))
    failed = [f"event {item.event_id}: {item.outcome}" for item in deliveries if item.must_come_again]
    if failed:
        raise EventFailedError("; ".join(failed))
    return [{"event_id": item.event_id, "outcome": item.outcome} for item in deliveries]


@cache
def _zappa() -> Any:
    """Zappa's handler, without its middleware that doubles every Set-Cookie header (zappa 0.63)."""
    from zappa.handler import LambdaHandler

    handler = LambdaHandler()
    handler.wsgi_app = handler.wsgi_app.application
    return handler


if os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
    # Built in the INIT phase, which is not counted to the first request.
    _zappa()
