"""What a visitor asks for: the query of the page, which is that of the API in forms that a browser's form can send."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Self

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from channels_app.times import parse_moment

PAGE_SIZE = 24
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_FOLDED = ("channel", "started_after", "started_before", "min_duration", "max_duration")
_FILTERS = ("search", *_FOLDED)


@dataclass(frozen=True)
class PageQuery:
    """The parameters of the page. A day stands for its beginning, and as the end of a time for its own end."""

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
    def of(cls, given: QueryDict) -> Self:
        """What the address holds; empty fields of a form and names that mean nothing here are left out."""
        texts = {name: given.get(name, "").strip() for name in cls.__dataclass_fields__ if name != "tag"}
        tags = dict.fromkeys(tag.strip() for tag in given.getlist("tag"))
        query = cls(tag=tuple(tag for tag in tags if tag), **texts)
        # A form goes on sending the order of a search when there is none any more.
        is_stray = query.ordering == "relevance" and not query.search
        return replace(query, ordering="") if is_stray else query

    @property
    def is_filtered(self) -> bool:
        """Whether it asks for some of the videos alone."""
        return bool(self.tag) or any(getattr(self, name) for name in _FILTERS)

    @property
    def has_more_filters(self) -> bool:
        """Whether it uses a field that is folded away until then."""
        return bool(self.ordering) or any(getattr(self, name) for name in _FOLDED)

    @property
    def is_start(self) -> bool:
        """Whether it is the page as one finds it."""
        return self == type(self)()

    def for_api(self) -> dict[str, Any]:
        """The query of `GET /on-demand`."""
        texts = {
            **{name: value for name, value in vars(self).items() if value},
            "started_after": moment_of(self.started_after),
            "started_before": moment_of(self.started_before, days=1),
        }
        if self.cursor:
            texts.pop("page", None)
        return {**{name: value for name, value in texts.items() if value}, "pageSize": PAGE_SIZE}

    @property
    def address(self) -> str:
        """The page that it asks for."""
        given = {name: value for name, value in vars(self).items() if value}
        return f"{reverse('catalogue:start')}?{urlencode(given, doseq=True)}"

    def at_page(self, page: int) -> Self:
        """The same list at another page."""
        return replace(self, cursor="", page=str(page) if page > 1 else "")

    def after(self, cursor: str) -> Self:
        """What follows a page of the list."""
        return replace(self, cursor=cursor, page="")


def moment_of(text: str, days: int = 0) -> str:
    """A day as its first moment in the zone of the page, or that of so many days later; all else as it is."""
    if not _DAY.fullmatch(text):
        return text
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
    except (ValueError, OverflowError):
        # The API refuses it, by the name of the parameter.
        return text
    return datetime.combine(day, time(), timezone.get_current_timezone()).isoformat()


def day_of(text: str, *, is_end: bool = False) -> str:
    """What a field for days shows: the day itself, or that of a moment; a moment at midnight ends the day before."""
    if _DAY.fullmatch(text):
        return text
    try:
        moment = timezone.localtime(parse_moment(text))
        return (moment - timedelta(microseconds=is_end)).date().isoformat()
    except (ValueError, OverflowError):
        return ""
