"""The output of commands that process events."""

import json
from collections.abc import Iterable

from django.core.management.base import OutputWrapper

from channels_app.events.inbox import Delivery


def deliveries_print(deliveries: Iterable[Delivery], stdout: OutputWrapper) -> bool:
    """Print a JSON line for each delivery; return whether one must be delivered again."""
    must_come_again = False
    for delivery in deliveries:
        stdout.write(json.dumps({"event_id": delivery.event_id, "outcome": delivery.outcome}))
        must_come_again |= delivery.must_come_again
    return must_come_again
