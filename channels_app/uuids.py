"""The forms in which the predecessor took a uuid: any letter case, without hyphens, in braces, as `urn:uuid:`."""

import re
from uuid import UUID

_HYPHENATED = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_FORM = re.compile(rf"(?:urn:uuid:)?{_HYPHENATED}|\{{{_HYPHENATED}\}}|[0-9a-f]{{32}}", re.ASCII | re.IGNORECASE)


def parse_uuid(text: str) -> UUID:
    """The uuid that the text spells.

    Raises:
        ValueError: it spells none.
    """
    if not _FORM.fullmatch(text):
        raise ValueError("not a uuid")
    return UUID(text.lower())
