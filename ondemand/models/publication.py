"""The listing of a video: each rule is one condition of a row, for queries and for rows in memory."""

import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from django.db.models import Case, Q, TextChoices, TextField, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from common.rest.times import zoned


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
    # A part of a joined video counts as a duplicate: the other video shows it.
    Listing.DUPLICATE: Q(duplicate_of__isnull=True, part_of__isnull=True),
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
    part_of__isnull=True,
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


class Rule(NamedTuple):
    """A rule as a video meets it: its name is the result of breaking it."""

    name: TextChoices
    is_kept: bool
    sentence: str


@dataclass(frozen=True)
class Reasons:
    """A result with all of its rules, the gravest first: the first broken one names it."""

    result: TextChoices
    rules: tuple[Rule, ...]

    @property
    def is_kept(self) -> bool:
        """Return whether no rule is broken."""
        return all(rule.is_kept for rule in self.rules)

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return the sentences of the broken rules or, if none is broken, of all; each once."""
        shown = [rule for rule in self.rules if not rule.is_kept] or self.rules
        return tuple(dict.fromkeys(rule.sentence for rule in shown))

    @property
    def sentence(self) -> str:
        """Return these sentences as one text."""
        return " ".join(self.sentences)


def reasons_of(best: TextChoices, rules: Iterable[Rule]) -> Reasons:
    """Return the result of the rules, which is `best` if none is broken."""
    rules = tuple(rules)
    return Reasons(next((rule.name for rule in rules if not rule.is_kept), best), rules)


def broken_rules(video: Any, at: datetime) -> Iterator[Listing]:
    """Yield the listing of each rule that a video in memory breaks; the first one is its listing."""
    return (listing for listing, is_kept in _listing_tests(video.__class__) if not is_kept(video, at))


def opens(video: Any, at: datetime) -> bool:
    """Return whether anyone may open a video in memory by its uuid, as `VideoQuerySet.reachable` in a query."""
    open_now = OPEN & within_window(at)
    rows = [video]
    if video.duplicate_of_id is not None:
        rows.append(video.duplicate_of)
    if video.part_of_id is not None:
        rows.append(video.part_of)
    return all(row is not None and is_met(open_now, row) for row in rows)


def listing_reasons(video: Any, at: datetime) -> Reasons:
    """Return the listing of a video in memory, and its rules: in the time zone and language of the reader."""
    broken = set(broken_rules(video, at))
    sentences = {**_kept_sentences(video), **{rule: text for rule, text in _sentences(video).items() if rule in broken}}
    return reasons_of(Listing.LISTED, (Rule(rule, rule not in broken, text) for rule, text in sentences.items()))


def _kept_sentences(video: Any) -> dict[Listing, str]:
    """Return the sentence of each rule, in their order, for a video that keeps it."""
    available = _("Its recording is available.") if video.status == "available" else ""
    begin, end = _("Its publication has no beginning."), _("Its publication has no end.")
    if video.publish_from is not None:
        begin = _("Its publication began at {time}.").format(time=zoned(video.publish_from))
    if video.publish_until is not None:
        end = _("Its publication ends at {time}.").format(time=zoned(video.publish_until))
    return {
        Listing.DUPLICATE: _("It is no duplicate of another."),
        Listing.FAILED: available or _("Its recording has not failed."),
        Listing.RECORDING: available or _("Its recording is not going on."),
        Listing.HELD: _("It is not held back."),
        Listing.HIDDEN: _("It is shown."),
        Listing.SCHEDULED: begin,
        Listing.EXPIRED: end,
        Listing.UNLISTED: _("It is public."),
    }


def _sentences(video: Any) -> dict[Listing, str]:
    """Return the sentence of each rule for a video that breaks it; two rules may have the same one."""
    is_available, is_failed = video.status == "available", video.status == "failed"
    failed, recording = _("Its recording failed."), _("Its recording is not finished.")
    # Nothing is decided at the end of a failed recording: there is nothing to show.
    undecided = failed if is_failed else _("It is decided when its recording ends whether it is shown.")
    held, hidden = undecided, undecided
    if not is_failed and video.held and video.held_by_check:
        held = _("It is held back until the check of its files finds them good.")
    elif not is_failed and (video.held or is_available):
        held = _("It is held back until somebody shows it.")
    if video.active is False:
        hidden = _("It is hidden.")
    elif video.active:
        unknown = _("It is not known whether its recording is finished.")
        hidden = {"failed": failed, "recording": recording}.get(video.status, unknown)
    elif is_available:
        hidden = _("It is hidden: nobody has shown it yet.")
    return {
        Listing.DUPLICATE: _("It is part of another video.")
        if video.part_of_id is not None
        else _("It is a duplicate: another video has the same files."),
        Listing.FAILED: failed,
        Listing.RECORDING: recording,
        Listing.HELD: held,
        Listing.HIDDEN: hidden,
        Listing.SCHEDULED: _("Its publication begins at {time}.").format(time=zoned(video.publish_from)),
        Listing.EXPIRED: _("Its publication ended at {time}.").format(time=zoned(video.publish_until)),
        Listing.UNLISTED: _("It is unlisted: it opens by its address alone."),
    }
