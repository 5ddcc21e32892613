"""How pages write a moment."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format


def zoned(moment: datetime | None) -> str:
    """The moment to the second in the zone of the reader, with the name of that zone; a dash where there is none."""
    return date_format(timezone.localtime(moment), "Y-m-d H:i:s T") if moment else "–"  # noqa: RUF001
