"""Corrections of the function after each `deploy` and `update`, and a check of them.

Zappa loads this file as the module `hooks`.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

import click

# Without it Lambda ignores which messages failed, and deletes the whole batch.
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
REPORT = "ReportBatchItemFailures"
# Zappa allows it to everybody for Function URLs, and not by the URL only.
INVOKE = "lambda:InvokeFunction"
# The longest time in seconds for Lambda to create or change a mapping, which cannot be changed meanwhile.
# https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html (ResourceInUseException)
SETTLE_SECONDS = 300


def post(cli: Any) -> None:
    """Correct the function that Zappa deployed; Zappa calls this with its command line.

    Raises:
        click.ClickException: a check failed; the deployment stays and must be repaired.
    """
    correct(cli.zappa.lambda_client, cli.lambda_name, cli.stage_config)


def correct(client: Any, name: str, settings: Mapping[str, Any]) -> None:
    """Correct the queue mapping and the policy of the function, by the settings of its stage.

    Raises:
        click.ClickException: a check failed; the deployment stays and must be repaired.
    """
    function = client.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    sources = [event.get("event_source", {}) for event in settings.get("events", [])]
    queues = {source["arn"]: source for source in sources if ":sqs:" in source.get("arn", "")}
    for mapping in _mappings(client, function):
        if _is_settled(client, mapping["UUID"]):
            source = queues.get(mapping["EventSourceArn"])
            # As in the settings, which deploy/zappa.py changed for Zappa.
            enabled = {} if source is None else {"Enabled": source.get("opened", source.get("enabled", True))}
            client.update_event_source_mapping(
                UUID=mapping["UUID"],
                FunctionResponseTypes=[REPORT],
                ScalingConfig={"MaximumConcurrency": settings["queue_concurrency"]},
                **enabled,
            )
            # Zappa ignores a refusal of its own change, so the next command must not come too early.
            _is_settled(client, mapping["UUID"])
    for statement in _statements(client, function):
        if _is_open(statement):
            client.remove_permission(FunctionName=function, StatementId=statement["Sid"])
            client.add_permission(
                FunctionName=function,
                StatementId=statement["Sid"],
                Action=INVOKE,
                Principal="*",
                InvokedViaFunctionUrl=True,
            )
    _check(client, function, set(queues))
    click.echo("Failed messages are reported one by one, and the function cannot be invoked by everybody.")


def _is_settled(client: Any, uuid: str) -> bool:
    """Wait until the mapping can be changed; return False if it was deleted."""
    until = time.monotonic() + SETTLE_SECONDS
    while True:
        try:
            state = client.get_event_source_mapping(UUID=uuid)["State"]
        except client.exceptions.ResourceNotFoundException:
            return False
        if state in ("Enabled", "Disabled"):
            return True
        if time.monotonic() > until:
            raise click.ClickException(f"The mapping of the queue is still {state}: run update again in a while")
        time.sleep(0.5)


def _mappings(client: Any, function: str) -> list[dict[str, Any]]:
    pages = client.get_paginator("list_event_source_mappings").paginate(FunctionName=function)
    return [item for page in pages for item in page["EventSourceMappings"] if ":sqs:" in item["EventSourceArn"]]


def _statements(client: Any, function: str) -> list[dict[str, Any]]:
    try:
        return json.loads(client.get_policy(FunctionName=function)["Policy"])["Statement"]
    except client.exceptions.ResourceNotFoundException:
        return []


def _is_open(statement: dict[str, Any]) -> bool:
    """Return whether the statement lets everybody invoke the function, not only by its URL."""
    everybody = statement.get("Principal") in ("*", {"AWS": "*"})
    by_url = statement.get("Condition") or statement.get("InvokedViaFunctionUrl")
    return everybody and statement.get("Action") == INVOKE and not by_url


def _check(client: Any, function: str, queues: set[str]) -> None:
    mappings = _mappings(client, function)
    if missing := queues - {mapping["EventSourceArn"] for mapping in mappings}:
        raise click.ClickException(f"The function is not fed by {', '.join(sorted(missing))}: run schedule")
    silent = [item["EventSourceArn"] for item in mappings if REPORT not in item.get("FunctionResponseTypes", [])]
    if silent:
        raise click.ClickException(f"{REPORT} is off: failed messages of {', '.join(silent)} would be lost")
    if any(_is_open(statement) for statement in _statements(client, function)):
        raise click.ClickException("Everybody may invoke the function")
