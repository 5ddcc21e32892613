"""`manage.py ingest_events`: envelopes from a file, through the very code that the Lambda runs."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from channels_app.inbox import envelope_texts, ingest


class Command(BaseCommand):
    """Feeds envelopes to the inbox and prints what became of each."""

    help = "Feed EventBridge envelopes (a JSON array, one a line, or an SQS batch) to the inbox; - is standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file."""
        parser.add_argument("file", nargs="?", default="-", metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        """One JSON line for each item, in input order; exit 1 when one was refused or failed."""
        must_come_again = False
        for delivery in ingest(texts_in(_content(options["file"]))):
            self.stdout.write(json.dumps({"event_id": delivery.event_id, "outcome": delivery.outcome}))
            must_come_again |= delivery.must_come_again
        if must_come_again:
            sys.exit(1)


def texts_in(content: str) -> list[str]:
    """The envelopes of a file: of one document, or of one a line."""
    try:
        # NaN and the like pass here: the item that holds them is refused, and its neighbours are not.
        document = json.loads(content)
    except (ValueError, RecursionError):
        # Not splitlines: JSON texts may hold U+2028 and its kin as they are.
        return [line for line in content.split("\n") if line.strip()]
    one = isinstance(document, dict) and "Records" not in document
    return [content.strip()] if one else envelope_texts(document)


def _content(name: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}") from None
    return raw.decode("utf-8-sig", "replace")
