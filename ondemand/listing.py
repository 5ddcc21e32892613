"""Whether people find a video, in one word: as a pure decision, and the same for rows of the database."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Q, TextChoices, TextField, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from channels_app.times import zoned


class Listing(TextChoices):
    """In the order of precedence: a video shows the first that is true of it."""

    DUPLICATE = "duplicate", pgettext_lazy("a video", "duplicate")
    FAILED = "failed", pgettext_lazy("a video", "failed")
    RECORDING = "recording", pgettext_lazy("a video", "recording")
    HELD = "held", pgettext_lazy("a video", "held")
    HIDDEN = "hidden", pgettext_lazy("a video", "hidden")
    SCHEDULED = "scheduled", pgettext_lazy("a video", "scheduled")
    EXPIRED = "expired", pgettext_lazy("a video", "expired")
    UNLISTED = "unlisted", pgettext_lazy("a video", "unlisted")
    LISTED = "listed", pgettext_lazy("a video", "listed")


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


@dataclass(frozen=True)
class ListingReasons:
    """The word, and a sentence for each rule: those that hold a video back or, where none does, all that let it."""

    word: Listing
    sentences: tuple[str, ...]

    @property
    def is_listed(self) -> bool:
        """Whether the sentences say why people find it; else they say why they do not, the gravest first."""
        return self.word == Listing.LISTED


def listing_reasons(
    *,
    is_duplicate: bool,
    status: str | None,
    active: bool | None,
    held: bool | None,
    held_by_check: bool = False,
    publish_from: datetime | None,
    publish_until: datetime | None,
    visibility: str | None,
    at: datetime,
) -> ListingReasons:
    """Why people find a video or do not, as `listing_of` decides: each rule in a sentence.

    Times are in the zone of the reader, the words in the reader's language.
    """
    kept_back = (
        *_of_recording(is_duplicate, status),
        *(_of_failed(active) if status == "failed" else _of_decisions(status, active, held, held_by_check)),
        *_of_publication(publish_from, publish_until, visibility, at),
    )
    word = listing_of(
        is_duplicate=is_duplicate,
        status=status,
        active=active,
        held=held,
        publish_from=publish_from,
        publish_until=publish_until,
        visibility=visibility,
        at=at,
    )
    sentences = kept_back or (*_of_listed(), _window(publish_from, publish_until))
    return ListingReasons(word, tuple(dict.fromkeys(sentences)))


def _of_recording(is_duplicate: bool, status: str | None) -> Iterator[str]:
    if is_duplicate:
        yield _("It is a duplicate: another video has the same files.")
    if status == "failed":
        yield _("Its recording failed.")
    elif status == "recording":
        yield _("Its recording is not finished.")
    elif status != "available":
        yield _("It is not known whether its recording is finished.")


def _of_failed(active: bool | None) -> Iterator[str]:
    # Nothing is decided at its end: there is nothing to show.
    if active is False:
        yield _("It is hidden.")


def _of_decisions(status: str | None, active: bool | None, held: bool | None, held_by_check: bool) -> Iterator[str]:
    # NULL is what nobody has said yet, as is usual until a recording has ended.
    undecided = _("It is decided when its recording ends whether it is shown.")
    if held_by_check and held:
        yield _("It is held back until the check of its files finds them good.")
    elif held or (held is None and status == "available"):
        yield _("It is held back until somebody shows it.")
    elif held is None:
        yield undecided
    if active is False:
        yield _("It is hidden.")
    elif active is None:
        yield _("It is hidden: nobody has shown it yet.") if status == "available" else undecided


def _of_publication(
    publish_from: datetime | None, publish_until: datetime | None, visibility: str | None, at: datetime
) -> Iterator[str]:
    if publish_from is not None and publish_from > at:
        yield _("Its publication begins at {moment}.").format(moment=zoned(publish_from))
    if publish_until is not None and publish_until <= at:
        yield _("Its publication ended at {moment}.").format(moment=zoned(publish_until))
    if visibility != "public":
        yield _("It is unlisted: only who has its address opens it.")


def _of_listed() -> tuple[str, ...]:
    return (
        _("Its recording is available, and no duplicate of another."),
        _("It is shown, and not held back."),
        _("It is public."),
    )


def _window(publish_from: datetime | None, publish_until: datetime | None) -> str:
    if publish_from and publish_until:
        between = {"begun": zoned(publish_from), "end": zoned(publish_until)}
        return _("Its publication began at {begun} and ends at {end}.").format(**between)
    if publish_from:
        return _("Its publication began at {begun} and has no end.").format(begun=zoned(publish_from))
    if publish_until:
        return _("Its publication ends at {end}.").format(end=zoned(publish_until))
    return _("Its publication has neither a beginning nor an end.")


# What must be true of a row for the words that depend on no time, if none of the words before it fits.
_LASTING: dict[Listing, Q] = {
    Listing.DUPLICATE: Q(duplicate_of__isnull=False),
    Listing.FAILED: Q(status="failed"),
    Listing.RECORDING: Q(status="recording"),
    Listing.HELD: Q(held=True) | Q(held__isnull=True),
    Listing.HIDDEN: ~Q(active=True) | ~Q(status="available"),
}
_UNLISTED = ~Q(visibility="public")


def listing_conditions(at: datetime) -> dict[Listing, Q]:
    """What must be true of a row for each word, if none of the words before it fits."""
    return {
        **_LASTING,
        Listing.SCHEDULED: Q(publish_from__gt=at),
        Listing.EXPIRED: Q(publish_until__lte=at),
        Listing.UNLISTED: _UNLISTED,
        Listing.LISTED: within_window(at),
    }


# The word of a row where it does not depend on the time, or on nothing else any more; NULL where only the time decides.
LASTING_WORD = Case(
    *(When(condition, then=Value(word.value)) for word, condition in {**_LASTING, Listing.UNLISTED: _UNLISTED}.items()),
    output_field=TextField(),
)
LASTING = tuple(_LASTING)


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
