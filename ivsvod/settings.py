"""All settings, read from the environment; the table of variables is in the README.

Nonsense in a variable raises an error that names it. Nothing here knows the local stack: `manage.py` sets
the same variables for it that a deployment sets.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg.conninfo
from csp.constants import NONE, SELF
from django.conf.global_settings import LANGUAGES
from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvError, ValidationError, validate

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()
# https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-SSLMODE-STATEMENTS
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


def _required(name: str, hint: str) -> str:
    value = env.str(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: {hint}")
    return value


def _database() -> dict[str, Any]:
    """The connection parameters of libpq, from DATABASE_URL or from the PG_* variables."""
    url = env.str("DATABASE_URL", "")
    if url:
        return _database_from_url(url)
    host = _required("PG_HOST", "set it or DATABASE_URL (manage.py starts a PostgreSQL of its own when neither is)")
    return {
        "host": host,
        "port": env.int("PG_PORT", 5432, validate=validate.Range(min=1, max=65535)),
        "dbname": _required("PG_DATABASE", "the name of the database"),
        "user": _required("PG_USER", "the role that owns the tables"),
        "password": env.str("PG_PASSWORD", ""),
        # The service this one replaces always used TLS. libpq ignores it on a unix socket.
        "sslmode": env.str("PG_SSLMODE", "require", validate=validate.OneOf(_SSL_MODES)),
        "sslrootcert": env.str("PG_SSLROOTCERT", ""),
    }


def _database_from_url(url: str) -> dict[str, Any]:
    if url.partition("://")[0] not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured("DATABASE_URL must begin with postgres:// or postgresql://")
    try:
        parameters = dict(psycopg.conninfo.conninfo_to_dict(url))
    except (psycopg.ProgrammingError, UnicodeEncodeError):
        # The message of libpq quotes the URL, password included.
        raise ImproperlyConfigured("DATABASE_URL is not a URL that libpq can read") from None
    if not parameters.get("dbname"):
        raise ImproperlyConfigured("DATABASE_URL names no database")
    return parameters


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _is_web_address(text: str) -> None:
    """Nothing, or an http or https URL with a host."""
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValidationError("Not a URL.") from None
    if text and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise ValidationError("Not an http or https URL.")


def _is_path_or_web_address(text: str) -> None:
    """A path from the root, or an http or https URL."""
    if not text.startswith("/"):
        _is_web_address(text or "missing")


def _is_time_zone(text: str) -> None:
    """A key of the IANA time zone database."""
    try:
        ZoneInfo(text)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise ValidationError("Not a time zone.") from None


try:
    DEBUG = env.bool("DEBUG", False)
    SECRET_KEY = _required("SECRET_KEY", "a long random text that signs sessions")
    FIELD_ENCRYPTION_KEYS: list[str] = env.list("FIELD_ENCRYPTION_KEYS", [])
    ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", [])
    CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
    AUTH_API_KEY = env.str("AUTH_API_KEY", "")
    API_PUBLIC_READ = env.bool("API_PUBLIC_READ", True)
    API_MAX_PAGE_SIZE = env.int("API_MAX_PAGE_SIZE", 100, validate=validate.Range(min=1, max=1000))
    STAGE = env.str("STAGE", "dev")
    AWS_REGION = env.str("AWS_REGION", "")
    RECORDING_CONFIG_ARN = env.str("RECORDING_CONFIG_ARN", "")
    RECORDING_BUCKET = env.str("RECORDING_BUCKET", "")
    RECORDING_BUCKETS = [b for b in [RECORDING_BUCKET, *env.list("RECORDING_BUCKETS", [])] if b]
    PLAYBACK_BASE_URL = env.str("PLAYBACK_BASE_URL", "", validate=_is_web_address).rstrip("/")
    LIVE_STATE_LEGACY_KEY = env.str("LIVE_STATE_LEGACY_KEY", "")
    TIME_ZONE = env.str("TIME_ZONE", "UTC", validate=_is_time_zone)
    LANGUAGE_CODE = env.str("LANGUAGE_CODE", "en", validate=validate.OneOf(list(dict(LANGUAGES))))
    STATIC_BUCKET = env.str("STATIC_BUCKET", "")
    STATIC_URL = env.str("STATIC_URL", "/static/", validate=_is_path_or_web_address)
    STATIC_ROOT = env.path("STATIC_ROOT", BASE_DIR / "staticfiles")
    CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", ["*"])
    THUMBNAIL_HOSTS: list[str] = env.list("THUMBNAIL_HOSTS", [])
    SECURE_COOKIES = env.bool("SECURE_COOKIES", True)
    EXTRA_APPS: list[str] = env.list("EXTRA_APPS", [])
    ON_LAMBDA = bool(env.str("AWS_LAMBDA_FUNCTION_NAME", ""))
    _parameters = _database()
except EnvError as error:
    raise ImproperlyConfigured(str(error)) from None

if not FIELD_ENCRYPTION_KEYS:
    raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS is not set: comma-separated Fernet keys, the first encrypts")
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS is not set: comma-separated host names that the service answers to")

INSTALLED_APPS = [
    "ivsvod.accounts",
    "channels_app",
    "ondemand",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "django_filters",
    "corsheaders",
    "csp",
    *EXTRA_APPS,
]
AUTH_USER_MODEL = "accounts.User"
# knox's migrations would make the table of its own token model, which ours replaces.
MIGRATION_MODULES = {"knox": None}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MIDDLEWARE = [
    "ivsvod.api.middleware.OutageMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "ivsvod.urls"
WSGI_APPLICATION = "ivsvod.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# A process on Lambda serves one request at a time and is frozen between them: one kept connection and no pool.
_pool = {"min_size": 0, "max_size": 10, "timeout": 5, "reconnect_timeout": 5}
_named = ("dbname", "user", "password", "host", "port")
DATABASES = {
    "default": {
        "ENGINE": "ivsvod.postgresql",
        "NAME": _parameters["dbname"],
        "USER": _parameters.get("user") or "",
        "PASSWORD": _parameters.get("password") or "",
        "HOST": _parameters.get("host") or "",
        "PORT": _parameters.get("port") or "",
        "CONN_MAX_AGE": 60 if ON_LAMBDA else 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 5,
            **{name: value for name, value in _parameters.items() if name not in _named and value},
            **({} if ON_LAMBDA else {"pool": _pool}),
        },
    }
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"

USE_TZ = True
USE_I18N = True

STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if STATIC_BUCKET:
    STORAGES["staticfiles"] = {
        "BACKEND": "storages.backends.s3.S3ManifestStaticStorage",
        "OPTIONS": {"bucket_name": STATIC_BUCKET, "querystring_auth": False, "default_acl": None},
    }

# Which function says what an event means, by the event's detail-type (channels_app/inbox.py).
EVENT_REDUCERS = {
    "IVS Stream State Change": "channels_app.reducers.StreamStateReducer",
    "IVS Stream Health Change": "channels_app.reducers.StreamSeenReducer",
    "IVS Limit Breach": "channels_app.reducers.StreamSeenReducer",
    "IVS Recording State Change": "ondemand.reducers.RecordingStateReducer",
}

API_PAGE_SIZE = 25
# What a credential may do. Each is a permission of the app `accounts` with this codename.
API_SCOPES = {
    "read": "May read the API",
    "curate": "May edit, hide and show videos by the API",
    "channels": "May create and manage channels by the API",
    "playback": "May grant playback by the API",
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "ivsvod.api.authentication.BearerAuthentication",
        "ivsvod.api.authentication.StaffSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["ivsvod.api.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["ivsvod.api.parsers.AnyTypeJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "ivsvod.api.parsers.IgnoreAccept",
    "DEFAULT_PAGINATION_CLASS": "ivsvod.api.pagination.PagePagination",
    "EXCEPTION_HANDLER": "ivsvod.api.errors.exception_handler",
    "PAGE_SIZE": API_PAGE_SIZE,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_TTL": None, "TOKEN_MODEL": "accounts.ApiToken"}
KNOX_TOKEN_MODEL = "accounts.ApiToken"  # noqa: S105  (the name of a model)

CORS_ALLOW_ALL_ORIGINS = "*" in CORS_ALLOWED_ORIGINS
if CORS_ALLOW_ALL_ORIGINS:
    CORS_ALLOWED_ORIGINS = []
# The admin is not for other origins.
CORS_URLS_REGEX = r"^/(?!admin/)"
CORS_ALLOW_HEADERS = ["authorization", "content-type", "x-api-key"]

_media = [_origin(PLAYBACK_BASE_URL)] if PLAYBACK_BASE_URL else []
_media += [f"https://{bucket}.s3.amazonaws.com" for bucket in RECORDING_BUCKETS if not PLAYBACK_BASE_URL]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", *_media, *THUMBNAIL_HOSTS],
        # hls.js feeds the video element from a blob and demuxes in a worker made of one.
        "media-src": [SELF, "blob:", *_media],
        "connect-src": [SELF, *_media],
        "worker-src": [SELF, "blob:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
SESSION_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_COOKIES else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
# TLS ends at API Gateway or CloudFront; HSTS is for the host that a team chose, not for its parent domain.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"django": {"handlers": [], "propagate": True}, "botocore": {"level": "WARNING"}},
}
