"""The arguments of an operation, and the pages of a listing."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tools.local.ivs.errors import invalid, quota_exceeded
from tools.local.ivs.store import Document, Records


@dataclass(frozen=True)
class Call:
    """One call of an operation, with arguments that passed the service model."""

    operation: str
    arguments: Document
    records: Records
    quotas: dict[str, int]

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self.arguments.get(name, default)

    def tags(self) -> dict[str, str]:
        """Return the tags of the request; AWS keeps keys that begin with ``aws:`` for itself."""
        tags: dict[str, str] = self.get("tags", {})
        reserved = next((key for key in tags if key.lower().startswith("aws:")), None)
        if reserved is not None:
            raise invalid(f"Tag keys may not begin with aws: {reserved}")
        return tags

    def insert(self, kind: str, document: Document) -> None:
        """Store a new resource.

        Raises:
            IvsError: the account has as many of its kind as it may have.
        """
        if self.records.count(kind) >= self.quotas[kind]:
            raise quota_exceeded(f"{kind}s", self.quotas[kind])
        self.records.insert(kind, document)


Operation = Callable[[Call], Document | None]


def without(document: Document, *names: str) -> Document:
    return {name: value for name, value in document.items() if name not in names}


def page(
    call: Call,
    member: str,
    rows: Sequence[tuple[Any, Any]],
    show: Callable[[Any], Document],
    *,
    default_size: int = 100,
) -> Document:
    """Return one page of the rows as the output member, with a nextToken if there are more.

    Each row comes with its place, in rising order: a JSON value. The next page begins after the last place.

    Raises:
        IvsError: the token of the request belongs to another listing, or is invalid.
    """
    listing = [call.operation, without(call.arguments, "nextToken", "maxResults")]
    if token := call.get("nextToken"):
        try:
            of, after = json.loads(base64.urlsafe_b64decode(token))
        except (ValueError, TypeError):
            of = None
        if of != listing:
            raise invalid("Invalid nextToken")
        rows = [row for row in rows if row[0] > after]
    size = call.get("maxResults", default_size)
    reply: Document = {member: [show(row) for _, row in rows[:size]]}
    if len(rows) > size:
        reply["nextToken"] = base64.urlsafe_b64encode(json.dumps([listing, rows[size - 1][0]]).encode()).decode()
    return reply
