"""`manage.py work_queue`: the events of the queue, where no Lambda takes them."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from channels_app.aws import AwsError
from channels_app.management.lines import LinesCommand
from channels_app.worker import Stop, queue_work, queue_work_once


class Command(LinesCommand):
    """Runs in a container beside the web server; any number of them at once."""

    help = "Process the messages of EVENT_QUEUE_URL until SIGTERM or Ctrl-C; waits for a database or SQS that is away."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whether to stay."""
        parser.add_argument("--once", action="store_true", help="one batch, or none where none comes")

    def handle(self, *args: Any, **options: Any) -> None:
        """A line in the log for each batch; exit 1 where the queue cannot be had at all."""
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
