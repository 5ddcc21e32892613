"""Strict filters of lists: a misspelt filter is a 400, and never answered with everything."""

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

from channels_app.suggestions import unknown_names
from channels_app.times import parse_moment
from channels_app.uuids import parse_uuid

_DECIMAL = re.compile(r"\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?", re.ASCII)
# More milliseconds than these PostgreSQL's bigint does not hold.
_LONGEST = Decimal(2**62) / 1000
LONGEST_TEXT = 5000


class StrictField(forms.Field):
    """A parameter of a query; `read` makes its value, and one that is given is never taken for absent."""

    shortest = 1

    def to_python(self, value: Any) -> Any:
        """The value; None where the parameter is absent.

        Raises:
            ValidationError: malformed.
        """
        return None if value is None else self.read(value)

    def read(self, text: str) -> Any:
        """A text that a column can hold, as it is.

        Raises:
            ValidationError: shorter than `shortest`, very long, or with a character that cannot be stored.
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
    """A parameter that may be given several times."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[Any]:
        """All of its values.

        Raises:
            ValidationError: one of them is malformed.
        """
        return [self.read(text) for text in value or []]


class StrictUUIDField(StrictField):
    """A uuid in any of the forms that the predecessor took."""

    def read(self, text: str) -> UUID:
        """The uuid.

        Raises:
            ValidationError: it is none.
        """
        try:
            return parse_uuid(text)
        except ValueError:
            raise FormError("Not a uuid.") from None


class StrictMomentField(StrictField):
    """A time of RFC 3339, which names its zone."""

    def read(self, text: str) -> datetime:
        """The time in UTC.

        Raises:
            ValidationError: not RFC 3339, without a zone, or out of range.
        """
        try:
            return parse_moment(text)
        except ValueError:
            raise FormError("Not a time of RFC 3339 with its zone (a + is written %2B).") from None


class StrictSecondsField(StrictField):
    """A length of time in seconds, with decimals."""

    def read(self, text: str) -> Decimal:
        """The seconds.

        Raises:
            ValidationError: no finite number from 0.
        """
        if not _DECIMAL.fullmatch(text):
            raise FormError("Not a number of seconds.")
        return min(Decimal(text), _LONGEST)


class StrictWordField(StrictField):
    """One of a few words."""

    def __init__(self, *, choices: Iterable[tuple[str, str]], **options: Any) -> None:
        super().__init__(**options)
        self.words = [word for word, _ in choices]

    def read(self, text: str) -> str:
        """The word.

        Raises:
            ValidationError: it is none of them.
        """
        if text not in self.words:
            raise FormError(f"Not one of {', '.join(self.words)}.")
        return text


class StrictTrueFalseField(StrictField):
    """`true` or `false`."""

    def read(self, text: str) -> bool:
        """Which of the two.

        Raises:
            ValidationError: neither.
        """
        if text not in {"true", "false"}:
            raise FormError("Not true or false.")
        return text == "true"


class TextFilter(django_filters.CharFilter):
    """An exact text."""

    field_class = StrictField


class EachTextFilter(django_filters.Filter):
    """A text that may be given several times; its method gets a list of all of them."""

    field_class = StrictEachField
    is_repeatable = True


class UUIDFilter(django_filters.UUIDFilter):
    """A uuid in any of the forms that the predecessor took."""

    field_class = StrictUUIDField


class MomentFilter(django_filters.IsoDateTimeFilter):
    """A time of RFC 3339."""

    field_class = StrictMomentField


class SecondsFilter(django_filters.NumberFilter):
    """A length of time in seconds, decimals included."""

    field_class = StrictSecondsField


class WordFilter(django_filters.Filter):
    """One of a few words."""

    field_class = StrictWordField

    def __init__(self, *, words: Iterable[str], **options: Any) -> None:
        super().__init__(choices=[(str(word), str(word)) for word in words], **options)


class BooleanFilter(django_filters.BooleanFilter):
    """`true` or `false`."""

    field_class = StrictTrueFalseField


class StrictFilterSet(django_filters.FilterSet):
    """The base of filter sets. A filter of `scopes` is for callers who have the scope that it names."""

    scopes: dict[str, str] = {}

    @classmethod
    def takes(cls, name: str) -> bool:
        """Return whether a parameter of this name is a filter."""
        return name in cls.base_filters

    @classmethod
    def is_repeatable(cls, name: str) -> bool:
        """Return whether the parameter may be given several times."""
        return getattr(cls.base_filters.get(name), "is_repeatable", False)


def is_ignored(name: str) -> bool:
    """Return whether API_IGNORED_PARAMETERS names the parameter, as those that advertisers put into links."""
    return any(fnmatchcase(name, pattern) for pattern in settings.API_IGNORED_PARAMETERS)


def refuse_unknown(query: QueryDict, filterset_class: type[StrictFilterSet], paging: Iterable[str]) -> None:
    """Refuse parameters that are neither filters nor of the pagination.

    Raises:
        ValidationError: a name is unknown, or given more than once; it names the parameter.
    """
    read = [(name, values) for name, values in query.lists() if not is_ignored(name)]
    unknown = [name for name, _ in read if name not in paging and not filterset_class.takes(name)]
    wrong = unknown_names("parameter", unknown, [*filterset_class.base_filters, *paging])
    for name, values in read:
        is_single = name not in ("page", "pageSize") and not filterset_class.is_repeatable(name)
        if len(values) > 1 and is_single:
            wrong.setdefault(name, ["Given more than once."])
    if wrong:
        raise serializers.ValidationError(wrong)
