"""The forms in which the predecessor took a uuid: any letter case, without hyphens, in braces, as `urn:uuid:`."""

import re
from uuid import UUID

HYPHENATED = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_FORM = re.compile(rf"(?:urn:uuid:)?{HYPHENATED}|\{{{HYPHENATED}\}}|[0-9a-f]{{32}}", re.ASCII | re.IGNORECASE)


def parse_uuid(text: str) -> UUID:
    """Return the uuid of a text; raise ValueError if it is none."""
    if not _FORM.fullmatch(text):
        raise ValueError("not a uuid")
    return UUID(text.lower())


def uuid_or_none(text: str) -> UUID | None:
    """Return the uuid of a text; None if it is no uuid."""
    try:
        return parse_uuid(text)
    except ValueError:
        return None
