"""Serializer fields and serializers that both apps use, and the refusal of unknown names."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC
from difflib import get_close_matches
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from common.rest.uuids import parse_uuid

# Comparing names takes time, and a request may hold very many or very long ones.
_MOST_COMPARED = 20
_LONGEST_COMPARED = 64
# The code of the message of an unknown name, by which the answer links to the API reference.
UNKNOWN_NAME = "unknown_name"
_HEX = "[0-9a-fA-F]"
_HYPHENATED = "-".join(f"{_HEX}{{{length}}}" for length in (8, 4, 4, 4, 12))
# A pattern, since the format `uuid` allows one form only.
UUID_SCHEMA = {
    "type": "string",
    "pattern": rf"^({_HYPHENATED}|{_HEX}{{32}})$",
    "examples": ["8d0c0b3e-5f0a-4d5e-9a53-1c2f5f1c7a10"],
}


class LenientUUIDField(serializers.Field):
    """A uuid in any of the forms that the predecessor took."""

    schema = UUID_SCHEMA
    default_error_messages = {"invalid": "Not a uuid."}

    def to_internal_value(self, data: Any) -> UUID:
        try:
            return parse_uuid(data)
        except (ValueError, TypeError):
            self.fail("invalid")

    def to_representation(self, value: UUID) -> str:
        return str(value)


class PlainTextField(serializers.CharField):
    """A text without NUL and lone surrogates, which no column can hold; kept as it is otherwise."""

    default_error_messages = {"unstorable": "Holds characters that cannot be stored."}

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if not is_storable(data):
            self.fail("unstorable")
        return data


def is_storable(text: str) -> bool:
    """Return whether a column can hold the text: it has no NUL and no lone surrogate."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


class StrictBooleanField(serializers.BooleanField):
    """`true` or `false` of JSON; no text and no number stands for one of them."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class WholeNumberField(serializers.IntegerField):
    """A whole number of JSON, `60` or `60.0`; no text and no boolean stands for one."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, float) and data.is_integer():
            return int(data)
        if type(data) is not int:
            self.fail("invalid")
        return data


class TimeField(serializers.DateTimeField):
    """A time in RFC 3339, in UTC whatever the time zone of the admin is."""

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=UTC, **options)


class StrictSerializer(serializers.Serializer):
    """A body that refuses unknown fields."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the values; raise ValidationError for each field that is malformed or unknown."""
        unknown = set(data) - set(self.fields) if isinstance(data, Mapping) else set()
        if unknown:
            raise serializers.ValidationError(unknown_names("field", sorted(unknown), self.fields))
        return super().to_internal_value(data)


def unknown_names(kind: str, names: Iterable[str], known_names: Iterable[str]) -> dict[str, list[Any]]:
    """Return an error message for each unknown name, with the nearest known name, as a `ValidationError` takes them."""
    by_letters = {_letters(name): name for name in known_names}
    messages = {}
    for number, name in enumerate(names):
        nearest = by_letters.get(_letters(name))
        if nearest is None and number < _MOST_COMPARED and len(name) <= _LONGEST_COMPARED:
            nearest = next((by_letters[found] for found in get_close_matches(_letters(name), by_letters, n=1)), None)
        text = f"Unknown {kind} `{name}`." if 0 < len(name) <= _LONGEST_COMPARED else f"Unknown {kind}."
        suggestion = f" Did you mean `{nearest}`?" if nearest else ""
        messages[name] = [ErrorDetail(text + suggestion, UNKNOWN_NAME)]
    return messages


def _letters(name: str) -> str:
    """Return the name without case and separators: `latencyMode` and `latency_mode` are alike."""
    return name.replace("_", "").replace("-", "").casefold()


def with_names_in_any_case(data: Any, names: Iterable[str]) -> Any:
    """Return the body with these names in the given letter case.

    The predecessor took its names in any letter case, and of several the last one.
    https://pkg.go.dev/encoding/json#Unmarshal
    """
    if not isinstance(data, dict):
        return data
    known = {name.casefold(): name for name in names}
    return {known.get(name.casefold(), name): value for name, value in data.items()}


class ChangesSerializer(StrictSerializer):
    """A body of changes to the instance. An unchanged field is not validated: old rows may hold anything."""

    # Return the present values, by field.
    known: Callable[..., Mapping[str, Any]]

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            present = self.known()
            # 1 and true are equal in Python.
            data = {
                name: value
                for name, value in data.items()
                if name not in present or present[name] != value or type(present[name]) is not type(value)
            }
        return super().to_internal_value(data)


class PlainChoiceField(serializers.ChoiceField):
    """One of a few texts. The message does not repeat the given value, which may not fit into an answer."""

    def __init__(self, choices: Any, **options: Any) -> None:
        super().__init__(choices, **options)
        self.error_messages["invalid_choice"] = f"Not one of {', '.join(map(str, self.choices))}."

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice")
        return super().to_internal_value(data)


def uuid_in_path(text: str) -> UUID:
    """Return the uuid of a route; raise ValidationError for the field `uuid` if it is none."""
    try:
        return parse_uuid(text)
    except ValueError:
        raise serializers.ValidationError({"uuid": ["Not a uuid."]}) from None
