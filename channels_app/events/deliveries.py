"""The texts of envelopes, as they are delivered and stored; pure."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from channels_app.envelopes import DIGEST_ID, MalformedEventError, event_id_of, load_json

# The limit of EventBridge. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
LARGEST = 256 * 1024


def envelope_texts(document: Any) -> list[str]:
    """Return the envelopes in the input of a Lambda or a file: an SQS batch, a list, or one raw envelope."""
    if isinstance(document, dict) and isinstance(document.get("Records"), list):
        bodies = [record.get("body") if isinstance(record, dict) else None for record in document["Records"]]
        # A record without a body is itself the envelope, which is refused.
        texts = zip(bodies, document["Records"], strict=True)
        return [body if isinstance(body, str) else _text_of(record) for body, record in texts]
    return [_text_of(item) for item in (document if isinstance(document, list) else [document])]


def _text_of(item: Any) -> str:
    """Return the JSON as small as EventBridge writes it; an empty text, which is refused, if it is nested too deep."""
    try:
        return json.dumps(item, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        return ""


@dataclass(frozen=True)
class Envelope:
    """A body as it is stored under its key. `document` is its JSON; None if it is not JSON, or was cut."""

    key: str
    event_id: str | None
    text: str
    document: Any = None

    @classmethod
    def of(cls, body: str) -> "Envelope":
        """Return the envelope of a body; one that is too large is cut."""
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
        """Return the key of the envelope by its text, not by its id."""
        return _digest(self.text.encode()) if self.event_id else self.key


def storable(text: str) -> str:
    """Return the text with the characters that PostgreSQL cannot store escaped as in JSON."""
    return text.replace("\0", "\\u0000").encode("utf-8", "backslashreplace").decode()


def _digest(body: bytes) -> str:
    return f"{DIGEST_ID}{hashlib.sha256(body).hexdigest()}"


def is_same_document(one: str, other: str) -> bool:
    """Return whether two texts are the same JSON document; spaces and the order of members do not matter."""
    try:
        return one == other or json.dumps(load_json(one), sort_keys=True) == json.dumps(
            load_json(other), sort_keys=True
        )
    except MalformedEventError:
        return False


def is_cut(*, key: str, text: str) -> bool:
    """Return whether the key is the digest of a longer text than the stored one."""
    return key.startswith(DIGEST_ID) and key != _digest(text.encode())
