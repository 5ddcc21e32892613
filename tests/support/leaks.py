"""A watch over the whole test run: no secret that a test makes may appear where none belongs.

Secrets are planted where they are made, whatever makes them: keys of streams, API tokens, JWTs, tokens of grants,
passwords, and the keys of the settings. Searched are each line of the log, each answer with its headers, each message
of an error, and at the end of each test the rows of all tables, the audit log first, the sessions, and the `repr` of
saved models.
A leak fails its test, by the place and the kind of the secret alone.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, wraps
from html import escape
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import connection
from django.http import HttpRequest, HttpResponseBase

# Shorter texts are no secrets of the service, and stand in other words by chance.
SHORTEST = 12
# Of a test that tries very many cases, the last ones.
MOST = 64
ENCRYPTED, API_TOKEN, JWT, GRANT, PASSWORD = (
    "text that is stored encrypted",
    "API token",
    "JWT",
    "token of a grant",
    "password",
)
SETTINGS = (
    *("AUTH_API_KEY", "SECRET_KEY", "SECRET_KEY_FALLBACKS", "FIELD_ENCRYPTION_KEYS", "ORIGIN_SECRET"),
    *("CLOUDFRONT_PRIVATE_KEY", "IVS_PLAYBACK_PRIVATE_KEY"),
)
# The answers that are meant to show a secret, once, by method and name of the route.
SHOWN: dict[tuple[str, str], set[str]] = {
    ("POST", "channel-list"): {ENCRYPTED},
    ("POST", "channel-rotate-stream-key"): {ENCRYPTED},
    ("POST", "channel-grant-list"): {JWT},
    ("POST", "video-grant-list"): {GRANT},
    ("POST", "admin:channels_app_channel_add"): {ENCRYPTED},
    ("POST", "admin:channels_app_channel_reveal"): {ENCRYPTED},
    ("POST", "admin:channels_app_channel_rotate"): {ENCRYPTED},
    ("POST", "admin:accounts_apitoken_add"): {API_TOKEN},
    # The players of the admin load what a token or a signed link of theirs opens.
    ("GET", "admin:channels_app_channel_change"): {JWT},
    ("GET", "admin:ondemand_video_change"): {GRANT},
    ("GET", "admin:ondemand_video_play"): {GRANT},
    ("POST", "admin:ondemand_video_change"): {GRANT},
    ("POST", "admin:ondemand_video_share"): {GRANT},
    # To the browser that gave the password, until the first code.
    ("GET", "account:two-step-set-up"): {ENCRYPTED},
    ("POST", "account:two-step-set-up"): {ENCRYPTED},
}
# Channels hold stream keys as the predecessor wrote them, sessions are encoded, and the others are of Django alone.
_HOLDERS = {"ivs_channels", "django_session", "django_content_type", "auth_permission", "django_migrations"}


@dataclass
class Watch:
    """The planted secrets by each form in which they are written, those of all tests and of this one; and the leaks."""

    lasting: dict[str, str] = field(default_factory=dict)
    of_test: dict[str, str] = field(default_factory=dict)
    leaks: list[str] = field(default_factory=list)
    saved: list[Any] = field(default_factory=list)
    is_in_test: bool = False
    # The test leaks on purpose.
    is_meant: bool = False

    def plant(self, secret: Any, kind: str) -> None:
        """Look for a secret from now on; for one that a test made, until its end."""
        for line in _lines(secret):
            for form in {line, escape(line), json.dumps(line)[1:-1], quote(line, safe="")}:
                known = self.of_test if self.is_in_test else self.lasting
                known.pop(form, None)
                known[form] = kind
        while len(self.of_test) > MOST:
            self.of_test.pop(next(iter(self.of_test)), None)

    def search(self, text: str, place: str, shown: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        """Note each secret in the text, but for the kinds that may be shown there."""
        for known in (self.of_test, self.lasting):
            for form, kind in list(known.items()):
                if form in text and kind not in shown:
                    self.leaks.append(f"{place} shows a secret: {kind}")

    def search_answer(self, request: HttpRequest, response: HttpResponseBase) -> None:
        """Search an answer and its headers; files are no text of ours."""
        found = request.resolver_match
        name = found.view_name if found else request.path_info.partition("/play/g/")[0]
        place, shown = f"the answer to {request.method} {name}", SHOWN.get((str(request.method), str(name)), set())
        self.search("\n".join(str(value) for _, value in response.items()), f"a header of {place}", shown)
        self.search(response.cookies.output(), f"a cookie of {place}", shown)
        if not response.streaming and not request.path_info.startswith(settings.STATIC_URL):
            content: bytes = response.content  # type: ignore[attr-defined]
            if response.headers.get("Content-Encoding") == "gzip":
                content = gzip.decompress(content)
            self.search(content.decode("utf-8", "replace"), place, shown)

    def begin(self) -> None:
        """Forget what the last test made."""
        self.of_test.clear()
        self.saved.clear()
        self.leaks.clear()
        self.is_in_test, self.is_meant = True, False

    def end(self) -> list[str]:
        """Search what is left of a test: models and rows; return all of its leaks."""
        self.is_in_test = False
        if self.of_test:
            for instance in self.saved:
                self.search(f"{instance!r} {instance}", f"the repr of {type(instance).__name__}")
            self._search_rows()
        return [] if self.is_meant else list(dict.fromkeys(self.leaks))

    def _search_rows(self) -> None:
        from django.contrib.sessions.models import Session

        if connection.connection is None or connection.needs_rollback:
            return
        # Without the backslashes of the JSON in which they may stand.
        secrets = [form for form in (*self.of_test, *self.lasting) if "\0" not in form]
        try:
            with connection.cursor() as cursor:
                cursor.execute(_ROWS % _union(), [secrets])
                rows = cursor.fetchall()
            sessions = list(Session.objects.all()[:MOST])
        except (DatabaseFailure, RuntimeError):
            # The database belongs to no test, or is another one.
            return
        kinds = {**self.lasting, **self.of_test}
        self.leaks += [f"a row of {table} shows a secret: {kinds[secret]}" for table, secret in rows]
        for session in sessions:
            self.search(str(session.get_decoded()), "a session")

    @contextmanager
    def caught(self) -> Iterator[list[str]]:
        """Collect the leaks of a block, which are meant: they fail no test."""
        kept, self.leaks = self.leaks, []
        found: list[str] = []
        try:
            yield found
        finally:
            found += self.leaks
            self.leaks = kept


_ROWS = """
SELECT DISTINCT held.name, secret FROM (%s) AS held (name, row), unnest(%%s::text[]) AS secret
WHERE strpos(held.row, secret) > 0
"""


@cache
def _union() -> str:
    from django.apps import apps

    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)} - _HOLDERS
    return " UNION ALL ".join(f"SELECT '{table}', t::text FROM {table} AS t" for table in sorted(tables))  # noqa: S608


def _lines(secret: Any) -> Iterator[str]:
    """Yield the texts to look for: of a PEM, its lines without the first, which all keys of a kind begin with."""
    if isinstance(secret, list | tuple):
        for each in secret:
            yield from _lines(each)
        return
    text = (
        secret.decode("utf-8", "replace")
        if isinstance(secret, bytes)
        else str(secret or "").encode("utf-8", "ignore").decode()
    )
    lines = text.strip().splitlines()[2:-1] if text.startswith("-----BEGIN") else [text]
    yield from (line for line in lines if len(line) >= SHORTEST)


WATCH = Watch()


def planted_by(function: Callable[..., Any], kind: str, secret: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, which plants the secret that `secret` finds in its result and arguments."""

    @wraps(function)
    def planting(*arguments: Any, **options: Any) -> Any:
        result = function(*arguments, **options)
        WATCH.plant(secret(result, *arguments), kind)
        return result

    return planting


def install() -> None:
    """Plant each secret as it is made, and search what the process writes, from now on."""
    import jwt
    import knox.crypto
    from django.contrib.auth.hashers import MD5PasswordHasher
    from django.core.handlers.base import BaseHandler
    from django.core.management import CommandError
    from django.db.models.signals import post_save
    from django.test.signals import setting_changed

    from common import encryption
    from common.errors import ServiceError
    from common.rest.request_ids import LineFormatter
    from ondemand.playback import grants, staff_links

    def of_result(result: Any, *_: Any) -> Any:
        return result

    encryption.encrypt = planted_by(encryption.encrypt, ENCRYPTED, lambda _, text: text)
    knox.crypto.create_token_string = planted_by(knox.crypto.create_token_string, API_TOKEN, of_result)
    jwt.encode = planted_by(jwt.encode, JWT, of_result)
    grants._token = planted_by(grants._token, GRANT, of_result)
    staff_links._token = planted_by(staff_links._token, GRANT, of_result)
    # The one of the tests; it also hashes what is compared with a password.
    MD5PasswordHasher.encode = planted_by(  # type: ignore[method-assign]
        MD5PasswordHasher.encode, PASSWORD, lambda _, _hasher, password, *__: password
    )
    for name in SETTINGS:
        WATCH.plant(getattr(settings, name, ""), name)
    setting_changed.connect(_plant_setting, weak=False)
    post_save.connect(_keep_saved, weak=False)
    _search_calls(LineFormatter, "format", lambda line, _, record: (line, f"a line of the log of {record.name}"))
    _search_calls(ServiceError, "__init__", lambda _, error, *__: (str(error), f"an error {type(error).__name__}"))
    _search_calls(CommandError, "__init__", lambda _, error, *__, **___: (str(error), "the error of a command"))
    get_response = BaseHandler.get_response

    def searched_response(self: BaseHandler, request: HttpRequest) -> HttpResponseBase:
        response = get_response(self, request)
        WATCH.search_answer(request, response)
        return response

    BaseHandler.get_response = searched_response  # type: ignore[method-assign,assignment]


def _search_calls(owner: Any, name: str, text_and_place: Callable[..., tuple[str, str]]) -> None:
    method = getattr(owner, name)

    @wraps(method)
    def searching(*arguments: Any, **options: Any) -> Any:
        result = method(*arguments, **options)
        WATCH.search(*text_and_place(result, *arguments, **options))
        return result

    setattr(owner, name, searching)


def _plant_setting(*, setting: str, value: Any, **_: Any) -> None:
    if setting in SETTINGS:
        WATCH.plant(value, setting)


def _keep_saved(*, instance: Any, **_: Any) -> None:
    if len(WATCH.saved) < MOST:
        WATCH.saved.append(instance)
