"""Typed readers of environment variables. A malformed variable raises an error that names it, and shows no secret."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg.conninfo
from django.core.exceptions import ImproperlyConfigured
from environs import Env, ValidationError, validate

from common.rest.rates import Rate
from common.rest.times import zone_named

env = Env()
# https://www.w3.org/TR/CSP3/#grammardef-ancestor-source
_SOURCE = re.compile(
    r"\*|'self'|https?:|(https?://)?(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:(\d{1,5}|\*))?", re.ASCII | re.IGNORECASE
)
# Also references that `secret_value` refuses, so that a mistyped one is never taken for a value.
_REFERENCE = re.compile(r"\s*(file|arn):", re.IGNORECASE)
_COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII | re.IGNORECASE)
_KEY_ID = re.compile(r"[A-Za-z0-9]{1,64}")
# As browsers write it, and without the wildcards of a policy: with a signature it must match the URL that is requested.
_SIGNABLE = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
# A browser reads `//` and `/\\` as the beginning of a host. The host becomes a source of a Content-Security-Policy.
_PATH_OR_URL = re.compile(
    r"(https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?)?(/([^\s/\\][^\s\\]*)?)?", re.ASCII | re.IGNORECASE
)
# https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-SSLMODE-STATEMENTS
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_PLAYBACK_KEY_ARN = re.compile(r"arn:aws[a-z-]*:ivs:[a-z0-9-]+:\d{12}:playback-key/[a-zA-Z0-9-]+", re.ASCII)


def required(name: str, hint: str) -> str:
    """Return the value of a variable that must be set; it may be a reference to a secret."""
    value = secret(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: {hint}")
    return value


def secret(name: str) -> str:
    """Return the value of a variable that may be a reference to a secret; empty if it is not set."""
    return _dereferenced(name, env.str(name, ""))


def pem(name: str) -> str:
    """Return the PEM of a variable that may be a reference to a secret; `\\n` in two characters ends a line too."""
    return secret(name).replace("\\n", "\n").strip()


def secrets(name: str) -> list[str]:
    """Return comma-separated values, each of which may be a reference to several."""
    given: list[str] = env.list(name, [])
    values = ",".join(_dereferenced(name, value) for value in given).split(",")
    return [value.strip() for value in values if value.strip()]


def _dereferenced(name: str, value: str) -> str:
    if not _REFERENCE.match(value):
        return value
    # Most processes have no reference, and this loads boto3.
    from common.aws import AwsError
    from common.aws.secrets import secret_value

    try:
        return secret_value(value)
    except (AwsError, ValueError) as error:
        raise ImproperlyConfigured(f"{name}: {error}") from None


def reference(name: str) -> str:
    """Return the reference that a variable holds; empty if it holds a plain value."""
    value = env.str(name, "")
    return value if _REFERENCE.match(value) else ""


def database_parameters() -> dict[str, Any]:
    """Return the connection parameters of libpq, from DATABASE_URL or from the PG_* variables."""
    if parameters := database_url("DATABASE_URL"):
        return parameters
    host = required("PG_HOST", "set it or DATABASE_URL (manage.py starts a PostgreSQL of its own when neither is)")
    return {
        "host": host,
        "port": env.int("PG_PORT", 5432, validate=validate.Range(min=1, max=65535)),
        "dbname": required("PG_DATABASE", "the name of the database"),
        "user": required("PG_USER", "the role that owns the tables"),
        "password": secret("PG_PASSWORD"),
        # The service that this one replaces always used TLS. libpq ignores it on a unix socket.
        "sslmode": env.str("PG_SSLMODE", "require", validate=validate.OneOf(_SSL_MODES)),
        "sslrootcert": env.str("PG_SSLROOTCERT", ""),
    }


def database_url(name: str) -> dict[str, Any]:
    """Return the connection parameters of libpq, from a URL; empty if the variable is not set."""
    url = secret(name)
    if not url:
        return {}
    if url.partition("://")[0] not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(f"{name} must begin with postgres:// or postgresql://")
    try:
        parameters = dict(psycopg.conninfo.conninfo_to_dict(url))
    except (psycopg.ProgrammingError, UnicodeEncodeError):
        # The message of libpq quotes the URL, password included.
        raise ImproperlyConfigured(f"{name} is not a URL that libpq can read") from None
    if not parameters.get("dbname"):
        raise ImproperlyConfigured(f"{name} names no database")
    return parameters


def redis_url(name: str) -> str:
    """Return the URL of a Redis server; empty if the variable is not set."""
    text = secret(name)
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"redis", "rediss"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if text and not usable:
        # The value may hold a password.
        raise ImproperlyConfigured(f"{name} is not a redis or rediss URL")
    return text


def require_all_or_none(**values: str) -> None:
    """Check that all of these variables are set, or none.

    Raises:
        ImproperlyConfigured: some of them are; the error names those that are missing.
    """
    missing = ", ".join(name for name, value in values.items() if not value)
    if missing and any(values.values()):
        raise ImproperlyConfigured(f"{missing} is not set: {' and '.join(values)} come together")


def require_signable(name: str, base_url: str) -> None:
    """Check that signed URLs can begin with this one.

    Raises:
        ImproperlyConfigured: it is empty, or no URL that browsers request as it is written.
    """
    if not base_url:
        raise ImproperlyConfigured(f"{name} is not set: CLOUDFRONT_KEY_ID signs URLs that begin with it")
    if not _SIGNABLE.fullmatch(base_url):
        raise ImproperlyConfigured(f"{name} is not a plain URL in small letters such as https://media.example.com")


def rate(name: str, default: str) -> Rate | None:
    """Return a limit of requests; None, without a limit, if the variable is empty."""
    text = env.str(name, default)
    try:
        return Rate.of(text) if text else None
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}, as in 600/min") from None


def number(name: str, default: int | None, *, fewest: int, most: int) -> int | None:
    """Return a whole number; None, without a limit, if the variable is empty, or is not set and has no default."""
    if env.str(name, "" if default is None else str(default)) == "":
        return None
    return env.int(name, default, validate=validate.Range(min=fewest, max=most))


def frame_ancestors(name: str, default: list[str]) -> list[str]:
    """Return the sites that may show a page in a frame, as sources of a Content-Security-Policy; empty is none."""
    # A shell removes the quotes that the policy needs.
    sources = ["'self'" if source == "self" else source for source in env.list(name, default)]
    wrong = next((source for source in sources if not _SOURCE.fullmatch(source)), None)
    if wrong is not None:
        raise ImproperlyConfigured(f"{name}: {wrong!r} is no source such as https://www.example.com, 'self' or *")
    return sources


def links(name: str) -> list[tuple[str, str]]:
    """Return labels and URLs, of `Label=https://…` with commas between them."""
    given: list[str] = env.list(name, [])
    found = [(label.strip(), url.strip()) for label, _equals, url in (item.partition("=") for item in given)]
    for item, (label, url) in zip(given, found, strict=True):
        try:
            is_path_or_web_address(url)
        except ValidationError:
            label = ""
        if not label:
            raise ImproperlyConfigured(f"{name}: {item!r} is no link such as Imprint=https://www.example.com/imprint")
    return found


def folder(name: str, base: Path) -> Path | None:
    """Return a folder that exists, relative to `base` unless it is absolute; None if the variable is empty."""
    text = env.str(name, "")
    path = base / text
    if text and not path.is_dir():
        raise ImproperlyConfigured(f"{name}: {path} is no folder")
    return path if text else None


def is_web_address(text: str) -> None:
    """Accept nothing, or an http or https URL with a host."""
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValidationError("Not a URL.") from None
    if text and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise ValidationError("Not an http or https URL.")


def is_private_address(text: str) -> None:
    """Accept nothing, or an https URL; http only to this machine, since a network could change the answer."""
    is_web_address(text)
    parts = urlsplit(text)
    if parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise ValidationError("Not an https URL.")


def is_path_or_web_address(text: str) -> None:
    """Accept a path from the root, or an http or https URL without a user."""
    if not text or not _PATH_OR_URL.fullmatch(text):
        raise ValidationError("Not a path from the root, nor an http or https URL.")


def is_picture_address(text: str) -> None:
    """Accept nothing, a path from the root, or an http or https URL."""
    if text:
        is_path_or_web_address(text)


def is_name(text: str) -> None:
    """Accept nothing, or one line of at most 60 characters."""
    if text and (len(text) > 60 or not text.isprintable() or not text.strip()):
        raise ValidationError("Not a line of 1 to 60 characters.")


def is_colour(text: str) -> None:
    """Accept nothing, or a colour as `#rrggbb`."""
    if text and not _COLOUR.fullmatch(text):
        raise ValidationError("Not a colour such as #1f4a87.")


def is_key_id(text: str) -> None:
    """Accept nothing, or the id of a public key of CloudFront."""
    if text and not _KEY_ID.fullmatch(text):
        raise ValidationError("Not the id of a public key such as K2JCJMDEHXQW5F.")


def is_host(text: str) -> None:
    """Accept nothing, or a host without scheme and path."""
    if text and urlsplit(f"//{text}").netloc != text:
        raise ValidationError("Not a host such as vod.example.com.")


def is_playback_key_arn(text: str) -> None:
    """Accept nothing, or the ARN of a playback key pair of IVS."""
    if text and not _PLAYBACK_KEY_ARN.fullmatch(text):
        raise ValidationError("Not the ARN of a playback key pair.")


def is_video_page(text: str) -> None:
    """Accept nothing, or an http or https URL with `{uuid}` in the place of the video's."""
    is_web_address(text)
    if text and "{uuid}" not in text:
        raise ValidationError("Not a URL with {uuid} in it.")


def is_time_zone(text: str) -> None:
    """Accept a key of the IANA time zone database."""
    if zone_named(text) is None:
        raise ValidationError("Not a time zone.")


def origin(url: str) -> str:
    """Return scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
