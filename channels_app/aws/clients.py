"""The clients: lazily made, with short timeouts and bounded retries."""

from functools import cache
from typing import Any

from channels_app.aws.pacing import keep_pace

# How often a call is tried.
RETRIED = 3
# IVS has no idempotency token: a create that is retried blindly can leave a channel that nobody knows and all pay for.
ONCE = 1


def config_of(tries: int) -> Any:
    """What botocore is told of time-outs and retries."""
    from botocore.config import Config

    return Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": tries})


@cache
def client(service: str, tries: int) -> Any:
    """One for each service and way of retrying; of the region AWS_REGION, or else the one that botocore finds.

    boto3 is loaded here: most reads and some events ask nothing of AWS.
    """
    import boto3
    from django.conf import settings

    region = settings.AWS_REGION or None
    made = boto3.session.Session().client(service, region_name=region, config=config_of(tries))
    if service == "ivs":
        made.meta.events.register_first("before-send.ivs", keep_pace)
        if settings.IVS_FORWARDER:
            from channels_app.aws.forwarding import forward

            made.meta.events.register("before-send.ivs", forward)
    return made
