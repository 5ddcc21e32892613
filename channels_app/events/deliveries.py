"""Envelopes as texts, as they are delivered and stored; pure."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from channels_app.envelopes import DIGEST_ID, MalformedEventError, event_id_of, load_json

# What EventBridge allows. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
LARGEST = 256 * 1024


def envelope_texts(document: Any) -> list[str]:
    """Return the envelopes in the input of a Lambda or a file: an SQS batch, a list, or one raw envelope."""
    if isinstance(document, dict) and isinstance(document.get("Records"), list):
        bodies = [record.get("body") if isinstance(record, dict) else None for record in document["Records"]]
        # A record without a body is refused by its own text.
        texts = zip(bodies, document["Records"], strict=True)
        return [body if isinstance(body, str) else _text_of(record) for body, record in texts]
    documents = document if isinstance(document, list) else [document]
    return [_text_of(item) for item in documents]


def _text_of(item: Any) -> str:
    """Return the JSON without spaces, as EventBridge writes it, so that it does not grow too large here.

    Empty if it is nested deeper than Python can write: it is refused as any text that is not JSON.
    """
    try:
        return json.dumps(item, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        return ""


@dataclass(frozen=True)
class Envelope:
    """A body as it is stored under its key. `document` is its JSON; None if it is none, or was cut."""

    key: str
    event_id: str | None
    text: str
    document: Any = None

    @classmethod
    def of(cls, body: str) -> "Envelope":
        """Return the envelope; one that is too large is cut."""
        text = storable(body)
        encoded = text.encode()
        if len(encoded) > LARGEST:
            return cls(_digest(encoded), None, encoded[:LARGEST].decode(errors="ignore"))
        try:
            document = load_json(text)
        except MalformedEventError:
            document = None
        event_id = event_id_of(document)
        return cls(event_id or _digest(encoded), event_id, text, document)

    @property
    def digest(self) -> str:
        """Return the key of the envelope by its text instead of its id."""
        return _digest(self.text.encode()) if self.event_id else self.key


def storable(text: str) -> str:
    """Return the text with what PostgreSQL cannot store written as JSON would escape it."""
    return text.replace("\0", "\\u0000").encode("utf-8", "backslashreplace").decode()


def _digest(body: bytes) -> str:
    return f"{DIGEST_ID}{hashlib.sha256(body).hexdigest()}"


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
    """Return whether the key is the digest of more than the text that is stored under it."""
    return key.startswith(DIGEST_ID) and key != _digest(text.encode())
