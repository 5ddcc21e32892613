"""Limits of the content of a video, for changes alone: stored texts may be of any length."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from ondemand.models.querysets import MAX_RECORDING_DURATION

TITLE_LENGTH = 200
DESCRIPTION_LENGTH = 10_000
MOST_TAGS, TAG_LENGTH = 50, 64
MOST_METADATA, METADATA_KEY_LENGTH, METADATA_VALUE_LENGTH = 50, 64, 500
ADDRESS_LENGTH = 2000
# Recordings of a joined video.
MOST_PARTS = 20
# Milliseconds of the longest joined video.
LONGEST_MS = MOST_PARTS * (MAX_RECORDING_DURATION // timedelta(milliseconds=1))


def check_window(begin: datetime | None, end: datetime | None) -> None:
    """Raise ValidationError if a publication window ends before it begins, or at the same time."""
    if begin is not None and end is not None and end <= begin:
        raise ValidationError(gettext("Publication must end after it begins."))


def check_tags(tags: list[str]) -> None:
    """Raise ValidationError if there are too many tags, or one is too long."""
    if len(tags) > MOST_TAGS:
        raise ValidationError(gettext("More than {most} tags.").format(most=MOST_TAGS))
    if any(len(tag) > TAG_LENGTH for tag in tags):
        raise ValidationError(gettext("A tag has more than {most} characters.").format(most=TAG_LENGTH))


def thumbnail_address(text: str, pictures: Mapping[str, str]) -> str:
    """Return the URL of a thumbnail: https, or a picture of the recording by its URL or path (`Video.pictures`).

    Raises:
        ValueError: it is neither.
    """
    if not text or text in pictures.values() or text in pictures:
        return pictures.get(text, text)
    try:
        parts = urlsplit(text)
        is_safe = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        is_safe = False
    # Browsers read a backslash as a slash, and would request another host than Python parses.
    plain = text.isprintable() and not any(character.isspace() or character in "\\\"'<>" for character in text)
    if not (is_safe and plain and len(text) <= ADDRESS_LENGTH):
        raise ValueError("Neither an https URL nor a picture of this recording.")
    return text
