"""Versions and maximum age of answers: ETag, If-Match and Cache-Control (RFC 9110 section 13, RFC 9111)."""

import hashlib
from typing import Any

from django.utils.http import parse_etags
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from ivsvod.rest.renderers import json_bytes

# Seconds for which caches may keep a page of a list.
LIST_MAX_AGE = 10


class PreconditionFailedError(APIException):
    """412: the resource has another version than the caller read."""

    status_code = 412
    default_detail = "It was changed meanwhile: read it again"


def etag_of(content: bytes) -> str:
    """Return the version of an answer: a strong tag of its bytes before compression."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def require_match(request: Request, document: Any) -> None:
    """Raise PreconditionFailedError if no tag of `If-Match` is the version that `GET` shows to this caller now.

    Tags are compared without the W/ that compression adds.
    """
    header = request.headers.get("If-Match")
    if header is None:
        return
    tags = [tag.removeprefix("W/") for tag in parse_etags(header)]
    if "*" not in tags and etag_of(json_bytes(document)) not in tags:
        raise PreconditionFailedError


def public_max_age(seconds: float) -> dict[str, str]:
    """Return the header of an answer for any cache; a middleware replaces it in answers to a credential."""
    return {"Cache-Control": f"public, max-age={max(0, int(seconds))}"}
