"""Public answers of the API that are stored for as long as any cache may keep them, and the 304 of all answers."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from time import time
from typing import Any, Self

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import re_accepts_gzip

from common.rest import throttling
from common.rest.caching import LIST_MAX_AGE, Life, not_modified
from common.rest.request_ids import Middleware

# The largest body. With MAX_ENTRIES of the cache it limits the memory of a process.
LARGEST = 128 * 1024
# Seconds: a video that was hidden is not answered for longer by the service itself.
LONGEST = LIST_MAX_AGE
# The parts of a request without a credential that an answer depends on.
_PARTS = ("wsgi.url_scheme", "HTTP_HOST", "HTTP_X_FORWARDED_PROTO", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING")
_METHODS = {"GET", "HEAD"}


@dataclass(frozen=True)
class StoredAnswer:
    """An answer after compression, with the time of its request."""

    at: float
    life: Life
    content: bytes
    headers: dict[str, str]

    @classmethod
    def of(cls, response: HttpResponseBase, at: float) -> Self | None:
        """Return the answer to be stored; None if no cache may keep it, or it is too large."""
        life = Life.of_answer(response)
        if not life or not life.fresh or response.status_code != 200 or not isinstance(response, HttpResponse):
            return None
        if response.cookies or len(response.content) > LARGEST:
            return None
        return cls(at, life, response.content, dict(response.items()))

    def response(self) -> HttpResponse | None:
        """Return the answer with the life that is left; None if none is left."""
        left = self.life.after(max(0.0, time() - self.at))
        return HttpResponse(self.content, headers={**self.headers, **left.headers}) if left.fresh else None


class StoredAnswerMiddleware(Middleware):
    """Answer 304 if the caller has this version; answer public reads from the cache, if ANSWER_CACHE is true.

    A stored answer is about ten times as fast as a list: no view, no query, no compression. Requests with a credential
    or any cookie are not looked up, and answers to them are not stored.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer from the cache, or by the view."""
        response = self._stored_or_new(request) if _is_shared(request) else self.get_response(request)
        return (request.method in _METHODS and not_modified(request, response)) or response

    def _stored_or_new(self, request: HttpRequest) -> HttpResponseBase:
        cache, key = caches["answers"], _key(request.META)
        stored: StoredAnswer | None = cache.get(key)
        response = stored.response() if stored and _is_within_limit(request) else None
        if response is not None:
            return response
        at, made = time(), self.get_response(request)
        if getattr(request, "is_api", False) and (answer := StoredAnswer.of(made, at)):
            cache.set(key, answer, min(answer.life.fresh, LONGEST))
        return made


def _is_shared(request: HttpRequest) -> bool:
    """Return whether all callers get the same answer to this request, and may get it a little late.

    Not that of players: a video that was hidden stops at the next request for a playlist.
    """
    has_caller = "HTTP_AUTHORIZATION" in request.META or request.META.get("HTTP_COOKIE")
    is_of_player = request.path_info.startswith("/play/")
    return bool(settings.ANSWER_CACHE and request.method in _METHODS and not has_caller and not is_of_player)


def _is_within_limit(request: HttpRequest) -> bool:
    """Count the request as the view would; beyond the limit the view answers, with 429."""
    try:
        throttling.count_by_address(request)
    except throttling.TooManyRequestsError:
        return False
    return True


def _key(environ: Mapping[str, Any]) -> str:
    """Return the key of an answer: a digest, for a query may have any length and any characters."""
    parts = [str(environ.get(name, "")) for name in _PARTS]
    encoding = "gzip" if re_accepts_gzip.search(environ.get("HTTP_ACCEPT_ENCODING", "")) else ""
    text = "\0".join([*parts, encoding]).encode("utf-8", "surrogatepass")
    return f"answer:{hashlib.sha256(text).hexdigest()}"
