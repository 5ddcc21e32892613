"""The head of the list of videos: tabs with counts, the filters that are set as chips, and the form of all filters."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.views.main import ALL_VAR, ORDER_VAR, SEARCH_VAR, ChangeList
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from common.admin.pages import COUNTED
from common.sql.rows import count_shown, counts_of
from ondemand.admin.filters import ListingFilter, ReviewFilter
from ondemand.models import Video, VideoIndex
from ondemand.models.publication import Listing

REVIEW, LISTING = str(ReviewFilter.parameter_name), str(ListingFilter.parameter_name)


@dataclass(frozen=True)
class Chip:
    """A filter that is set; `names` are its parameters, and `address` is that of the list without it."""

    title: Any
    text: Any
    names: list[str]
    address: str


@dataclass(frozen=True)
class Tab:
    """A tab of the list: label, query parameters, and its rows in an order that an index serves (so that counting stops
    early).
    """

    label: Any
    query: dict[str, str]
    rows: Callable[[datetime], QuerySet[Any]]


def _listing_tab(listing: Listing) -> Tab:
    def rows(at: datetime) -> QuerySet[Any]:
        if listing == Listing.LISTED:
            return VideoIndex.objects.listed(at).in_order("newest")
        found = Video.objects.with_listing(listing, at)
        return found.order_by(F("publish_from")) if listing == Listing.SCHEDULED else found.newest_first()

    return Tab(ListingFilter.labels[listing], {LISTING: listing.value}, rows)


TABS = (
    Tab(_("All"), {}, lambda at: Video.objects.newest_first()),
    Tab(ReviewFilter.labels["yes"], {REVIEW: "yes"}, lambda at: Video.objects.to_review().newest_first()),
    *(_listing_tab(listing) for listing in ListingFilter.tabs),
)


class VideoChangeList(ChangeList):
    """The list of videos."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.title = capfirst(str(self.opts.verbose_name_plural))

    @cached_property
    def tab(self) -> Tab | None:
        """Return the tab whose filter is set; None if it is a listing that has no tab."""
        given = {name: self.params[name] for name in (REVIEW, LISTING) if name in self.params}
        if REVIEW in given:
            given = {REVIEW: given[REVIEW]}
        return next((tab for tab in TABS if tab.query == given), None)

    @cached_property
    def tabs(self) -> list[dict[str, Any]]:
        """Return the tabs with their counts. If another filter is set, only the current tab is counted."""
        is_alone = self.filter_params.keys() <= {REVIEW, LISTING, ORDER_VAR, ALL_VAR}
        at = timezone.now()
        counts = counts_of([tab.rows(at) for tab in TABS], COUNTED) if is_alone else []
        texts = [count_shown(count, COUNTED) for count in counts] or [
            self.paginator.shown_count if tab is self.tab else "" for tab in TABS
        ]
        return [
            {
                "label": tab.label,
                "address": self._address({REVIEW, LISTING}, tab.query),
                "count": text,
                "is_current": tab is self.tab,
            }
            for tab, text in zip(TABS, texts, strict=True)
        ]

    @cached_property
    def form_filters(self) -> list[Any]:
        """Return the filters of the form."""
        specs: list[Any] = self.filter_specs
        return [spec for spec in specs if spec.is_in_form]

    @property
    def hidden_fields(self) -> list[tuple[str, str]]:
        """Return the query parameters that the form sends as hidden inputs."""
        own = {name for spec in self.form_filters for name in spec.expected_parameters()}
        return [(name, value) for name, values in self.filter_params.items() if name not in own for value in values]

    @cached_property
    def chips(self) -> list[Chip]:
        """Return each filter that is set and has no tab."""
        specs: list[Any] = self.filter_specs
        of_tab = {REVIEW, *(self.tab.query if self.tab else {})}
        filters = [
            (spec.title, spec.shown, spec.expected_parameters()) for spec in specs if spec.parameter_name not in of_tab
        ]
        known = {name for spec in specs for name in spec.expected_parameters()}
        lookups = [
            (name, ", ".join(values), [name])
            for name, values in self.get_filters_params().items()
            if name not in known and name != SEARCH_VAR
        ]
        search = [(_("search"), self.query, [SEARCH_VAR])]
        return [
            Chip(title, text, names, self._address(names))
            for title, text, names in [*search, *filters, *lookups]
            if text
        ]

    @property
    def address_without_chips(self) -> str:
        return self._address(name for chip in self.chips for name in chip.names)

    def _address(self, without: Iterable[str], given: dict[str, str] | None = None) -> str:
        """Return the address of the list without some parameters. (`get_query_string` removes `qa` with `q`.)"""
        removed = set(without)
        left = {name: values for name, values in self.filter_params.items() if name not in removed}
        return "?" + urlencode(sorted({**left, **(given or {})}.items()), doseq=True)
