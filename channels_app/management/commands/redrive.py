"""`manage.py redrive`: the messages of the dead-letter queue, once more."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from channels_app.aws import AwsError
from channels_app.management.lines import LinesCommand
from channels_app.management.options import limit_add, limit_of
from channels_app.messages import Taken
from channels_app.redrive import queue_redrive


class Command(LinesCommand):
    """Brings back what the queue gave up, when its cause is mended."""

    help = "Process the messages of the dead-letter queue again; what still fails stays there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How many."""
        limit_add(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """One JSON line for each message; exit 1 when one must stay."""
        if not settings.DEAD_LETTER_QUEUE_URL:
            raise CommandError("DEAD_LETTER_QUEUE_URL is not set: the URL of the dead-letter queue")
        must_stay = False
        try:
            for taken in queue_redrive(queue_url=settings.DEAD_LETTER_QUEUE_URL, limit=limit_of(options)):
                self.stdout.write(_line(taken))
                must_stay |= taken.delivery.must_come_again
        except AwsError as error:
            raise CommandError(str(error)) from None
        if must_stay:
            sys.exit(1)


def _line(taken: Taken) -> str:
    delivery = taken.delivery
    told = {"event_id": delivery.event_id, "outcome": delivery.outcome, "reason": delivery.reason}
    return json.dumps({"message_id": taken.message_id, **told})
