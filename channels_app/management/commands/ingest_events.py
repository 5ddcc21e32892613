"""`manage.py ingest_events`: envelopes from a file, through the very code that the Lambda runs."""

import json
import re
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from channels_app.envelopes import envelope_texts
from channels_app.inbox import ingest
from channels_app.management.lines import LinesCommand

# Brackets and commas, and whole texts, in which they mean nothing.
_MARK = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)


class Command(LinesCommand):
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
    """The envelopes of a file: of one document, or of one a line. One that is hostile must not take others with it."""
    items = array_items(content)
    if items is not None:
        return items
    try:
        # NaN and the like pass here: the item that holds them is refused, and its neighbours are not.
        document = json.loads(content)
    except (ValueError, RecursionError):
        # Not splitlines: JSON texts may hold U+2028 and its kin as they are.
        return [line for line in content.split("\n") if line.strip()]
    one = isinstance(document, dict) and "Records" not in document
    return [content.strip()] if one else envelope_texts(document)


def array_items(content: str) -> list[str] | None:
    """The items of a JSON array as they stand in it, whatever they hold; None where the text is no array."""
    text = content.strip()
    if not (text.startswith("[") and text.endswith("]")):
        return None
    items, depth, begin = [], 0, 1
    for mark in _MARK.finditer(text, 1, len(text) - 1):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(mark[0], 0)
        if depth < 0:
            return None
        if depth == 0 and mark[0] == ",":
            items.append(text[begin : mark.start()])
            begin = mark.end()
    last = text[begin:-1]
    if depth or (items and not all(item.strip() for item in [*items, last])):
        return None
    return [item.strip() for item in [*items, last] if item.strip()]


def _content(name: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}") from None
    return raw.decode("utf-8-sig", "replace")
