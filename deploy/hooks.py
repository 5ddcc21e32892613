"""What Zappa leaves out or leaves open, put right after each `deploy` and `update`, and looked at.

Zappa loads this file by itself, as the module `hooks`.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

import click

# Without it Lambda takes no notice of which messages failed, and deletes them all.
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
REPORT = "ReportBatchItemFailures"
# Zappa opens it to everybody, so that Function URLs work, without the condition that it be by the URL.
INVOKE = "lambda:InvokeFunction"
# Seconds that Lambda is given to make or change a mapping, during which it lets nobody change it.
# https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html (ResourceInUseException)
PATIENCE = 300


def post(cli: Any) -> None:
    """Called by Zappa with its command line.

    Raises:
        click.ClickException: something is not as it must be; the deployment stands and must be mended.
    """
    mend(cli.zappa.lambda_client, cli.lambda_name, cli.stage_config)


def mend(client: Any, name: str, settings: Mapping[str, Any]) -> None:
    """Put in order the function of this name, by the settings of its stage.

    Raises:
        click.ClickException: something is not as it must be; the deployment stands and must be mended.
    """
    function = client.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    sources = _queues(settings)
    for mapping in _mappings(client, function):
        if _is_settled(client, mapping["UUID"]):
            client.update_event_source_mapping(
                UUID=mapping["UUID"],
                FunctionResponseTypes=[REPORT],
                ScalingConfig={"MaximumConcurrency": settings["queue_concurrency"]},
                **_opened(sources.get(mapping["EventSourceArn"])),
            )
            # Zappa takes no notice where its own change is refused; the next command is not to come too early.
            _is_settled(client, mapping["UUID"])
    _narrow(client, function)
    _look(client, function, set(sources))
    click.echo("Failed messages are reported one by one, and nobody may invoke the function but by its own ways.")


def _queues(settings: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    sources = [event.get("event_source", {}) for event in settings.get("events", [])]
    return {source["arn"]: source for source in sources if ":sqs:" in source.get("arn", "")}


def _opened(source: Mapping[str, Any] | None) -> dict[str, bool]:
    """Whether the function is fed from now on: as the settings say, whatever Zappa was told (deploy/zappa.py)."""
    return {} if source is None else {"Enabled": source.get("opened", source.get("enabled", True))}


def _is_settled(client: Any, uuid: str) -> bool:
    """Wait until the mapping can be changed; false where it is gone."""
    until = time.monotonic() + PATIENCE
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


def _narrow(client: Any, function: str) -> None:
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


def _is_open(statement: dict[str, Any]) -> bool:
    """Whether anybody may invoke by it, in any way."""
    everybody = statement.get("Principal") in ("*", {"AWS": "*"})
    by_url = statement.get("Condition") or statement.get("InvokedViaFunctionUrl")
    return everybody and statement.get("Action") == INVOKE and not by_url


def _look(client: Any, function: str, queues: set[str]) -> None:
    mappings = _mappings(client, function)
    if missing := queues - {mapping["EventSourceArn"] for mapping in mappings}:
        raise click.ClickException(f"The function is not fed by {', '.join(sorted(missing))}: run schedule")
    silent = [item["EventSourceArn"] for item in mappings if REPORT not in item.get("FunctionResponseTypes", [])]
    if silent:
        raise click.ClickException(f"{REPORT} is off: failed messages of {', '.join(silent)} would be lost")
    if any(_is_open(statement) for statement in _statements(client, function)):
        raise click.ClickException("Everybody may invoke the function")
