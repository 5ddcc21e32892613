"""All settings. `environment.py` reads the variables; docs/configuration.md has the table of them.

Nothing here knows the local stack: `manage.py` sets the same variables for it that a deployment sets.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.conf import global_settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from environs import EnvError, validate

from common.rest.rates import Rate
from ivsvod import environment
from ivsvod.environment import env

BASE_DIR = Path(__file__).resolve().parent.parent

try:
    DEBUG = env.bool("DEBUG", False)
    SECRET_KEY = environment.required("SECRET_KEY", "a long random text that signs sessions")
    SECRET_KEY_FALLBACKS = environment.secrets("SECRET_KEY_FALLBACKS")
    # A key that was made of letters and digits alone has no padding.
    FIELD_ENCRYPTION_KEYS = [key + "=" * (-len(key) % 4) for key in environment.secrets("FIELD_ENCRYPTION_KEYS")]
    ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", [])
    CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
    PUBLIC_HOST = env.str("PUBLIC_HOST", "", validate=environment.is_host)
    ORIGIN_SECRETS = environment.secrets("ORIGIN_SECRET")
    AUTH_API_KEY = environment.secret("AUTH_API_KEY")
    API_PUBLIC_READ = env.bool("API_PUBLIC_READ", True)
    API_MAX_PAGE_SIZE = env.int("API_MAX_PAGE_SIZE", 100, validate=validate.Range(min=1, max=1000))
    API_IGNORED_PARAMETERS: list[str] = env.list(
        "API_IGNORED_PARAMETERS", ["_", "t", "ts", "v", "fbclid", "gclid", "utm_*"]
    )
    NEW_VIDEO_STATE = env.str("NEW_VIDEO_STATE", "listed", validate=validate.OneOf(["listed", "unlisted", "hidden"]))
    PROTECT_RECORDINGS = env.bool("PROTECT_RECORDINGS", False)
    HOLD_UNTIL_CHECKED = env.bool("HOLD_UNTIL_CHECKED", False)
    SEARCH_CONFIG = env.str("SEARCH_CONFIG", "english", validate=validate.Length(min=1))
    OIDC_ISSUER = env.str("OIDC_ISSUER", "", validate=environment.is_private_address)
    OIDC_AUDIENCE = env.str("OIDC_AUDIENCE", "")
    OIDC_JWKS = env.str("OIDC_JWKS", "", validate=environment.is_private_address)
    OIDC_SCOPE_PREFIX = env.str("OIDC_SCOPE_PREFIX", "").rstrip("/")
    THROTTLE_ADDRESS = environment.rate("THROTTLE_ADDRESS", "600/min")
    THROTTLE_TOKEN = environment.rate("THROTTLE_TOKEN", "3000/min")
    THROTTLE_GRANTS = environment.rate("THROTTLE_GRANTS", "600/min")
    TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0, validate=validate.Range(min=0, max=10))
    CACHE_URL = environment.redis_url("CACHE_URL")
    ANSWER_CACHE = env.bool("ANSWER_CACHE", True)
    PROJECT_NAME = env.str("PROJECT_NAME", "ivsvod")
    STAGE = env.str("STAGE", "dev")
    AWS_REGION = env.str("AWS_REGION", "")
    IVS_FORWARDER = env.str("IVS_FORWARDER", "")
    IVS_PLAYBACK_KEY_ARN = env.str("IVS_PLAYBACK_KEY_ARN", "", validate=environment.is_playback_key_arn)
    IVS_PLAYBACK_PRIVATE_KEY = environment.pem("IVS_PLAYBACK_PRIVATE_KEY")
    RECORDING_CONFIG_ARN = env.str("RECORDING_CONFIG_ARN", "")
    RECORDING_BUCKET = env.str("RECORDING_BUCKET", "")
    RECORDING_BUCKETS = [b for b in [RECORDING_BUCKET, *env.list("RECORDING_BUCKETS", [])] if b]
    PLAYBACK_BASE_URL = env.str("PLAYBACK_BASE_URL", "", validate=environment.is_web_address).rstrip("/")
    CLOUDFRONT_KEY_ID = env.str("CLOUDFRONT_KEY_ID", "", validate=environment.is_key_id)
    CLOUDFRONT_PRIVATE_KEY = environment.pem("CLOUDFRONT_PRIVATE_KEY")
    # The default is what CloudFront assumes of a URL that names none; it takes both at every edge location.
    CLOUDFRONT_HASH_ALGORITHM = env.str(
        "CLOUDFRONT_HASH_ALGORITHM", "SHA1", validate=validate.OneOf(["SHA1", "SHA256"])
    )
    LIVE_STATE_LEGACY_KEY = env.str("LIVE_STATE_LEGACY_KEY", "")
    EVENT_QUEUE_URL = env.str("EVENT_QUEUE_URL", "", validate=environment.is_private_address)
    DEAD_LETTER_QUEUE_URL = env.str("DEAD_LETTER_QUEUE_URL", "", validate=environment.is_private_address)
    # A queue keeps a message for at most 14 days: until then a refused event must be recognised when it comes again.
    INBOX_RETENTION_DAYS = environment.number("INBOX_RETENTION_DAYS", 400, fewest=15, most=36_500)
    GRANT_RETENTION_DAYS = environment.number("GRANT_RETENTION_DAYS", 90, fewest=2, most=36_500)
    TIME_ZONE = env.str("TIME_ZONE", "UTC", validate=environment.is_time_zone)
    LANGUAGE_CODE = env.str(
        "LANGUAGE_CODE", "", validate=validate.OneOf(["", *(code for code, _name in global_settings.LANGUAGES)])
    )
    STATIC_BUCKET = env.str("STATIC_BUCKET", "")
    STATIC_URL = env.str("STATIC_URL", "/static/", validate=environment.is_path_or_web_address)
    STATIC_ROOT = env.path("STATIC_ROOT", BASE_DIR / "staticfiles")
    CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", ["*"])
    THUMBNAIL_HOSTS: list[str] = env.list("THUMBNAIL_HOSTS", [])
    CATALOGUE_PAGE = env.bool("CATALOGUE_PAGE", False)
    SITE_NAME = env.str("SITE_NAME", "", validate=environment.is_name)
    SITE_LOGO = env.str("SITE_LOGO", "", validate=environment.is_picture_address)
    SITE_COLOUR = env.str("SITE_COLOUR", "", validate=environment.is_colour)
    SITE_FOOTER = environment.links("SITE_FOOTER")
    TEMPLATES_DIR = environment.folder("TEMPLATES_DIR", BASE_DIR)
    VIDEO_PAGE_URL = env.str("VIDEO_PAGE_URL", "", validate=environment.is_video_page)
    # The player for other sites shows only public data of the API, and no click in it changes anything.
    EMBED_ANCESTORS = environment.frame_ancestors("EMBED_ANCESTORS", ["*"])
    SECURE_COOKIES = env.bool("SECURE_COOKIES", True)
    REQUIRE_SECOND_FACTOR = env.bool("REQUIRE_SECOND_FACTOR", False)
    EXTRA_APPS: list[str] = env.list("EXTRA_APPS", [])
    PG_STATEMENT_TIMEOUT = environment.number("PG_STATEMENT_TIMEOUT", None, fewest=1, most=900)
    ON_LAMBDA = bool(env.str("AWS_LAMBDA_FUNCTION_NAME", ""))
    EMBEDDED_METRICS = env.bool("EMBEDDED_METRICS", ON_LAMBDA)
    PG_POOLER = env.bool("PG_POOLER", False)
    _parameters = environment.database_parameters()
    _replica_parameters = environment.database_url("DATABASE_READ_URL")
except EnvError as error:
    raise ImproperlyConfigured(str(error)) from None

if not FIELD_ENCRYPTION_KEYS:
    raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS is not set: comma-separated Fernet keys, the first encrypts")
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS is not set: comma-separated host names that the service answers to")

if PUBLIC_HOST and ON_LAMBDA and not ORIGIN_SECRETS:
    raise ImproperlyConfigured("ORIGIN_SECRET is not set: PUBLIC_HOST is believed where a request has it")

if PG_POOLER and PG_STATEMENT_TIMEOUT is not None:
    raise ImproperlyConfigured("PG_STATEMENT_TIMEOUT has no effect with PG_POOLER: ALTER ROLE … SET statement_timeout")

environment.require_all_or_none(OIDC_ISSUER=OIDC_ISSUER, OIDC_AUDIENCE=OIDC_AUDIENCE, OIDC_JWKS=OIDC_JWKS)
environment.require_all_or_none(CLOUDFRONT_KEY_ID=CLOUDFRONT_KEY_ID, CLOUDFRONT_PRIVATE_KEY=CLOUDFRONT_PRIVATE_KEY)
environment.require_all_or_none(
    IVS_PLAYBACK_KEY_ARN=IVS_PLAYBACK_KEY_ARN, IVS_PLAYBACK_PRIVATE_KEY=IVS_PLAYBACK_PRIVATE_KEY
)
if CLOUDFRONT_KEY_ID:
    environment.require_signable("PLAYBACK_BASE_URL", PLAYBACK_BASE_URL)
# Bad credentials of one address: a few are typing errors, many are guesses.
THROTTLE_FAILURES = Rate(30, 60) if THROTTLE_ADDRESS else None

INSTALLED_APPS = [
    "ivsvod.accounts",
    "channels_app",
    "ondemand",
    "ivsvod.site",
    "ivsvod.console.apps.ConsoleConfig",
    "ivsvod.console.apps.ConsoleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "ivsvod.api.apps.StaticFilesConfig",
    "rest_framework",
    "knox",
    "django_filters",
    "corsheaders",
    "auditlog",
    "ivsvod.accounts.apps.SignInsConfig",
    "csp",
    "drf_spectacular_sidecar",
    *EXTRA_APPS,
]
AUTH_USER_MODEL = "accounts.User"
# Their migrations would make the tables of their own models, which ours replace.
MIGRATION_MODULES = {"knox": None, "auditlog": None}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MIDDLEWARE = [
    "common.rest.request_ids.RequestIdMiddleware",
    # Errors of all below are for pages of other origins too.
    "ivsvod.api.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "ivsvod.api.middleware.RefusalMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "ivsvod.api.middleware.HeadMiddleware",
    # Answers are stored as they are after all below; those above run for stored ones too.
    "ivsvod.api.stored_answers.StoredAnswerMiddleware",
    # Versions are those of the answer before compression.
    "django.middleware.gzip.GZipMiddleware",
    "ivsvod.api.middleware.VersionMiddleware",
    "ivsvod.api.middleware.LanguageMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "ivsvod.accounts.middleware.ActorMiddleware",
    "ivsvod.accounts.middleware.SecondFactorMiddleware",
    # After the authentication, and before anything reads the body.
    "ivsvod.console.bodies.BodyMiddleware",
    "ivsvod.accounts.middleware.TimeZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "ivsvod.urls"
WSGI_APPLICATION = "ivsvod.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Those of the operator replace ours of the same name.
        "DIRS": [*filter(None, [TEMPLATES_DIR]), BASE_DIR / "templates"],
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


def _database(parameters: dict[str, Any], *, reference: str, timeout: int) -> dict[str, Any]:
    named = ("dbname", "user", "password", "host", "port")
    return {
        "ENGINE": "common.postgresql",
        "NAME": parameters["dbname"],
        "USER": parameters.get("user") or "",
        "PASSWORD": parameters.get("password") or "",
        # Read again when the password is refused.
        "PASSWORD_REFERENCE": reference,
        "HOST": parameters.get("host") or "",
        "PORT": parameters.get("port") or "",
        "CONN_MAX_AGE": 60 if ON_LAMBDA else 0,
        # Only Lambda keeps a connection without the pool, which checks its own; see `common/postgresql/base.py`.
        "CONN_HEALTH_CHECKS": ON_LAMBDA,
        # A pooler may give each statement another connection of the server.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {
            "connect_timeout": timeout,
            **{name: value for name, value in parameters.items() if name not in named and value},
            # A process on Lambda serves one request at a time and is frozen between them: one kept connection, no pool.
            **(
                {}
                if ON_LAMBDA
                else {"pool": {"min_size": 0, "max_size": 10, "timeout": timeout, "reconnect_timeout": 5}}
            ),
        },
    }


DATABASES = {
    "default": _database(
        _parameters,
        reference=environment.reference("PG_PASSWORD") if env.str("DATABASE_URL", "") == "" else "",
        timeout=5,
    )
}
if _replica_parameters:
    # The primary answers when this one cannot be reached: the request does not wait for long.
    DATABASES["replica"] = _database(_replica_parameters, reference="", timeout=2)
DATABASE_ROUTERS = ["common.rest.replica.ReplicaRouter"]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]

# Guessing the password of one account from one address (ivsvod/accounts/sign_in.py). The account as a whole is not
# locked, since then anyone could lock it.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
# From all addresses of one network, a /48 of IPv6 or a /24 of IPv4, in the same time (ivsvod/accounts/sign_in.py).
SIGN_IN_NETWORK_LIMIT = 50
AXES_HANDLER = "ivsvod.accounts.sign_in.NetworkLockout"
AXES_CLIENT_IP_CALLABLE = "ivsvod.accounts.sign_in.stored_address"
AXES_RESET_ON_SUCCESS = True
# A too early attempt does not prolong the wait.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
# Left out of the form data that it stores; it leaves out passwords by itself.
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "csrfmiddlewaretoken", "code"]
# The admin has its own pages of these tables, for superusers.
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
CSRF_FAILURE_VIEW = "ivsvod.console.refused.csrf_failure"

# One language for all readers, or that of each reader's browser; docs/admin.md describes how to add one.
_languages = [LANGUAGE_CODE] if LANGUAGE_CODE else ["en", "de", "es"]
LANGUAGES = [(code, name) for code, name in global_settings.LANGUAGES if code in _languages]
LANGUAGE_CODE = LANGUAGE_CODE or "en"
LOCALE_PATHS = [BASE_DIR / "locale"]

STATICFILES_DIRS = [BASE_DIR / "ivsvod" / "api" / "static"]
_served_forever = {
    "default_acl": None,
    "querystring_auth": False,
    "object_parameters": {"CacheControl": "public, max-age=31536000, immutable"},
}
STORAGES: dict[str, dict[str, Any]] = {
    # Uploaded pictures. Their names are digests, so the content of a name never changes.
    "default": {
        "BACKEND": "common.aws.storage.BucketStorage",
        "OPTIONS": {
            "bucket_name": RECORDING_BUCKET,
            "location": "thumbnails",
            "region_name": AWS_REGION or None,
            **_served_forever,
        },
    },
    "staticfiles": {"BACKEND": "ivsvod.static_files.PackagedFiles"},
}
if STAGE == "local":
    # Nobody is far away, and compressing takes five times as long as collecting.
    WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["css", "js", "svg"]
if STATIC_BUCKET:
    from django.core.files.storage import FileSystemStorage

    if STATIC_URL.startswith("/"):
        raise ImproperlyConfigured("STATIC_URL is not a URL with a host: STATIC_BUCKET is served by another than this")
    STORAGES["staticfiles"] = {
        "BACKEND": "common.aws.storage.StaticBucketStorage",
        "OPTIONS": {
            "bucket_name": STATIC_BUCKET,
            "custom_domain": f"{urlsplit(STATIC_URL).netloc}{urlsplit(STATIC_URL).path}".rstrip("/"),
            **_served_forever,
            # In the package, so that no cold start waits for S3.
            "manifest_storage": FileSystemStorage(STATIC_ROOT),
        },
    }

# The table of the audit log; its rows are written by triggers (common/audit), not by the library's signals.
AUDITLOG_LOGENTRY_MODEL = "channels_app.AuditEntry"

# The handler of each event, by its detail-type (channels_app/events/inbox.py).
EVENT_HANDLERS = {
    "IVS Stream State Change": "channels_app.events.handlers.StreamEventHandler",
    "IVS Stream Health Change": "channels_app.events.handlers.StreamEventHandler",
    "IVS Limit Breach": "channels_app.events.handlers.StreamEventHandler",
    "IVS Recording State Change": "ondemand.recordings.handlers.RecordingEventHandler",
}

API_PAGE_SIZE = 25
# The scopes of a credential. Each is a permission of the app `accounts` with this codename.
API_SCOPES = {
    "read": _("May read the API"),
    "curate": _("May edit, hide and show videos by the API"),
    "channels": _("May create and manage channels by the API"),
    "playback": _("May grant playback by the API"),
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "ivsvod.accounts.authentication.BearerAuthentication",
        "ivsvod.accounts.authentication.StaffSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["common.rest.scopes.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["common.rest.renderers.FastJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["common.rest.parsers.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "common.rest.parsers.IgnoreAccept",
    "DEFAULT_PAGINATION_CLASS": "common.rest.pagination.PagePagination",
    "EXCEPTION_HANDLER": "ivsvod.api.errors.exception_handler",
    "PAGE_SIZE": API_PAGE_SIZE,
}
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_TTL": None, "TOKEN_MODEL": "accounts.ApiToken"}
KNOX_TOKEN_MODEL = "accounts.ApiToken"  # noqa: S105  (the name of a model)

CORS_ALLOW_ALL_ORIGINS = "*" in CORS_ALLOWED_ORIGINS
if CORS_ALLOW_ALL_ORIGINS:
    CORS_ALLOWED_ORIGINS = []
# The admin is not for other origins.
CORS_URLS_REGEX = r"^/(?!admin/)"
CORS_ALLOW_HEADERS = [
    "authorization",
    "content-type",
    "x-api-key",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-request-id",
]
CORS_EXPOSE_HEADERS = ["ETag", "Retry-After", "X-Request-ID", "WWW-Authenticate"]

_static = [] if STATIC_URL.startswith("/") else [environment.origin(STATIC_URL)]
_media = [environment.origin(PLAYBACK_BASE_URL)] if PLAYBACK_BASE_URL else []
_media += [f"https://{bucket}.s3.amazonaws.com" for bucket in RECORDING_BUCKETS if not PLAYBACK_BASE_URL]
_logo = [environment.origin(SITE_LOGO)] if urlsplit(SITE_LOGO).netloc else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF, *_static],
        "img-src": [SELF, *_static, "data:", *_media, *_logo, *THUMBNAIL_HOSTS],
        # hls.js feeds the video element from a blob and demuxes in a worker made of one. Its tracks of subtitles have
        # an empty `data:` URL.
        "media-src": [SELF, "blob:", "data:", *_media],
        "connect-src": [SELF, *_media],
        "worker-src": [SELF, "blob:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
# A working day; the account of someone who left the desk is not open for two weeks.
SESSION_COOKIE_AGE = 12 * 3600
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_COOKIES else 0
# Only behind a proxy that sets it, else any client could. On Lambda AWS sets it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ON_LAMBDA or TRUSTED_PROXIES else None
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
# The only one, so that no upload reaches the disk.
FILE_UPLOAD_HANDLERS = ["ondemand.videos.uploads.PictureUploadHandler"]
# TLS ends at API Gateway or CloudFront; HSTS is for the host that a team chose, not for its parent domain.
# The sign-in form itself reports the lock: the middleware of axes would replace the page by one line of text.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021", "axes.W002"]

# The counts of throttling, and the stored answers: at most 300 of 128 kB in each process, so that no number of answers
# displaces counts in a shared cache.
_in_process = "django.core.cache.backends.locmem.LocMemCache"
CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": _in_process, "OPTIONS": {"MAX_ENTRIES": 20_000}},
    "answers": {"BACKEND": _in_process, "LOCATION": "answers", "OPTIONS": {"MAX_ENTRIES": 300}},
}
if CACHE_URL:
    # Requests wait only briefly for an unavailable Redis, and never fail because of it.
    CACHES["default"] = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        "KEY_PREFIX": f"{PROJECT_NAME}:{STAGE}",
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
    }

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "common.rest.request_ids.RequestIdFilter"}},
    "formatters": {
        "line": {
            "()": "common.rest.request_ids.LineFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s request=%(request_id)s %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id"]}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "botocore": {"level": "WARNING"},
        # Its line for each request contains the query; the Lambda entry logs one without.
        "zappa": {"level": "WARNING"},
        # Its table already has each sign-in.
        "axes": {"level": "WARNING"},
    },
}
