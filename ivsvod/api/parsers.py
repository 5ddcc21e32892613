"""How bodies are read and answers chosen: always JSON in UTF-8 (RFC 8259), and `Accept` is not looked at."""

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

# Deeper documents than any of ours are made to break what walks them.
DEEPEST = 100


class TooLargeError(APIException):
    """413"""

    status_code = 413
    default_detail = "The body is too large"


class StrictJSONParser(BaseParser):
    """JSON as it should be. A view with `any_content_type` reads it whatever Content-Type says: the predecessor did."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """The document.

        Raises:
            ParseError: not JSON, or shorter than its Content-Length.
            TooLargeError: more than DATA_UPLOAD_MAX_MEMORY_SIZE.
            UnsupportedMediaType: Content-Type says that it is not JSON.
            ValidationError: a name stands twice in one object.
        """
        context = parser_context or {}
        of_predecessor = getattr(context.get("view"), "any_content_type", False)
        if not of_predecessor and not _is_json(media_type):
            raise UnsupportedMediaType(media_type or "", "The body must be JSON, with Content-Type: application/json")
        body = _body(stream)
        # PUT and POST of its routes are as they were, and its clients never heard of this rule: the last one counts.
        lenient = of_predecessor and getattr(context.get("request"), "method", "") in {"PUT", "POST"}
        return _document(body, dict if lenient else _object)


def _is_json(media_type: str | None) -> bool:
    """Whether a Content-Type is one of JSON; none at all will do."""
    kind = (media_type or "").partition(";")[0].strip().lower()
    return kind in {"", "application/json"} or (kind.startswith("application/") and kind.endswith("+json"))


def _body(stream: Any) -> bytes:
    try:
        body = stream.body
    except RequestDataTooBig:
        raise TooLargeError from None
    # DRF calls a parser only where Content-Length is not 0; a client that hung up must not count as one without a body.
    if len(body) < int(stream.META["CONTENT_LENGTH"]):
        raise ParseError("The body is shorter than its Content-Length")
    return body


def _document(body: bytes, make_object: Any) -> Any:
    try:
        document = json.loads(
            body.decode("utf-8-sig"), object_pairs_hook=make_object, parse_constant=_refuse, parse_float=_number
        )
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
    """Python's reader takes NaN and Infinity, which JSON has not."""
    raise ValueError(constant)


def _number(text: str) -> float:
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
    """The first parser and renderer: `Accept` is not looked at."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        """The only one."""
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """JSON."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type
