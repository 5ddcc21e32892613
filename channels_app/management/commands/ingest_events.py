"""`manage.py ingest_events`: bring envelopes from a file to the inbox, by the code that the Lambda runs."""

import json
import re
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from channels_app.events.deliveries import envelope_texts
from channels_app.events.inbox import ingest
from channels_app.management.deliveries import deliveries_print
from common.lines import LinesCommand

# Brackets and commas, and whole strings, in which they have no meaning.
_MARK = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)


class Command(LinesCommand):
    """Bring envelopes to the inbox and print the outcome of each."""

    help = "Feed EventBridge envelopes (a JSON array, one a line, or an SQS batch) to the inbox; - is standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the file."""
        parser.add_argument("file", nargs="?", default="-", metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one JSON line for each item, in input order; exit 1 if one was refused or failed."""
        name = options["file"]
        try:
            content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        except OSError as error:
            raise CommandError(f"{name}: {error.strerror}") from None
        if deliveries_print(ingest(texts_in(content.decode("utf-8-sig", "replace"))), self.stdout):
            sys.exit(1)


def texts_in(content: str) -> list[str]:
    """Return the envelopes of a file with one document, or one a line. A malformed one must not affect the others."""
    items = array_items(content)
    if items is not None:
        return items
    try:
        # NaN and the like pass here: later only the item that holds them is refused.
        document = json.loads(content)
    except (ValueError, RecursionError):
        # Not splitlines: JSON strings may hold U+2028 and other separators unescaped.
        return [line for line in content.split("\n") if line.strip()]
    one = isinstance(document, dict) and "Records" not in document
    return [content.strip()] if one else envelope_texts(document)


def array_items(content: str) -> list[str] | None:
    """Return the texts of the items of a JSON array, which need not be valid; None if the text is not an array."""
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
