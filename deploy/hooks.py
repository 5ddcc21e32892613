"""What Zappa leaves out or leaves open, put right after each `deploy` and `update`, and looked at.

Zappa loads this file by itself, as the module `hooks`.
"""

import json
from typing import Any

import click

# Without it Lambda takes no notice of which messages failed, and deletes them all.
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
REPORT = "ReportBatchItemFailures"
# Zappa opens it to everybody, so that Function URLs work, without the condition that it be by the URL.
INVOKE = "lambda:InvokeFunction"


def post(cli: Any) -> None:
    """Called by Zappa with its command line.

    Raises:
        click.ClickException: something is not as it must be; the deployment stands and must be mended.
    """
    client, function = cli.zappa.lambda_client, _arn(cli)
    mappings = _mappings(client, function)
    for mapping in mappings:
        client.update_event_source_mapping(
            UUID=mapping["UUID"],
            FunctionResponseTypes=[REPORT],
            ScalingConfig={"MaximumConcurrency": cli.stage_config["queue_concurrency"]},
        )
    _narrow(client, function)
    _look(client, function, _queues(cli))
    click.echo("Failed messages are reported one by one, and nobody may invoke the function but by its own ways.")


def _arn(cli: Any) -> str:
    return cli.zappa.lambda_client.get_function(FunctionName=cli.lambda_name)["Configuration"]["FunctionArn"]


def _queues(cli: Any) -> set[str]:
    arns = {event.get("event_source", {}).get("arn", "") for event in cli.stage_config.get("events", [])}
    return {arn for arn in arns if ":sqs:" in arn}


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
        raise click.ClickException(f"The function is not fed by {', '.join(sorted(missing))}: run zappa schedule")
    silent = [item["EventSourceArn"] for item in mappings if REPORT not in item.get("FunctionResponseTypes", [])]
    if silent:
        raise click.ClickException(f"{REPORT} is off: failed messages of {', '.join(silent)} would be lost")
    if any(_is_open(statement) for statement in _statements(client, function)):
        raise click.ClickException("Everybody may invoke the function")
