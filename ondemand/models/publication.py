"""The listing of a video: each rule is one condition of a row, for queries and for rows in memory."""

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import Case, Q, TextChoices, TextField, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from ivsvod.rest.times import zoned


class Listing(TextChoices):
    """The listings in their order of precedence: a video has the first one whose rule it breaks."""

    DUPLICATE = "duplicate", pgettext_lazy("a video", "duplicate")
    FAILED = "failed", pgettext_lazy("a video", "failed")
    RECORDING = "recording", pgettext_lazy("a video", "recording")
    HELD = "held", pgettext_lazy("a video", "held")
    HIDDEN = "hidden", pgettext_lazy("a video", "hidden")
    SCHEDULED = "scheduled", pgettext_lazy("a video", "scheduled")
    EXPIRED = "expired", pgettext_lazy("a video", "expired")
    UNLISTED = "unlisted", pgettext_lazy("a video", "unlisted")
    LISTED = "listed", pgettext_lazy("a video", "listed")


# The conditions of a listed video that do not depend on the time.
TIME_INDEPENDENT: dict[Listing, Q] = {
    Listing.DUPLICATE: Q(duplicate_of__isnull=True),
    Listing.FAILED: ~Q(status="failed"),
    Listing.RECORDING: ~Q(status="recording"),
    Listing.HELD: Q(held=False),
    Listing.HIDDEN: Q(active=True, status="available"),
}
_PUBLIC = Q(visibility="public")
# The conditions of a video that opens by its uuid, and of a listed one, without the time.
OPEN = TIME_INDEPENDENT[Listing.HELD] & TIME_INDEPENDENT[Listing.HIDDEN]
LISTED = TIME_INDEPENDENT[Listing.DUPLICATE] & OPEN & _PUBLIC
# The available videos awaiting a publication decision. The predecessor may show one, and does not know `awaits_review`.
TO_REVIEW = Q(
    Q(active=True, held=True) | Q(awaits_review=True, active=False) | Q(awaits_review=True, visibility="unlisted"),
    status="available",
    duplicate_of__isnull=True,
)


def listing_rules(at: datetime) -> dict[Listing, Q]:
    """Return the conditions of a listed video; the first that a video breaks is its listing."""
    return {
        **TIME_INDEPENDENT,
        Listing.SCHEDULED: ~Q(publish_from__gt=at),
        Listing.EXPIRED: ~Q(publish_until__lte=at),
        Listing.UNLISTED: _PUBLIC,
    }


def within_window(at: datetime) -> Q:
    """Return the condition of videos inside their publication window."""
    rules = listing_rules(at)
    return rules[Listing.SCHEDULED] & rules[Listing.EXPIRED]


def listing_expression(at: datetime) -> Case:
    """Return the expression of the listing of a row."""
    return Case(*_cases(listing_rules(at)), default=Value(Listing.LISTED.value))


def _cases(rules: dict[Listing, Q]) -> list[When]:
    return [When(~rule, then=Value(listing.value)) for listing, rule in rules.items()]


# The listing of a row without the rules of time; NULL if only the time decides.
LISTING_BY_ROW = Case(*_cases({**TIME_INDEPENDENT, Listing.UNLISTED: _PUBLIC}), output_field=TextField())
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {"": operator.eq, "gt": operator.gt, "lte": operator.le}


# Stands in a condition for the time at which it is checked.
_AT: Any = object()
_Test = Callable[[Any, datetime | None], bool]


def is_met(condition: Q, row: Any) -> bool:
    """Return whether a row in memory meets a condition, as it does in a query."""
    return _test(condition, type(row))(row, None)


def _test(condition: Q, model: Any) -> _Test:
    """Return the function that checks a condition of a row in memory at a time."""
    parts: list[Any] = condition.children
    tests = [_test(part, model) if isinstance(part, Q) else _comparison(part, model) for part in parts]
    combined, negated = all if condition.connector == Q.AND else any, condition.negated
    if len(tests) == 1:
        [only] = tests
        return (lambda row, at: not only(row, at)) if negated else only
    return lambda row, at: combined([test(row, at) for test in tests]) != negated


def _comparison(part: tuple[str, Any], model: Any) -> _Test:
    path, expected = part
    name, _, comparison = path.partition("__")
    column: str = model._meta.get_field(name).attname
    if comparison == "isnull":
        return lambda row, at: (getattr(row, column) is None) == expected
    compare = _COMPARISONS[comparison]

    def is_true(row: Any, at: datetime | None) -> bool:
        value = getattr(row, column)
        return value is not None and compare(value, at if expected is _AT else expected)

    return is_true


@cache
def _listing_tests(model: Any) -> list[tuple[Listing, _Test]]:
    # Made once: to look through the rules for each video took a third of the time of its document.
    return [(listing, _test(rule, model)) for listing, rule in listing_rules(_AT).items()]


@dataclass(frozen=True)
class ListingReasons:
    """The listing, and a sentence for each rule: the broken ones, the gravest first or, if none is broken, all."""

    listing: Listing
    sentences: tuple[str, ...]

    @property
    def is_listed(self) -> bool:
        """Return whether no rule is broken."""
        return self.listing == Listing.LISTED


def broken_rules(video: Any, at: datetime) -> Iterator[Listing]:
    """Yield the listing of each rule that a video in memory breaks; the first one is its listing."""
    return (listing for listing, is_kept in _listing_tests(video.__class__) if not is_kept(video, at))


def listing_reasons(video: Any, at: datetime) -> ListingReasons:
    """Return the listing of a video in memory, and the reasons: in the time zone and language of the reader."""
    if broken := list(broken_rules(video, at)):
        sentences = _sentences(video)
        return ListingReasons(broken[0], tuple(dict.fromkeys(filter(None, map(sentences.get, broken)))))
    begun, end = zoned(video.publish_from), zoned(video.publish_until)
    windows = {
        (True, True): _("Its publication began at {begun} and ends at {end}."),
        (True, False): _("Its publication began at {begun} and has no end."),
        (False, True): _("Its publication ends at {end}."),
        (False, False): _("Its publication has neither a beginning nor an end."),
    }
    window = windows[video.publish_from is not None, video.publish_until is not None].format(begun=begun, end=end)
    recording, shown = (
        _("Its recording is available, and no duplicate of another."),
        _("It is shown, and not held back."),
    )
    return ListingReasons(Listing.LISTED, (recording, shown, _("It is public."), window))


def _sentences(video: Any) -> dict[Listing, str]:
    """Return the sentence of each rule for a video that breaks it; empty if another rule has the sentence."""
    is_available = video.status == "available"
    # Nothing is decided at the end of a failed recording: there is nothing to show.
    undecided = "" if video.status == "failed" else _("It is decided when its recording ends whether it is shown.")
    held, hidden = undecided, undecided
    if video.status != "failed" and video.held and video.held_by_check:
        held = _("It is held back until the check of its files finds them good.")
    elif video.status != "failed" and (video.held or is_available):
        held = _("It is held back until somebody shows it.")
    if video.active is False:
        hidden = _("It is hidden.")
    elif video.active:
        hidden = "" if video.status else _("It is not known whether its recording is finished.")
    elif is_available:
        hidden = _("It is hidden: nobody has shown it yet.")
    return {
        Listing.DUPLICATE: _("It is a duplicate: another video has the same files."),
        Listing.FAILED: _("Its recording failed."),
        Listing.RECORDING: _("Its recording is not finished."),
        Listing.HELD: held,
        Listing.HIDDEN: hidden,
        Listing.SCHEDULED: _("Its publication begins at {time}.").format(time=zoned(video.publish_from)),
        Listing.EXPIRED: _("Its publication ended at {time}.").format(time=zoned(video.publish_until)),
        Listing.UNLISTED: _("It is unlisted: it opens by its address alone."),
    }
