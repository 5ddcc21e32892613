"""The name of a video on pages. No database access, because the catalogue may only use the public API."""

from datetime import datetime

from django.utils.translation import gettext as _

from common.rest.times import zoned


def name_shown(title: str, channel: str | None, started_at: datetime | None) -> str:
    """Return the title; else the channel and its start in the zone of the reader, else a plain text; on one line.

    `channel` is empty or None if there is none, or if the reader may not see its name.
    """
    start = zoned(started_at, is_short=True) if started_at else ""
    unnamed = ", ".join(text for text in (" ".join((channel or "").split()), start) if text)
    return " ".join(title.split()) or unnamed or _("A recording without a title")
