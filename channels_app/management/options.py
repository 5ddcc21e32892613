"""Options that several commands take."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from channels_app.times import parse_moment
from channels_app.uuids import parse_uuid

_LARGEST_LIMIT = 10**9


def limit_add(parser: ArgumentParser) -> None:
    """`--limit N`: how many at most; all without it."""
    parser.add_argument("--limit", type=int, metavar="N")


def limit_of(options: dict[str, Any]) -> int | None:
    """The value of `--limit`.

    Raises:
        CommandError: it is less than 1, or more than a database counts.
    """
    limit: int | None = options["limit"]
    if limit is not None and not 1 <= limit <= _LARGEST_LIMIT:
        raise CommandError(f"--limit takes a number from 1 to {_LARGEST_LIMIT}")
    return limit


def uuid_value(text: str) -> UUID:
    """The `type` of an option that takes a uuid.

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        return parse_uuid(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def moment_value(text: str) -> datetime:
    """The `type` of an option that takes a date, which begins in UTC, or a time of RFC 3339.

    Raises:
        ArgumentTypeError: it is neither.
    """
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC) if len(text) == 10 else parse_moment(text)
    except ValueError:
        raise ArgumentTypeError("neither a date nor a time of RFC 3339") from None
