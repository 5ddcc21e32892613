"""The parser of request bodies and the content negotiation: always JSON in UTF-8 (RFC 8259)."""

import json
from collections.abc import Iterable
from math import isinf
from typing import Any, NoReturn

from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType, ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

# No client sends deeper documents; an attacker does, to break the code that walks them.
DEEPEST = 100


class TooLargeError(APIException):
    """A body that is too large; 413."""

    status_code = 413
    default_detail = "The body is too large"


class StrictJSONParser(BaseParser):
    """Strict JSON. A view with `any_content_type` ignores Content-Type, as the predecessor did."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return the parsed document.

        Raises:
            ParseError: not JSON, or shorter than its Content-Length.
            TooLargeError: more than DATA_UPLOAD_MAX_MEMORY_SIZE.
            UnsupportedMediaType: Content-Type is not one of JSON.
            ValidationError: a name occurs twice in one object.
        """
        context = parser_context or {}
        of_predecessor = getattr(context.get("view"), "any_content_type", False)
        kind = (media_type or "").partition(";")[0].strip().lower()
        is_json = kind in {"", "application/json"} or (kind.startswith("application/") and kind.endswith("+json"))
        if not of_predecessor and not is_json:
            raise UnsupportedMediaType(media_type or "", "The body must be JSON, with Content-Type: application/json")
        try:
            body = stream.body
        except RequestDataTooBig:
            raise TooLargeError from None
        # DRF skips the parser if Content-Length is 0. A body that broke off must not count as an empty one.
        if len(body) < int(stream.META["CONTENT_LENGTH"]):
            raise ParseError("The body is shorter than its Content-Length")
        # PUT and POST of the predecessor's routes stay as they were: of a repeated name the last one counts.
        lenient = of_predecessor and getattr(context.get("request"), "method", "") in {"PUT", "POST"}
        hooks: Any = {"parse_constant": _refuse, "parse_float": _finite}
        try:
            document = json.loads(body.decode("utf-8-sig"), object_pairs_hook=dict if lenient else _object, **hooks)
        except (ValueError, RecursionError):
            raise ParseError("The body is not JSON") from None
        # Few bodies have as many brackets, and only those need the walk.
        if body.count(b"[") + body.count(b"{") > DEEPEST and _is_deep(document):
            raise ParseError(f"The body is nested deeper than {DEEPEST} levels")
        return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValidationError({twice: ["This name stands twice in the body"]})
    return found


def _refuse(constant: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python's reader takes and JSON does not have."""
    raise ValueError(constant)


def _finite(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise ValueError("beyond every number")
    return number


def _is_deep(document: Any) -> bool:
    level, depth = [document], 0
    while level and depth <= DEEPEST:
        inner = [part for part in level if isinstance(part, dict | list)]
        level = [value for part in inner for value in (part.values() if isinstance(part, dict) else part)]
        depth += 1
    return bool(level)


class IgnoreAccept(BaseContentNegotiation):
    """Use the first parser and renderer, whatever `Accept` says."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type
