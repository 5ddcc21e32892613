"""`manage.py work_queue`: process the event queue without a Lambda."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from channels_app.events.queue_worker import Stop, queue_work, queue_work_once
from common.aws import AwsError
from common.lines import LinesCommand


class Command(LinesCommand):
    """Process the queue in a container beside the web server; any number may run."""

    help = "Process the messages of EVENT_QUEUE_URL until SIGTERM or Ctrl-C; waits for a database or SQS that is away."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add `--once`."""
        parser.add_argument("--once", action="store_true", help="one batch, or none if none comes")

    def handle(self, *args: Any, **options: Any) -> None:
        """Log a line for each batch; exit 1 if the queue cannot be reached."""
        if not settings.EVENT_QUEUE_URL:
            raise CommandError("EVENT_QUEUE_URL is not set: the URL of the queue of events")
        stop = Stop()
        try:
            if options["once"]:
                queue_work_once(queue_url=settings.EVENT_QUEUE_URL)
            else:
                with stop.on_signals():
                    queue_work(queue_url=settings.EVENT_QUEUE_URL, stop=stop)
        except AwsError as error:
            raise CommandError(str(error)) from None
