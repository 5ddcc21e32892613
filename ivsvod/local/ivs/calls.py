"""What every operation is handed, and how lists are paged."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ivsvod.local.ivs.errors import invalid, not_found
from ivsvod.local.ivs.records import BEFORE_ALL, Document, Placed, Records


@dataclass(frozen=True)
class Quotas:
    """How many of a thing an account may have in a region.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/service-quotas.html
    """

    channels: int = 5000
    recording_configurations: int = 20
    playback_key_pairs: int = 3
    playback_restriction_policies: int = 20
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


Operation = Callable[[Call], Document | None]


def without(document: Document, *names: str) -> Document:
    return {name: value for name, value in document.items() if name not in names}


def batch_get(call: Call, kind: str, member: str) -> Document:
    """What exists, and an error for each ARN that does not; 200 either way."""
    found = {arn: call.records.find(kind, arn) for arn in call["arns"]}
    errors = [batch_error(arn) for arn, document in found.items() if document is None]
    return {member: [document for document in found.values() if document is not None], "errors": errors}


def batch_error(arn: str) -> Document:
    error = not_found(arn)
    return {"arn": arn, "code": error.code, "message": error.message}


def page(call: Call, member: str, select: Callable[[int, int], list[Placed]], default_size: int = 100) -> Document:
    """One page of a listing under the output member's name, with a nextToken when there is more."""
    size = call.get("maxResults", default_size)
    placed = select(_place(call), size + 1)
    reply: Document = {member: [document for _, document in placed[:size]]}
    if len(placed) > size:
        reply["nextToken"] = _token(call, placed[size - 1][0])
    return reply


def _place(call: Call) -> int:
    """Where the page begins; a token of another listing, or made up, is refused."""
    token = call.get("nextToken")
    if not token:
        return BEFORE_ALL
    try:
        place = int(base64.urlsafe_b64decode(token).split(b":")[0])
    except ValueError:
        raise invalid("Invalid nextToken") from None
    if token != _token(call, place):
        raise invalid("Invalid nextToken")
    return place


def _token(call: Call, place: int) -> str:
    asked = {name: value for name, value in call.arguments.items() if name not in ("nextToken", "maxResults")}
    listing = json.dumps([call.operation, asked, place], sort_keys=True)
    digest = hashlib.sha256(listing.encode()).hexdigest()[:32]
    return base64.urlsafe_b64encode(f"{place}:{digest}".encode()).decode()
