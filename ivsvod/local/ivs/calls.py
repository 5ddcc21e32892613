"""The arguments of an operation, and the pages of a listing."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ivsvod.local.ivs.errors import invalid
from ivsvod.local.ivs.records import BEFORE_ALL, Document, Placed, Records


@dataclass(frozen=True)
class Quotas:
    """The quotas of an account in a region.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/service-quotas.html
    """

    channels: int = 5000
    recording_configurations: int = 20
    playback_key_pairs: int = 3
    stream_keys_per_channel: int = 1


@dataclass(frozen=True)
class Call:
    """One call of an operation, with arguments that passed the service model."""

    operation: str
    arguments: Document
    records: Records
    quotas: Quotas
    now: datetime

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


Operation = Callable[[Call], Document | None]


def without(document: Document, *names: str) -> Document:
    return {name: value for name, value in document.items() if name not in names}


def page(call: Call, member: str, select: Callable[[int, int], list[Placed]], default_size: int = 100) -> Document:
    """Return one page of a listing as the output member, with a nextToken if there is more.

    Raises:
        IvsError: the token of the request belongs to another listing, or is invalid.
    """
    size = call.get("maxResults", default_size)
    after, token = BEFORE_ALL, call.get("nextToken")
    if token:
        try:
            after = int(base64.urlsafe_b64decode(token).split(b":")[0])
        except ValueError:
            raise invalid("Invalid nextToken") from None
        if token != _token(call, after):
            raise invalid("Invalid nextToken")
    placed = select(after, size + 1)
    reply: Document = {member: [document for _, document in placed[:size]]}
    if len(placed) > size:
        reply["nextToken"] = _token(call, placed[size - 1][0])
    return reply


def _token(call: Call, place: int) -> str:
    listing = json.dumps([call.operation, without(call.arguments, "nextToken", "maxResults"), place], sort_keys=True)
    digest = hashlib.sha256(listing.encode()).hexdigest()[:32]
    return base64.urlsafe_b64encode(f"{place}:{digest}".encode()).decode()
