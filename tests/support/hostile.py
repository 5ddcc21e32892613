"""Hostile requests from a seed, at every route of the service: `python tests/support/hostile.py --requests 30000 --seed
1`.

No answer may be a 5xx, and without a credential no row of any table may change. The routes come from the URLconf, so
that a new one is tried too. The script runs on a PostgreSQL and an AWS of its own; tests/ivsvod/api/test_robust.py runs
a few.
"""

import argparse
import hashlib
import json
import random
import re
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID, uuid4

CHECKOUT = Path(__file__).resolve().parents[2]
# The count of a credential's use, and the last one: what a request may write without changing anything.
BOOKKEEPING = {"accounts_apitoken": "last_used_at"}
METHODS = ("GET", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "FOO", "TRACE", "get", "")

TEXTS = (
    "\0",
    "a\0b",
    "\ud800",
    "\udfff\ud800",
    "9" * 400,
    "-9" * 50,
    "1e999",
    "1e-999",
    "NaN",
    "-Infinity",
    "9223372036854775808",
    "2147483648",
    "0x10",
    "٣",
    "",
    " ",
    "\r\n",
    "../../etc/passwd",
    "%s%n{0}{a.b}",
    "'\";--",
    "') OR 1=1 --",
    "<script>alert(1)</script>",
    "\u202e\u2066\u0645\u0631\u062d\u0628\u0627\ufeff\ufffe\uffff",
    "\U0001f600" * 50,
    "👩‍👩‍👧‍👦" * 20,
    "e" + "\u0301" * 500,
    "x" * 20_000,
    '"' * 300,
    "-" * 300,
    "( | & ! <-> :* )",
    "\\",
    "%",
    "{}",
    "[]",
    "null",
    "undefined",
    "true",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59+23:59",
    "2026-02-30T00:00:00Z",
    "2026-03-04T09:05:60Z",
)
RAW = (
    b"%ff",
    b"%00",
    b"%",
    b"%zz",
    b"%ed%a0%80",
    b"%c0%80",
    b"+",
    b"%2f",
    b"%2e%2e%2f",
    b"%F0%9F",
    b"%25%30%30",
    b"\xff",
)
NUMBERS = (10**400, -(10**400), -(10**30), 2**63, 2**63 - 1, -(2**63) - 1, 2**31, 1e308, -1e308, 5e-324, 0, -1, 1.5)
# Names that stand in bodies and queries of this service, besides those that the filters and serializers name.
NAMES = (
    "page",
    "pageSize",
    "cursor",
    "search",
    "ordering",
    "prefix",
    "metadata[a]",
    "metadata[]",
    "metadata",
    "format",
)
# The fields of bodies, each with a value that is good.
VIDEO_FIELDS: dict[str, Any] = {
    "title": "Morning show",
    "description": "News and weather",
    "thumbnail": "https://www.example.com/a.jpg",
    "tags": ["news", "\U0001f600"],
    "active": True,
    "visibility": "unlisted",
    "publish_from": "2026-03-04T09:05:00Z",
    "publish_until": "2999-12-31T23:59:59+05:30",
    "metadata": {"season": "2"},
    "trim": None,
    "chapters": [{"at_ms": 0, "title": "Start"}],
}
CHANNEL_FIELDS: dict[str, Any] = {
    "name": "Morning show",
    "userId": "8d0c0b3e-5f0a-4d5e-9a53-1c2f5f1c7a10",
    "type": "BASIC",
    "latency_mode": "LOW",
    "private": True,
    "record": False,
    "new_video_state": "hidden",
    "active": True,
    "ban": True,
}
FIELDS: dict[str, Any] = {**VIDEO_FIELDS, **CHANNEL_FIELDS, "owner": "8d0c0b3e-5f0a-4d5e-9a53-1c2f5f1c7a10"}
# Values that some parameter takes.
GOOD = (
    "1",
    "25",
    "0.5",
    "true",
    "false",
    "live",
    "offline",
    "newest",
    "title",
    "relevance",
    "listed",
    "hidden",
    "news",
)
GOOD += (
    "available",
    "2026-03-04T09:05:00Z",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    str(UUID(int=0)),
    "a -b or c",
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-7", "latin-1")
CONTENT_TYPES = (
    "application/json",
    "application/json",
    "application/json; charset=utf-16",
    "application/merge-patch+json",
    "",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=x",
    "text/plain",
    "a",
    "\xff/\xff; charset=x",
    "application/json;" * 500,
)
HEADER_VALUES = (
    "x",
    "\xff",
    "a\0b",
    "\u00e9" * 100,
    "\u65e5\U0001f600",
    "x" * 9000,
    "",
    "0",
    "-1",
    "9" * 100,
    "*",
    '"',
    'W/"x", "y", *',
    "Basic eDp5",
    "Bearer",
    "Bearer a.b.c",
    "Bearer \0",
    "Bearer " + "e30." * 3,
    "[",
    "http://[",
    "null",
    "text/*;q=z",
    "gzip;q=x, *;q=0",
    "bytes=0-,-5",
    "Thu, 99 Foo 2026",
    "chunked",
    "evil.example.com",
    "198.51.100.1, " * 500,
)
HEADERS = (
    "HTTP_ACCEPT",
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_ACCEPT_ENCODING",
    "HTTP_IF_NONE_MATCH",
    "HTTP_IF_MATCH",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_IDEMPOTENCY_KEY",
    "HTTP_ORIGIN",
    "HTTP_REFERER",
    "HTTP_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_REQUEST_ID",
    "HTTP_X_API_KEY",
    "HTTP_X_HTTP_METHOD_OVERRIDE",
    "HTTP_X_CSRFTOKEN",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_CONTENT_ENCODING",
    "HTTP_EXPECT",
    "HTTP_RANGE",
    "HTTP_ACCESS_CONTROL_REQUEST_METHOD",
    "HTTP_ACCESS_CONTROL_REQUEST_HEADERS",
    "CONTENT_LENGTH",
)
COOKIES = (
    'sessionid="\\000aaaaaaaa"',
    "sessionid=" + "x" * 8000,
    "sessionid=\xff\xff\xff\xff\xff\xff\xff\xff",
    'csrftoken="\\000"; messages="\\000"',
    "csrftoken=" + "a" * 32 + "; sessionid=abcdefgh12345678",
    ";;=;=;",
)


@dataclass(frozen=True)
class Route:
    """A route of the URLconf: its path with a hole `{}` for each variable part, and what its view takes."""

    path: str
    methods: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def routes() -> list[Route]:
    """Every route of the URLconf: the API's with their methods and filters, and those of the admin."""
    from django.urls import get_resolver
    from django.urls.resolvers import URLPattern

    def walk(patterns: Any, before: str) -> Iterator[Route]:
        for pattern in patterns:
            path = before + _with_holes(str(pattern.pattern))
            if isinstance(pattern, URLPattern):
                view = getattr(pattern.callback, "cls", None)
                options = getattr(pattern.callback, "initkwargs", {})
                filterset_class = options.get("filterset_class") or getattr(view, "filterset_class", None)
                filters = getattr(filterset_class, "base_filters", {})
                bound = {"options", *getattr(pattern.callback, "actions", ())}
                names = getattr(view, "http_method_names", ())
                methods = [name.upper() for name in names if name in bound or hasattr(view, name)]
                yield Route(path, tuple(methods), tuple(filters))
            else:
                yield from walk(pattern.url_patterns, path)

    found = list(dict.fromkeys(walk(get_resolver().url_patterns, "/")))
    # The parts of the local AWS are no part of the service.
    return [route for route in found if not route.path.startswith("/_local")]


def _with_holes(pattern: str) -> str:
    """A pattern of `path` or `re_path` as a path."""
    pattern = pattern.replace("<path:path>", "master.m3u8").replace("<str:token>", "AbC")
    text = re.sub(r"<[^>]*>", "{}", re.sub(r"\(\?P<\w+>(?:[^()]|\([^()]*\))*\)", "{}", pattern))
    return text.removeprefix("^").removesuffix("$").removesuffix(r"\Z").replace("\\", "")


@dataclass
class Request:
    """One request, as the Django test client takes it."""

    method: str
    path: str
    body: bytes
    content_type: str
    headers: dict[str, str]

    def __str__(self) -> str:
        headers = {name: value[:80] for name, value in self.headers.items()}
        target = f"{self.method!r} {self.path[:300]!r} {self.content_type[:60]!r}"
        return f"{target} {len(self.body)} bytes {self.body[:300]!r} {headers}"


@dataclass
class Hostile:
    """Makes requests from a seed; `uuids` are those of rows that are there."""

    seed: int
    uuids: list[UUID]
    routes: list[Route] = field(default_factory=routes)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311
        self.api = [route for route in self.routes if route.methods]

    def request(self) -> Request:
        """The next one."""
        # Most routes are the admin's; the API is what is open to everyone.
        kind = self.api if self.random.random() < 0.75 else self.routes
        route = self.random.choice(kind)
        known = self._own_methods(route) if self.random.random() < 0.7 else METHODS
        path = self._path(route)
        if self.random.random() < 0.05:
            path = self.random.choice(("/" + self._quoted(), path + "/", "/" + path, path + self._quoted()))
        query = self._query(route)
        body, content_type = self._body(route), self.random.choice(CONTENT_TYPES)
        return Request(
            self.random.choice(known), f"{path}?{query}" if query else path, body, content_type, self._headers()
        )

    def _own_methods(self, route: Route) -> tuple[str, ...]:
        # Not OPTIONS, which no view sees.
        return tuple(method for method in route.methods if method != "OPTIONS") or METHODS

    def _path(self, route: Route) -> str:
        parts = route.path.split("{}")
        return parts[0] + "".join(self._hole() + part for part in parts[1:])

    def _hole(self) -> str:
        if self.random.random() < 0.6:
            uuid = self.random.choice(self.uuids)
            return self.random.choice((str(uuid), uuid.hex, f"{{{uuid}}}", f"urn:uuid:{uuid}", str(uuid).upper()))
        return self._quoted() or "-"

    def _query(self, route: Route) -> str:
        if self.random.random() < 0.02:
            return self.random.choice(("a=1&" * 3000, "tag=x&" * 900, "x" * 100_000, "page=" + "9" * 5000))
        names = (*route.names, *route.names, *route.names, *NAMES)
        pairs = [(self.random.choice(names), self._quoted_value()) for _ in range(self.random.randrange(4))]
        return "&".join(
            f"{quote(name) if self.random.random() < 0.95 else self._quoted()}={value}" for name, value in pairs
        )

    def _quoted_value(self) -> str:
        """Near enough to a good one, as often as not, to come far."""
        return quote(self.random.choice(GOOD)) if self.random.random() < 0.5 else self._quoted()

    def _text(self) -> str:
        return self.random.choice(TEXTS) if self.random.random() < 0.9 else str(self.random.choice(self.uuids))

    def _quoted(self) -> str:
        if self.random.random() < 0.3:
            return self.random.choice(RAW).decode("latin-1")
        return quote(self._text().encode("utf-8", "surrogatepass")[:3000])

    def _value(self, depth: int = 0) -> Any:
        if depth > 3 or self.random.random() < 0.6:
            return self.random.choice((self._text(), None, True, False, self.random.choice(NUMBERS), "public", [], {}))
        if self.random.random() < 0.5:
            return [self._value(depth + 1) for _ in range(self.random.randrange(4))]
        return {self._text(): self._value(depth + 1) for _ in range(self.random.randrange(4))}

    def _document(self, route: Route) -> dict[str, Any]:
        """Near enough to a good one, as often as not, to come far."""
        fields = CHANNEL_FIELDS if "channels" in route.path else VIDEO_FIELDS
        if self.random.random() < 0.2:
            fields = FIELDS
        names = self.random.sample(list(fields), self.random.randrange(1, 4))
        document = {name: self._value() if self.random.random() < 0.5 else fields[name] for name in names}
        needed = {"name": self._text(), "userId": CHANNEL_FIELDS["userId"]}
        return {**needed, **document} if route.path == "/channels" and self.random.random() < 0.7 else document

    def _body(self, route: Route) -> bytes:
        kind = self.random.random()
        if kind < 0.55:
            return json.dumps(self._document(route)).encode()
        makers: list[Callable[[], bytes]] = [
            lambda: b"",
            lambda: self.random.choice(
                (b"null", b"{}", b"[]", b"0", b'""', b"true", b" ", b"\xef\xbb\xbf{}", b"{", b"NaN")
            ),
            lambda: b"[" * self.random.choice((10, 99, 101, 1000, 100_000)),
            lambda: self.random.randbytes(self.random.choice((1, 100, 5000))),
            self._deep,
            lambda: json.dumps(self._document(route)).encode(self.random.choice(ENCODINGS), "replace"),
            lambda: json.dumps(self._document(route), ensure_ascii=False).encode("utf-8", "surrogatepass"),
            lambda: b'{"title": "a", "title": "b", "userId": 1, "userId": null, "": 1, "": 2}',
            lambda: json.dumps({"tags": [f"tag-{number}" for number in range(10_000)]}).encode(),
            lambda: json.dumps({"metadata": {f"key-{number}": "v" for number in range(10_000)}}).encode(),
            lambda: b'{"title": ' + b"9" * 5000 + b"}",
            lambda: urlencode({"title": "x", "_method": "DELETE", "csrfmiddlewaretoken": "a" * 64}).encode(),
            lambda: b'--x\r\nContent-Disposition: form-data; name="title"; filename="\xff\0"\r\n\r\nx\r\n--x--\r\n',
            lambda: self._rarely(b'{"title": "' + b"x" * 10 * 1024 * 1024 + b'"}'),
        ]
        return self.random.choice(makers)()

    def _rarely(self, body: bytes) -> bytes:
        return body if self.random.random() < 0.2 else body[:100_000]

    def _deep(self) -> bytes:
        depth = self.random.randrange(1, 1100)
        return (
            b'{"tags": ' + b'{"a":' * depth + b"1" + b"}" * depth + b', "type": ' + b"[" * depth + b"]" * depth + b"}"
        )

    def _headers(self) -> dict[str, str]:
        names = self.random.sample(HEADERS, self.random.choice((0, 0, 1, 2, 3)))
        chosen = {name: self.random.choice(HEADER_VALUES) for name in names}
        # A host that is not served is refused before all else: seldom is enough.
        if self.random.random() < 0.8:
            chosen.pop("HTTP_HOST", None)
        if self.random.random() < 0.1:
            chosen["HTTP_COOKIE"] = self.random.choice(COOKIES)
        return chosen


def fingerprint() -> dict[str, tuple[int, str]]:
    """The count and checksum of the rows of every table, but for the columns of bookkeeping."""
    from django.db import connection

    found = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            row = f"to_jsonb(t) - '{BOOKKEEPING[table]}'" if table in BOOKKEEPING else "to_jsonb(t)"
            cursor.execute(f"SELECT coalesce(({row})::text, '') FROM \"{table}\" t")  # noqa: S608
            digests = sorted(hashlib.sha256(line.encode()).hexdigest() for (line,) in cursor)
            found[table] = (len(digests), hashlib.sha256("".join(digests).encode()).hexdigest())
    return found


@dataclass
class Outcome:
    """What a run showed."""

    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        counts = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        lines = [*self.failures, *(f"rows changed in {table}" for table in self.changed)]
        return "\n".join([f"{self.statuses.total()} requests ({counts})", *lines])


def attack(*, requests: int, seed: int, uuids: list[UUID], credential: str = "", staff: Any = None) -> Outcome:
    """Send so many requests. Without a credential no row may change; with one, `staff` is signed in to the admin."""
    from django.test import Client

    hostile, outcome, before = Hostile(seed, uuids), Outcome(), fingerprint()
    client = Client(raise_request_exception=False)
    for number in range(requests):
        request = hostile.request()
        client.cookies.clear()
        if credential and request.path.startswith("/admin"):
            client.force_login(staff)
        elif credential:
            request.headers["HTTP_AUTHORIZATION"] = f"Bearer {credential}"
        elif hostile.random.random() < 0.1:
            request.headers["HTTP_AUTHORIZATION"] = hostile.random.choice(HEADER_VALUES)
        trouble = _send(client, request, outcome)
        if trouble:
            outcome.failures.append(f"seed {seed} number {number}: {request}\n    {trouble}")
    if not credential:
        after = fingerprint()
        outcome.changed = [table for table in before.keys() | after.keys() if before.get(table) != after.get(table)]
    return outcome


def _send(client: Any, request: Request, outcome: Outcome) -> str:
    """Send it; returns what is wrong with the answer."""
    try:
        response = client.generic(request.method, request.path, request.body, request.content_type, **request.headers)
        content = response.getvalue()
    # What comes out of the application itself is worse than a 500.
    except Exception:
        return traceback.format_exc(limit=-3)
    outcome.statuses[response.status_code] += 1
    if response.status_code < 500:
        return ""
    reason = traceback.format_exception(*response.exc_info, limit=-2) if response.exc_info else []
    return f"{response.status_code} {content[:200]!r}\n{''.join(reason)}"


def some_rows() -> list[UUID]:
    """Rows of each kind, and their uuids."""
    from ondemand.models import Video
    from tests.support.delivery import put_playlists
    from tests.support.helpers import make_account, make_channel, make_content, make_token, make_video

    channel = make_channel()
    videos = [make_video(), make_video(status=Video.Status.RECORDING, active=None), make_video(active=False)]
    for video in videos:
        put_playlists(video.prefix or "")
    make_content(videos[0])
    make_account("curate")
    make_token("read")
    return [channel.uuid, *(video.uuid for video in videos), uuid4(), UUID(int=0)]


def main() -> int:
    """Run the whole: most requests without a credential, a tenth with full access."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    sys.path.insert(0, str(CHECKOUT))
    import tests.conftest  # noqa: F401  (an environment of its own)

    return _run(arguments.requests, arguments.seed)


def _run(requests: int, seed: int) -> int:
    import logging
    import tempfile

    import django
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.test.utils import setup_databases, setup_test_environment, teardown_databases

    from tests.conftest import LOCAL_AWS_URL
    from tools.local import launch
    from tools.local.aws import LocalAws, install_in_process

    django.setup()
    logging.disable(logging.CRITICAL)
    setup_test_environment()
    call_command("collectstatic", interactive=False, verbosity=0)
    databases = setup_databases(verbosity=0, interactive=False)
    settings.AUTH_API_KEY = "a shared key of the hostile run"
    with tempfile.TemporaryDirectory() as folder:
        aws = LocalAws(Path(folder))
        uninstall = install_in_process(aws, LOCAL_AWS_URL)
        aws.s3.create_bucket(settings.RECORDING_BUCKET)
        settings.RECORDING_CONFIG_ARN = launch.recording_configuration(aws, settings.RECORDING_BUCKET)
        uuids = some_rows()
        staff = get_user_model().objects.create_superuser("boss", password="a long password of a test")
        share = requests // 10
        outcomes = [
            attack(requests=requests - share, seed=seed, uuids=uuids),
            attack(requests=share, seed=seed + 1, uuids=uuids, credential=settings.AUTH_API_KEY, staff=staff),
        ]
        uninstall()
    teardown_databases(databases, verbosity=0)
    for name, outcome in zip(("without a credential", "with full access"), outcomes, strict=True):
        print(f"{name}: {outcome}")  # noqa: T201
    return int(any(outcome.failures or outcome.changed for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
