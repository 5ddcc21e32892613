"""The clients: lazily made, with short timeouts and bounded retries."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from channels_app.aws.pacing import keep_pace

_TIMEOUTS = {"connect_timeout": 2, "read_timeout": 10}
RETRIED = Config(**_TIMEOUTS, retries={"mode": "standard", "total_max_attempts": 3})
# IVS has no idempotency token: a create that is retried blindly can leave a channel that nobody knows and all pay for.
ONCE = Config(**_TIMEOUTS, retries={"mode": "standard", "total_max_attempts": 1})


@cache
def client(service: str, config: Config) -> Any:
    """One for each service and way of retrying; of the region AWS_REGION, or else the one that botocore finds."""
    from django.conf import settings

    made = boto3.session.Session().client(service, region_name=settings.AWS_REGION or None, config=config)
    if service == "ivs":
        made.meta.events.register_first("before-send.ivs", keep_pace)
    return made
