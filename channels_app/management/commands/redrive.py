"""`manage.py redrive`: process the messages of the dead-letter queue again."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from channels_app.events.messages import queue_redrive
from common.aws import AwsError
from common.lines import LinesCommand, limit_add, limit_of


class Command(LinesCommand):
    """Process the dead letters again, after their cause is solved."""

    help = "Process the messages of the dead-letter queue again; what still fails stays there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add `--limit`."""
        limit_add(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one JSON line for each message; exit 1 if one must stay."""
        if not settings.DEAD_LETTER_QUEUE_URL:
            raise CommandError("DEAD_LETTER_QUEUE_URL is not set: the URL of the dead-letter queue")
        must_stay = False
        try:
            for taken in queue_redrive(queue_url=settings.DEAD_LETTER_QUEUE_URL, limit=limit_of(options)):
                delivery = taken.delivery
                line = {"message_id": taken.message_id, "event_id": delivery.event_id, "outcome": delivery.outcome}
                self.stdout.write(json.dumps({**line, "reason": delivery.reason}))
                must_stay |= delivery.must_come_again
        except AwsError as error:
            raise CommandError(str(error)) from None
        if must_stay:
            sys.exit(1)
