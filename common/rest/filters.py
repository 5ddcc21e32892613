"""Strict filters of lists: a misspelt filter is a 400, not a list of everything."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from fnmatch import translate
from functools import cache
from math import ceil, floor
from typing import Any
from uuid import UUID

import django_filters
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.exceptions import ValidationError as FormError
from django.http import QueryDict
from rest_framework import serializers

from common.rest.fields import UUID_SCHEMA, is_storable, unknown_names
from common.rest.times import parse_time
from common.rest.uuids import parse_uuid

_DECIMAL = re.compile(r"\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?", re.ASCII)
# PostgreSQL's bigint holds no more milliseconds.
_LONGEST = Decimal(2**62) / 1000
LONGEST_TEXT = 5000


class StrictFilter(ABC, django_filters.Filter):
    """The base of the filters by one value: its text is read by `read`, which raises FormError if it is malformed.

    `schema` is its JSON schema, and `help_text` its description, in `openapi.json`. A caller needs its `scope`, if any.
    """

    schema: dict[str, Any]

    def __init__(self, *args: Any, scope: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        self.scope = scope

    def value_in(self, query: QueryDict, name: str) -> Any:
        """Return the value of the parameter; None if it is absent. One that is given is never taken for absent."""
        text = query.get(name)
        return None if text is None else self.read(text)

    @abstractmethod
    def read(self, text: str) -> Any:
        """Return the value of the text."""


class TextFilter(StrictFilter):
    """Filter by an exact text."""

    shortest = 1
    schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT}

    def read(self, text: str) -> str:
        if not self.shortest <= len(text) <= LONGEST_TEXT:
            raise FormError(f"Not a text of {self.shortest} to {LONGEST_TEXT} characters.")
        if not is_storable(text):
            raise FormError("Holds characters that cannot be stored.")
        return text


class EachTextFilter(TextFilter):
    """Filter by a text that may be given several times; the method gets a list of all of them."""

    is_repeatable = True
    schema = {"type": "array", "items": TextFilter.schema}

    def value_in(self, query: QueryDict, name: str) -> list[str] | None:
        """Return all texts of the parameter; None if it is absent."""
        return list(map(self.read, query.getlist(name))) or None


class UUIDFilter(StrictFilter):
    """Filter by a uuid in any of the forms that the predecessor took."""

    schema = UUID_SCHEMA

    def read(self, text: str) -> UUID:
        try:
            return parse_uuid(text)
        except ValueError:
            raise FormError("Not a uuid.") from None


class TimeFilter(StrictFilter):
    """Filter by a time of RFC 3339, which names its zone."""

    schema = {"type": "string", "format": "date-time"}

    def read(self, text: str) -> datetime:
        try:
            return parse_time(text)
        except ValueError:
            raise FormError("Not a time of RFC 3339 with its zone (a + is written %2B).") from None


class SecondsFilter(StrictFilter):
    """Filter a column of milliseconds by a length of time in seconds from 0, with decimals."""

    schema = {"type": "number", "minimum": 0}

    def read(self, text: str) -> int:
        """Return the milliseconds, rounded so that no shorter or longer row matches; at most a bigint."""
        if not _DECIMAL.fullmatch(text):
            raise FormError("Not a number of seconds.")
        milliseconds = min(Decimal(text), _LONGEST) * 1000
        return ceil(milliseconds) if self.lookup_expr == "gte" else floor(milliseconds)


class ChoiceFilter(StrictFilter):
    """Filter by one of a few texts, the `choices`."""

    def __init__(self, *args: Any, choices: Iterable[str], **options: Any) -> None:
        super().__init__(*args, **options)
        self.choices = [str(choice) for choice in choices]
        self.schema = {"type": "string", "enum": self.choices}

    def read(self, text: str) -> str:
        if text not in self.choices:
            raise FormError(f"Not one of {', '.join(self.choices)}.")
        return text


class BooleanFilter(StrictFilter):
    """Filter by `true` or `false`."""

    schema = {"type": "boolean"}

    def read(self, text: str) -> bool:
        if text not in {"true", "false"}:
            raise FormError("Not true or false.")
        return text == "true"


class StrictFilterSet(django_filters.FilterSet):
    """Base of filter sets. A filter without a description, or one that nothing would apply, is an error at start.

    Each filter reads its parameter. django-filter would copy all filters for each request, and make, copy and clean a
    form of them: 4,000 function calls.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name, each in cls.declared_filters.items():
            if not each.extra.get("help_text"):
                raise ImproperlyConfigured(f"The filter {name} of {cls.__name__} has no help_text")
            if not cls.applies(each):
                raise ImproperlyConfigured(f"No query uses the filter {name} of {cls.__name__}: {each.field_name}")

    @classmethod
    def applies(cls, each: django_filters.Filter) -> bool:
        """Return whether the set applies the filter; by default Django filters by its `field_name` or its `method`."""
        return True

    def __init__(self, data: QueryDict, *, queryset: Any) -> None:
        self.data, self.queryset = data, queryset
        self.filters = self.base_filters
        self.values: dict[str, Any] = {}
        self.faults: dict[str, list[str]] = {}

    def clean(self) -> None:
        """Read the `values` of all filters; `faults` has the messages of malformed ones."""
        for name, each in self.filters.items():
            try:
                self.values[name] = each.value_in(self.data, name)
            except FormError as error:
                self.faults[name] = error.messages

    def is_valid(self) -> bool:
        """Return whether no parameter is malformed."""
        self.clean()
        return not self.faults

    @property
    def qs(self) -> Any:
        """Return the rows that match all filters; the set must be valid."""
        return self.filter_queryset(self.queryset)

    def filter_queryset(self, queryset: Any) -> Any:
        """Return the rows that match all filters."""
        for name, value in self.values.items():
            queryset = self.filters[name].filter(queryset, value)
        return queryset

    @classmethod
    def takes(cls, name: str) -> bool:
        """Return whether a parameter of this name is a filter."""
        return name in cls.base_filters

    @classmethod
    def refuse_unknown(cls, query: QueryDict, paging: Iterable[str]) -> None:
        """Raise ValidationError for parameters that are no filter and not of `paging`, or are given more than once."""
        given = [(name, values) for name, values in query.lists() if not is_ignored(name)]
        unknown = [name for name, _ in given if name not in paging and not cls.takes(name)]
        wrong = unknown_names("parameter", unknown, [*cls.base_filters, *paging])
        for name, values in given:
            is_repeatable = name in {"page", "pageSize"} or getattr(cls.base_filters.get(name), "is_repeatable", False)
            if len(values) > 1 and not is_repeatable:
                wrong.setdefault(name, ["Given more than once."])
        if wrong:
            raise serializers.ValidationError(wrong)


def is_ignored(name: str) -> bool:
    """Return whether API_IGNORED_PARAMETERS names the parameter, such as those that advertisers put into links."""
    return bool(_ignored(tuple(settings.API_IGNORED_PARAMETERS)).fullmatch(name))


@cache
def _ignored(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, patterns)) or "(?!)")
