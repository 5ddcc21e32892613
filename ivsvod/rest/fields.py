"""Serializer fields that both apps use."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC
from typing import Any
from uuid import UUID

from rest_framework import serializers

from ivsvod.rest.suggestions import unknown_names
from ivsvod.rest.uuids import parse_uuid


class LenientUUIDField(serializers.Field):
    """A uuid in any of the forms that the predecessor took."""

    default_error_messages = {"invalid": "Not a uuid."}

    def to_internal_value(self, data: Any) -> UUID:
        """The uuid.

        Raises:
            ValidationError: it is none.
        """
        try:
            return parse_uuid(data)
        except (ValueError, TypeError):
            self.fail("invalid")

    def to_representation(self, value: UUID) -> str:
        """In lower case with hyphens."""
        return str(value)


class PlainTextField(serializers.CharField):
    """A text without NUL and lone surrogates, which no column can hold; kept as it is otherwise."""

    default_error_messages = {"unstorable": "Holds characters that cannot be stored."}

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        """The text.

        Raises:
            ValidationError: it is no text, or cannot be stored.
        """
        if not isinstance(data, str):
            self.fail("invalid")
        if "\0" in data or any("\ud800" <= character <= "\udfff" for character in data):
            self.fail("unstorable")
        return data


class StrictBooleanField(serializers.BooleanField):
    """`true` or `false` of JSON; no text and no number stands for one of them."""

    def to_internal_value(self, data: Any) -> bool:
        """The boolean.

        Raises:
            ValidationError: it is none.
        """
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class MomentField(serializers.DateTimeField):
    """A moment in RFC 3339, in UTC whatever the time zone of the admin is."""

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=UTC, **options)


class StrictSerializer(serializers.Serializer):
    """A body of which every field must be known."""

    def to_internal_value(self, data: Any) -> Any:
        """The values.

        Raises:
            ValidationError: it is no object, or a field is malformed or unknown; names each.
        """
        unknown = set(data) - set(self.fields) if isinstance(data, Mapping) else set()
        if unknown:
            raise serializers.ValidationError(unknown_names("field", sorted(unknown), self.fields))
        return super().to_internal_value(data)


def with_names_in_any_case(data: Any, names: Iterable[str]) -> Any:
    """Return the body with these names spelt as here.

    The predecessor took its names in any letter case, and of several the last one.
    https://pkg.go.dev/encoding/json#Unmarshal
    """
    if not isinstance(data, dict):
        return data
    known = {name.casefold(): name for name in names}
    return {known.get(name.casefold(), name): value for name, value in data.items()}


class ChangesSerializer(StrictSerializer):
    """A body of changes to the instance. A field that stays as it is is not checked: old rows may hold anything."""

    # The values that may be sent back as they are, by field.
    known: Callable[..., Mapping[str, Any]]

    def to_internal_value(self, data: Any) -> Any:
        """The values that change; raises as `StrictSerializer` does."""
        if not isinstance(data, dict):
            return super().to_internal_value(data)
        known = self.known()
        return super().to_internal_value(
            {name: value for name, value in data.items() if name not in known or not _is_same(known[name], value)}
        )


def _is_same(known: Any, value: Any) -> bool:
    # 1 and true are equal in Python.
    return bool(known == value) and type(known) is type(value)


class WordField(serializers.ChoiceField):
    """One of a few words. What was given is not said again: it may be what no answer can hold."""

    def __init__(self, choices: Any, **options: Any) -> None:
        super().__init__(choices, **options)
        self.error_messages["invalid_choice"] = f"Not one of {', '.join(map(str, self.choices))}."

    def to_internal_value(self, data: Any) -> Any:
        """The word.

        Raises:
            ValidationError: it is none of them.
        """
        if not isinstance(data, str):
            self.fail("invalid_choice")
        return super().to_internal_value(data)


def uuid_in_path(text: str) -> UUID:
    """The uuid of a route.

    Raises:
        ValidationError: it is none; names the field `uuid`.
    """
    try:
        return parse_uuid(text)
    except ValueError:
        raise serializers.ValidationError({"uuid": ["Not a uuid."]}) from None
