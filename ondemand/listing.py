"""Whether people find a video, in one word: as a pure decision, and the same for rows of the database."""

from datetime import datetime
from enum import StrEnum

from django.db.models import Case, Q, Value, When


class Listing(StrEnum):
    """In the order of precedence: a video shows the first that is true of it."""

    DUPLICATE = "duplicate"
    FAILED = "failed"
    RECORDING = "recording"
    HELD = "held"
    HIDDEN = "hidden"
    SCHEDULED = "scheduled"
    EXPIRED = "expired"
    UNLISTED = "unlisted"
    LISTED = "listed"


def listing_of(
    *,
    is_duplicate: bool,
    status: str | None,
    active: bool | None,
    held: bool | None,
    publish_from: datetime | None,
    publish_until: datetime | None,
    visibility: str | None,
    at: datetime,
) -> Listing:
    """The word for a video at a moment. Whatever is not known is taken for what hides it."""
    is_true = {
        Listing.DUPLICATE: is_duplicate,
        Listing.FAILED: status == "failed",
        Listing.RECORDING: status == "recording",
        Listing.HELD: held is not False,
        Listing.HIDDEN: not active or status != "available",
        Listing.SCHEDULED: publish_from is not None and publish_from > at,
        Listing.EXPIRED: publish_until is not None and publish_until <= at,
        Listing.UNLISTED: visibility != "public",
        Listing.LISTED: True,
    }
    return next(word for word in Listing if is_true[word])


def listing_conditions(at: datetime) -> dict[Listing, Q]:
    """What must be true of a row for each word, if none of the words before it fits."""
    return {
        Listing.DUPLICATE: Q(duplicate_of__isnull=False),
        Listing.FAILED: Q(status="failed"),
        Listing.RECORDING: Q(status="recording"),
        Listing.HELD: Q(held=True) | Q(held__isnull=True),
        Listing.HIDDEN: ~Q(active=True) | ~Q(status="available"),
        Listing.SCHEDULED: Q(publish_from__gt=at),
        Listing.EXPIRED: Q(publish_until__lte=at),
        Listing.UNLISTED: ~Q(visibility="public"),
        Listing.LISTED: within_window(at),
    }


def listing_expression(at: datetime) -> Case:
    """The word of a row."""
    conditions = listing_conditions(at)
    conditions.pop(Listing.LISTED)
    return Case(
        *(When(condition, then=Value(word.value)) for word, condition in conditions.items()),
        default=Value(Listing.LISTED.value),
    )


def within_window(at: datetime, row: str = "") -> Q:
    """Rows inside their publication window; `row` leads to the row, as in `duplicate_of__`."""
    begun = Q((f"{row}publish_from__isnull", True)) | Q((f"{row}publish_from__lte", at))
    return begun & (Q((f"{row}publish_until__isnull", True)) | Q((f"{row}publish_until__gt", at)))
