"""Envelopes as they come and as they are stored: texts, whatever is in them; pure."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from channels_app.events import DIGEST_ID, MalformedEventError, event_id_of, load_json

# What EventBridge allows. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
LARGEST = 256 * 1024


def envelope_texts(document: Any) -> list[str]:
    """The envelopes in what a Lambda or a file holds: an SQS batch, a list, or one raw envelope."""
    if isinstance(document, dict) and isinstance(document.get("Records"), list):
        return [_body_of(record) for record in document["Records"]]
    documents = document if isinstance(document, list) else [document]
    return [_text_of(item) for item in documents]


def _text_of(item: Any) -> str:
    """As short as EventBridge writes it: what it lets through is not to grow too large here.

    Of what is nested deeper than Python can write, nothing: it is refused as any text that is not JSON.
    """
    try:
        return json.dumps(item, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        return ""


def _body_of(record: Any) -> str:
    """The body of an SQS record; of anything else its own text, which is refused."""
    body = record.get("body") if isinstance(record, dict) else None
    return body if isinstance(body, str) else _text_of(record)


@dataclass(frozen=True)
class Envelope:
    """A body as it is stored, under its key."""

    key: str
    event_id: str | None
    text: str

    @classmethod
    def of(cls, body: str) -> "Envelope":
        """The body with what PostgreSQL cannot store written as JSON would escape it."""
        text = body.replace("\0", "\\u0000").encode("utf-8", "backslashreplace").decode()
        encoded = text.encode()
        is_whole = len(encoded) <= LARGEST
        event_id = _id_in(text) if is_whole else None
        stored = text if is_whole else encoded[:LARGEST].decode(errors="ignore")
        return cls(event_id or _digest(encoded), event_id, stored)

    @property
    def digest(self) -> str:
        """The key of the envelope by its text instead of its id."""
        return _digest(self.text.encode()) if self.event_id else self.key


def _digest(body: bytes) -> str:
    return f"{DIGEST_ID}{hashlib.sha256(body).hexdigest()}"


def _id_in(text: str) -> str | None:
    try:
        return event_id_of(load_json(text))
    except MalformedEventError:
        return None


def is_same_document(one: str, other: str) -> bool:
    """Return whether two texts are the same JSON document; spaces and the order of members do not matter."""
    return one == other or _canonical(one) == _canonical(other)


def _canonical(text: str) -> str:
    """Return the document in one form; a text that is no JSON as it is."""
    try:
        return json.dumps(load_json(text), sort_keys=True)
    except MalformedEventError:
        return text


def is_cut(*, key: str, text: str) -> bool:
    """Whether the key is the digest of more than the text that is stored under it."""
    return key.startswith(DIGEST_ID) and key != _digest(text.encode())
