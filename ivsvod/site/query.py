"""The query of the page: that of the API, in the forms that an HTML form can send."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Self

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from common.rest.times import parse_time

PAGE_SIZE = 24
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_FOLDED = ("channel", "started_after", "started_before", "min_duration", "max_duration")


@dataclass(frozen=True)
class PageQuery:
    """The parameters of the page. A day means its beginning, and in `started_before` its end."""

    search: str = ""
    channel: str = ""
    tag: tuple[str, ...] = ()
    started_after: str = ""
    started_before: str = ""
    min_duration: str = ""
    max_duration: str = ""
    ordering: str = ""
    page: str = ""
    cursor: str = ""

    @classmethod
    def of(cls, parameters: QueryDict) -> Self:
        """Return the query of an address, without empty and unknown parameters."""
        texts = {name: parameters.get(name, "").strip() for name in cls.__dataclass_fields__ if name != "tag"}
        tags = dict.fromkeys(tag.strip() for tag in parameters.getlist("tag"))
        query = cls(tag=tuple(tag for tag in tags if tag), **texts)
        # A form still sends the order of a search after its text was removed.
        is_stray = query.ordering == "relevance" and not query.search
        return replace(query, ordering="") if is_stray else query

    @property
    def is_filtered(self) -> bool:
        """Return whether it selects some of the videos."""
        return bool(self.tag or self.search) or any(getattr(self, name) for name in _FOLDED)

    @property
    def has_more_filters(self) -> bool:
        """Return whether it uses a field of "More filters"."""
        return any(getattr(self, name) for name in _FOLDED)

    @property
    def is_start(self) -> bool:
        return self == type(self)()

    def for_api(self) -> dict[str, Any]:
        """Return the query of `GET /on-demand`."""
        parameters = {
            **vars(self),
            "started_after": day_start(self.started_after),
            "started_before": day_start(self.started_before, days=1),
            "page": "" if self.cursor else self.page,
        }
        return {name: value for name, value in parameters.items() if value} | {"pageSize": PAGE_SIZE}

    @property
    def of_list(self) -> Self:
        """Return the query reduced to ordering and page."""
        return type(self)(ordering=self.ordering, page=self.page, cursor=self.cursor)

    @property
    def address(self) -> str:
        """Return the address of the start page with this query."""
        return self.address_on(reverse("catalogue:start"))

    def address_on(self, path: str) -> str:
        """Return the address of the page at the path with this query."""
        parameters = {name: value for name, value in vars(self).items() if value}
        return f"{path}?{urlencode(parameters, doseq=True)}"


def day_start(text: str, days: int = 0) -> str:
    """Return the first moment of a day, or of the day `days` later, in the zone of the page; another text unchanged."""
    if not _DAY.fullmatch(text):
        return text
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
    except (ValueError, OverflowError):
        # The API refuses it, and names the parameter.
        return text
    return datetime.combine(day, time(), timezone.get_current_timezone()).isoformat()


def day_of(text: str, *, is_end: bool = False) -> str:
    """Return the day of a text for a date field; an end at midnight belongs to the day before; empty if invalid."""
    if _DAY.fullmatch(text):
        return text
    try:
        return (timezone.localtime(parse_time(text)) - timedelta(microseconds=is_end)).date().isoformat()
    except (ValueError, OverflowError):
        return ""
