"""How bodies are read and answers chosen: always JSON, whatever the headers say, as the predecessor did."""

import json
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import APIException, ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class TooLargeError(APIException):
    """413"""

    status_code = 413
    default_detail = "The body is too large"


class AnyTypeJSONParser(BaseParser):
    """JSON in UTF-8, whatever Content-Type says."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """The document.

        Raises:
            ParseError: not JSON.
            TooLargeError: more than DATA_UPLOAD_MAX_MEMORY_SIZE.
        """
        try:
            body = stream.body if hasattr(stream, "body") else stream.read()
        except RequestDataTooBig:
            raise TooLargeError from None
        if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise TooLargeError
        try:
            return json.loads(body.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            raise ParseError("The body is not JSON") from None


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
