"""Versions and lives of answers: ETag, If-None-Match, If-Match and Cache-Control (RFC 9110 section 13, RFC 9111)."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any, Self

from django.http import HttpRequest, HttpResponseBase, HttpResponseNotModified
from django.utils.http import parse_etags
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from common.rest.renderers import json_bytes

# Seconds for which caches may keep a live state, a page of a list, and a video.
LIVE_MAX_AGE = 2
LIST_MAX_AGE = 10
VIDEO_MAX_AGE = 60
# Seconds for which a cache may then use it while it fetches a new one, so that nobody waits (RFC 5861).
_STALE = 5
_LIFE = re.compile(r"public, max-age=(\d+), s-maxage=\1, stale-while-revalidate=(\d+)")
# The headers that a 304 repeats (RFC 9110 section 15.4.5). Those of CORS come from their own middleware.
_OF_304 = ("Cache-Control", "Content-Location", "ETag", "Expires", "Vary")


class PreconditionFailedError(APIException):
    """412: the resource has another version than the caller read."""

    status_code = 412
    default_detail = "It was changed meanwhile: read it again"


def etag_of(content: bytes) -> str:
    """Return the version of an answer: a strong tag of its bytes before compression."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def require_match(request: Request, document: Any) -> None:
    """Raise PreconditionFailedError if no tag of `If-Match` is the version that `GET` shows to this caller now."""
    header = request.headers.get("If-Match")
    if header is None:
        return
    if not _names(header, etag_of(json_bytes(document))):
        raise PreconditionFailedError


def _names(header: str, version: str) -> bool:
    """Return whether a header of ETags names this version; the W/ that compression adds does not count."""
    tags = [tag.removeprefix("W/") for tag in parse_etags(header)]
    return version.removeprefix("W/") in tags or "*" in tags


def not_modified(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase | None:
    """Return the 304 if the caller holds this version of the answer, else None."""
    header = request.META.get("HTTP_IF_NONE_MATCH")
    if header is None or response.status_code != 200 or "ETag" not in response:
        return None
    if not _names(header, response["ETag"]):
        return None
    return HttpResponseNotModified(headers={name: response[name] for name in _OF_304 if name in response})


@dataclass(frozen=True)
class Life:
    """How long any cache may keep an answer: fresh, and then stale, while it fetches a new one; in whole seconds."""

    fresh: int
    stale: int

    @classmethod
    def of(cls, seconds: float, ends_in: float | None = None) -> Self:
        """Return the life of an answer for `seconds`, which ends `ends_in` seconds from now at the latest."""
        fresh = max(0, int(seconds if ends_in is None else min(seconds, ends_in)))
        stale = min(fresh, _STALE)
        return cls(fresh, stale if ends_in is None else max(0, min(stale, int(ends_in) - fresh)))

    @classmethod
    def of_answer(cls, response: HttpResponseBase) -> Self | None:
        """Return the life that an answer says; None if caches may not keep it."""
        found = _LIFE.fullmatch(response.get("Cache-Control", ""))
        return cls(int(found[1]), int(found[2])) if found else None

    def shorter(self, other: Self) -> "Life":
        """Return the life of an answer that is made of two."""
        fresh = min(self.fresh, other.fresh)
        return Life(fresh, min(self.fresh + self.stale, other.fresh + other.stale) - fresh)

    def after(self, seconds: float) -> "Life":
        """Return what is left of it after `seconds`."""
        return Life(max(0, int(self.fresh - seconds)), self.stale)

    @property
    def text(self) -> str:
        """Return the value of Cache-Control; a middleware replaces it in answers to a credential."""
        return f"public, max-age={self.fresh}, s-maxage={self.fresh}, stale-while-revalidate={self.stale}"

    @property
    def headers(self) -> dict[str, str]:
        """Return the header."""
        return {"Cache-Control": self.text}
