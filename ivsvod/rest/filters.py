"""Strict filters of lists: a misspelt filter is a 400, not a list of everything."""

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any
from uuid import UUID

import django_filters
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError as FormError
from django.http import QueryDict
from rest_framework import serializers

from ivsvod.rest.fields import unknown_names
from ivsvod.rest.times import parse_time
from ivsvod.rest.uuids import parse_uuid

_DECIMAL = re.compile(r"\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?", re.ASCII)
# PostgreSQL's bigint holds no more milliseconds.
_LONGEST = Decimal(2**62) / 1000
LONGEST_TEXT = 5000


class StrictField(forms.Field):
    """A parameter of a query. One that is given is never taken for absent."""

    shortest = 1

    def to_python(self, value: Any) -> Any:
        """Return the value, read by `read`; None if the parameter is absent."""
        return None if value is None else self.read(value)

    def read(self, text: str) -> Any:
        """Return the value of the text; here the text itself, if a column can hold it.

        Raises:
            ValidationError: malformed; here too short, very long, or with a character that cannot be stored.
        """
        if not self.shortest <= len(text) <= LONGEST_TEXT:
            raise FormError(f"Not a text of {self.shortest} to {LONGEST_TEXT} characters.")
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise FormError("Holds characters that cannot be stored.")
        return text


class StrictValueField(StrictField):
    """A text that may be empty."""

    shortest = 0


class StrictEachField(StrictField):
    """A text that may be given several times."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[Any]:
        """Return all texts."""
        return [self.read(text) for text in value or []]


class StrictUUIDField(StrictField):
    """A uuid in any of the forms that the predecessor took."""

    def read(self, text: str) -> UUID:
        """Return the uuid."""
        try:
            return parse_uuid(text)
        except ValueError:
            raise FormError("Not a uuid.") from None


class StrictTimeField(StrictField):
    """A time of RFC 3339, which names its zone."""

    def read(self, text: str) -> datetime:
        """Return the time in UTC."""
        try:
            return parse_time(text)
        except ValueError:
            raise FormError("Not a time of RFC 3339 with its zone (a + is written %2B).") from None


class StrictSecondsField(StrictField):
    """A length of time in seconds from 0, with decimals."""

    def read(self, text: str) -> Decimal:
        """Return the seconds, at most those whose milliseconds fit into a bigint."""
        if not _DECIMAL.fullmatch(text):
            raise FormError("Not a number of seconds.")
        return min(Decimal(text), _LONGEST)


class StrictChoiceField(StrictField):
    """One of a few texts."""

    def __init__(self, *, choices: Iterable[str], **options: Any) -> None:
        super().__init__(**options)
        self.choices = [str(choice) for choice in choices]

    def read(self, text: str) -> str:
        """Return the choice."""
        if text not in self.choices:
            raise FormError(f"Not one of {', '.join(self.choices)}.")
        return text


class StrictTrueFalseField(StrictField):
    """`true` or `false`."""

    def read(self, text: str) -> bool:
        """Return whether it is `true`."""
        if text not in {"true", "false"}:
            raise FormError("Not true or false.")
        return text == "true"


class TextFilter(django_filters.CharFilter):
    """Filter by an exact text."""

    field_class = StrictField


class EachTextFilter(django_filters.Filter):
    """Filter by a text that may be given several times; the method gets a list of all of them."""

    field_class = StrictEachField
    is_repeatable = True


class UUIDFilter(django_filters.UUIDFilter):
    """Filter by a uuid in any of the forms that the predecessor took."""

    field_class = StrictUUIDField


class TimeFilter(django_filters.IsoDateTimeFilter):
    """Filter by a time of RFC 3339."""

    field_class = StrictTimeField


class SecondsFilter(django_filters.NumberFilter):
    """Filter by a length of time in seconds, decimals included."""

    field_class = StrictSecondsField


class ChoiceFilter(django_filters.Filter):
    """Filter by one of a few texts, the `choices`."""

    field_class = StrictChoiceField


class BooleanFilter(django_filters.BooleanFilter):
    """Filter by `true` or `false`."""

    field_class = StrictTrueFalseField


class StrictFilterSet(django_filters.FilterSet):
    """Base of filter sets. `scopes` names the scope that a caller needs for a filter."""

    scopes: dict[str, str] = {}

    @classmethod
    def takes(cls, name: str) -> bool:
        """Return whether a parameter of this name is a filter."""
        return name in cls.base_filters

    @classmethod
    def refuse_unknown(cls, query: QueryDict, paging: Iterable[str]) -> None:
        """Refuse parameters that are neither filters nor of the pagination.

        Raises:
            ValidationError: a name is unknown, or given more than once; it names the parameter.
        """
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
    return any(fnmatchcase(name, pattern) for pattern in settings.API_IGNORED_PARAMETERS)
