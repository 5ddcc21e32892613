"""Settings from the environment: what is taken, what is refused by name, and what the checks report."""

import json
import os
import traceback
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import boto3
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from django.core import signing
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from moto.server import ThreadedMotoServer

from channels_app.channels.playback_keys import private_key_of
from common.postgresql.base import DatabaseWrapper
from ivsvod import checks
from tests.support.helpers import make_channel
from tests.support.private_playback import make_key, private_pem, public_pem
from tests.support.settings import FERNET_KEY, NEEDED, SECRET, python, settings_of, shown

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).resolve().parents[2]
PARAMETERS = {"PG_HOST": "db.example.com", "PG_DATABASE": "ivsvod", "PG_USER": "ivsvod", "PG_PASSWORD": SECRET}
WITHOUT_URL = {name: value for name, value in NEEDED.items() if name != "DATABASE_URL"}


def database(environment: dict[str, str]) -> dict[str, Any]:
    (databases,) = shown(environment, "DATABASES")
    return databases["default"]


def refused(environment: dict[str, str]) -> str:
    """The last line of what Python writes about the error; the secret is nowhere in it, traceback included."""
    with pytest.raises(ImproperlyConfigured) as error:
        settings_of(environment)
    written = "".join(traceback.format_exception(error.value))
    assert SECRET not in written
    return written.strip().splitlines()[-1]


def test_a_process_with_an_unusable_variable_does_not_start_and_its_last_line_is_the_error() -> None:
    environment = {**NEEDED, "DATABASE_URL": f"postgres://ivsvod:{SECRET}%zz@db.example.com/ivsvod"}
    done = python("import django; django.setup()", environment)
    assert done.returncode != 0
    assert SECRET not in done.stderr
    assert done.stderr.strip().splitlines()[-1] == refused(environment)


# Where the database is


def test_a_database_url_is_taken_apart() -> None:
    url = "postgresql://ivsvod:p%40ss%2Fw%25rd@db.example.com:5433/name%20x?sslmode=verify-full&application_name=x"
    found = database({**NEEDED, "DATABASE_URL": url})
    assert [found[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")] == [
        "ivsvod",
        "p@ss/w%rd",
        "db.example.com",
        "5433",
        "name x",
    ]
    assert (found["OPTIONS"]["sslmode"], found["OPTIONS"]["application_name"]) == ("verify-full", "x")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("postgres://ivsvod@/ivsvod?host=/var/run/postgresql", "/var/run/postgresql"),
        ("postgresql://%2Fvar%2Frun%2Fpostgresql/ivsvod", "/var/run/postgresql"),
        ("postgres://ivsvod@[::1]:5433/ivsvod", "::1"),
        ("postgres:///ivsvod", ""),
    ],
)
def test_the_forms_of_a_database_url_that_libpq_takes_are_taken(url: str, host: str) -> None:
    found = database({**NEEDED, "DATABASE_URL": url})
    assert (found["HOST"], found["NAME"]) == (host, "ivsvod")


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///db.sqlite3",
        "sqlite://:memory:",
        f"mysql://ivsvod:{SECRET}@db.example.com/ivsvod",
        f"host=db.example.com password={SECRET} dbname=ivsvod",
        f"postgres://ivsvod:{SECRET}@db.example.com",
        f"postgres://ivsvod:{SECRET}@db.example.com/",
        f"postgres://ivsvod:{SECRET}@db.example.com:port/",
        f"postgres://ivsvod:{SECRET}%zz@db.example.com/ivsvod",
        f"postgres://ivsvod:{SECRET}@db.example.com/ivsvod?nonsense=1",
        f"postgres://ivsvod:{SECRET}@[db.example.com/ivsvod",
        f"postgres://ivsvod:{SECRET}%00@db.example.com/ivsvod",
        # What urllib refuses, quoting it.
        f"postgres://ivsvod:[{SECRET}]@db.example.com:x/ivsvod?nonsense=1",
        f"mysql://ivsvod:{SECRET}\u2100@db.example.com/ivsvod",
        f"mysql://ivsvod:[{SECRET}@db.example.com/ivsvod",
        f"postgres://ivsvod:{SECRET}\udcff@db.example.com/ivsvod?nonsense=1",
        "nonsense",
        f"://{SECRET}",
    ],
)
def test_a_database_url_of_another_kind_is_refused_by_name_and_never_quoted(url: str) -> None:
    said = refused({**NEEDED, "DATABASE_URL": url})
    assert "ImproperlyConfigured" in said
    assert "DATABASE_URL" in said


def test_a_read_replica_is_a_second_database_without_which_there_is_one() -> None:
    (found,) = shown(
        {**NEEDED, "DATABASE_READ_URL": f"postgres://reader:{SECRET}@replica.example.com/ivsvod"}, "DATABASES"
    )
    assert {alias: values["HOST"] for alias, values in found.items()} == {
        "default": "db.example.com",
        "replica": "replica.example.com",
    }
    assert shown(NEEDED, "DATABASES")[0].keys() == {"default"}
    said = refused({**NEEDED, "DATABASE_READ_URL": f"mysql://reader:{SECRET}@replica.example.com/ivsvod"})
    assert "DATABASE_READ_URL" in said


PASSWORDS = (
    "p@ss:w/rd?#",
    "100%",
    "%41%zz",
    "{{SECRET_KEY}}",
    "$HOME ${HOME}",
    " spaced ",
    "'\"\\",
    "päß日本😀",
    "a=b c=d",
    "[x]",
    "\u2100",
)


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_with_any_character_reaches_libpq_as_it_is(password: str) -> None:
    by_parameter = database({**WITHOUT_URL, **PARAMETERS, "PG_PASSWORD": password})
    assert by_parameter["PASSWORD"] == password
    url = f"postgres://ivsvod:{quote(password, safe='')}@db.example.com/ivsvod"
    assert database({**NEEDED, "DATABASE_URL": url})["PASSWORD"] == password


@pytest.mark.parametrize("password", ["[x]", "[", "p]ss", "\u2100"])
def test_a_url_that_libpq_reads_is_taken_whatever_urllib_thinks_of_its_password(password: str) -> None:
    url = f"postgres://ivsvod:{password}@db.example.com/ivsvod"
    assert psycopg.conninfo.conninfo_to_dict(url)["password"] == password
    assert database({**NEEDED, "DATABASE_URL": url})["PASSWORD"] == password


def test_the_predecessors_variables_are_taken_with_its_tls() -> None:
    found = database({**WITHOUT_URL, **PARAMETERS})
    assert [found[name] for name in ("USER", "PASSWORD", "HOST", "NAME")] == [
        "ivsvod",
        SECRET,
        "db.example.com",
        "ivsvod",
    ]
    assert str(found["PORT"]) == "5432"
    assert found["OPTIONS"]["sslmode"] == "require"


def test_port_and_tls_of_the_parameters_can_be_set() -> None:
    extra = {"PG_PORT": "5433", "PG_SSLMODE": "verify-full", "PG_SSLROOTCERT": "/etc/ca.pem"}
    found = database({**WITHOUT_URL, **PARAMETERS, **extra})
    assert str(found["PORT"]) == "5433"
    assert (found["OPTIONS"]["sslmode"], found["OPTIONS"]["sslrootcert"]) == ("verify-full", "/etc/ca.pem")


def test_without_any_database_the_error_names_both_ways() -> None:
    said = refused(WITHOUT_URL)
    assert "PG_HOST" in said
    assert "DATABASE_URL" in said


@pytest.mark.parametrize("name", ["PG_DATABASE", "PG_USER"])
def test_a_missing_part_of_the_database_is_named(name: str) -> None:
    assert name in refused({**WITHOUT_URL, **PARAMETERS, name: ""})


@pytest.mark.parametrize("url", [NEEDED["DATABASE_URL"], ""])
def test_an_empty_database_url_is_as_none(url: str) -> None:
    found = database({**NEEDED, **PARAMETERS, "DATABASE_URL": url})
    assert found["HOST"] == "db.example.com"


# The other variables


@pytest.mark.parametrize("name", ["SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "ALLOWED_HOSTS"])
@pytest.mark.parametrize("value", ["", None])
def test_a_missing_variable_that_is_required_is_named(name: str, value: str | None) -> None:
    environment = {**NEEDED, name: value or ""}
    if value is None:
        del environment[name]
    said = refused(environment)
    assert "ImproperlyConfigured" in said
    assert name in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "perhaps"),
        ("API_PUBLIC_READ", "2"),
        ("HOLD_UNTIL_CHECKED", "maybe"),
        ("API_MAX_PAGE_SIZE", "many"),
        ("API_MAX_PAGE_SIZE", "0"),
        ("API_MAX_PAGE_SIZE", "-1"),
        ("API_MAX_PAGE_SIZE", "1.5"),
        ("API_MAX_PAGE_SIZE", "9" * 5000),
        ("SECURE_COOKIES", "maybe"),
        ("PG_PORT", "five"),
        ("PG_PORT", "0"),
        ("PG_PORT", "65536"),
        ("PG_SSLMODE", "sometimes"),
        ("TIME_ZONE", "Mars/Phobos"),
        ("TIME_ZONE", "../etc/passwd"),
        ("STATIC_URL", "static"),
        ("PLAYBACK_BASE_URL", "media.example.com"),
        ("PLAYBACK_BASE_URL", "ftp://media.example.com"),
        ("PLAYBACK_BASE_URL", "https://"),
        ("NEW_VIDEO_STATE", "public"),
        ("NEW_VIDEO_STATE", "Listed"),
        ("THROTTLE_ADDRESS", "600"),
        ("THROTTLE_ADDRESS", "0/min"),
        ("THROTTLE_TOKEN", "many/min"),
        ("THROTTLE_TOKEN", "1/fortnight"),
        ("TRUSTED_PROXIES", "-1"),
        ("TRUSTED_PROXIES", "11"),
        ("TRUSTED_PROXIES", "one"),
        ("LANGUAGE_CODE", "klingon"),
        ("SITE_NAME", "two\nlines"),
        ("SITE_NAME", "x" * 61),
        ("SITE_LOGO", "logo.svg"),
        ("SITE_LOGO", "javascript:alert(1)"),
        ("SITE_LOGO", "https://example.com; script-src *"),
        ("SITE_LOGO", "https://*/logo.svg"),
        ("SITE_LOGO", "https://user:password@example.com/logo.svg"),
        ("SITE_LOGO", "//example.com/logo.svg"),
        ("SITE_LOGO", "/\\example.com/logo.svg"),
        ("SITE_COLOUR", "green"),
        ("SITE_COLOUR", "#0b6e4f;}"),
        ("SITE_FOOTER", "https://www.example.com/imprint"),
        ("SITE_FOOTER", "Imprint=www.example.com"),
        ("SITE_FOOTER", "Imprint=javascript:alert(1)"),
        ("SITE_FOOTER", "Imprint=//example.com"),
        ("SITE_FOOTER", "Imprint=https://a b"),
        ("TEMPLATES_DIR", "no/such/folder"),
        ("LANGUAGE_CODE", "x" * 50),
        ("DEAD_LETTER_QUEUE_URL", "ivs-dead-letters"),
        ("DEAD_LETTER_QUEUE_URL", "http://sqs.eu-west-1.amazonaws.com/111122223333/ivs-dead-letters"),
        ("EVENT_QUEUE_URL", "ivs-events"),
        ("INBOX_RETENTION_DAYS", "14"),
        ("INBOX_RETENTION_DAYS", "0"),
        ("INBOX_RETENTION_DAYS", "for ever"),
    ],
)
def test_nonsense_in_a_variable_is_refused_by_an_error_that_names_it(name: str, value: str) -> None:
    said = refused({**WITHOUT_URL, **PARAMETERS, name: value})
    assert name in said


IDENTITY = {
    "OIDC_ISSUER": "https://id.example.com",
    "OIDC_AUDIENCE": "ivsvod",
    "OIDC_JWKS": "https://id.example.com/jwks.json",
}


@pytest.mark.parametrize("name", IDENTITY)
def test_an_identity_provider_is_set_whole_or_not_at_all(name: str) -> None:
    said = refused({**NEEDED, **IDENTITY, name: ""})
    assert f"{name} is not set" in said


SIGNING = {
    "CLOUDFRONT_KEY_ID": "K2JCJMDEHXQW5F",
    "CLOUDFRONT_PRIVATE_KEY": f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----",
    "PLAYBACK_BASE_URL": "https://media.example.com",
}


@pytest.mark.parametrize("name", SIGNING)
def test_signing_is_set_whole_or_not_at_all(name: str) -> None:
    assert f"{name} is not set" in refused({**NEEDED, **SIGNING, name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLOUDFRONT_KEY_ID", "K1&Policy=x"),
        ("CLOUDFRONT_KEY_ID", SIGNING["CLOUDFRONT_PRIVATE_KEY"]),
        ("CLOUDFRONT_HASH_ALGORITHM", "MD5"),
        ("CLOUDFRONT_HASH_ALGORITHM", "sha256"),
        ("CLOUDFRONT_HASH_ALGORITHM", ""),
        ("CLOUDFRONT_PRIVATE_KEY", "file:/nowhere/key.pem"),
        ("PLAYBACK_BASE_URL", "https://*.example.com"),
        ("PLAYBACK_BASE_URL", "https://media.example.com/a?b"),
        ("PLAYBACK_BASE_URL", "https://media.example.com/*"),
        ("PLAYBACK_BASE_URL", "https://media.example.com/../x"),
        ("PLAYBACK_BASE_URL", "https://Media.example.com"),
        ("PLAYBACK_BASE_URL", f"https://u:{SECRET}@media.example.com"),
    ],
)
def test_signing_that_cannot_work_is_refused_by_name_and_shows_no_key(name: str, value: str) -> None:
    assert name in refused({**NEEDED, **SIGNING, name: value})


@pytest.mark.parametrize("url", ["https://media.example.com/a/b", "http://127.0.0.1:8000/_local/media", "http://[::1]"])
def test_urls_that_browsers_request_as_they_are_can_be_signed(url: str) -> None:
    assert shown({**NEEDED, **SIGNING, "PLAYBACK_BASE_URL": f"{url}/"}, "PLAYBACK_BASE_URL") == [url]


def test_lines_of_a_pem_may_end_in_two_characters_and_sha1_is_the_default() -> None:
    written = SIGNING["CLOUDFRONT_PRIVATE_KEY"].replace("\n", "\\n") + "\\n"
    names = ("CLOUDFRONT_PRIVATE_KEY", "CLOUDFRONT_HASH_ALGORITHM")
    found = shown({**NEEDED, **SIGNING, "CLOUDFRONT_PRIVATE_KEY": written}, *names)
    assert found == [SIGNING["CLOUDFRONT_PRIVATE_KEY"], "SHA1"]
    assert shown(NEEDED, "CLOUDFRONT_KEY_ID", *names) == ["", "", "SHA1"]


@pytest.mark.parametrize("name", ["OIDC_ISSUER", "OIDC_JWKS"])
@pytest.mark.parametrize(
    "value", ["id.example.com", "http://id.example.com/x", "ftp://id.example.com", "https://", "http://["]
)
def test_an_identity_provider_without_tls_is_refused_by_name(name: str, value: str) -> None:
    assert name in refused({**NEEDED, **IDENTITY, name: value})


def test_the_prefix_of_scopes_is_empty_or_the_part_before_the_slash() -> None:
    assert shown({**NEEDED, **IDENTITY}, "OIDC_SCOPE_PREFIX") == [""]
    environment = {**NEEDED, **IDENTITY, "OIDC_SCOPE_PREFIX": "https://api.example.com/"}
    assert shown(environment, "OIDC_SCOPE_PREFIX") == ["https://api.example.com"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8001", "[::1]:8001"])
def test_an_identity_provider_of_this_machine_needs_no_tls(host: str) -> None:
    environment = {**NEEDED, **IDENTITY, "OIDC_JWKS": f"http://{host}/jwks.json"}
    assert shown(environment, "OIDC_JWKS") == [f"http://{host}/jwks.json"]


PLAYBACK_KEY = make_key()
PLAYBACK = {
    "IVS_PLAYBACK_KEY_ARN": "arn:aws:ivs:eu-west-1:111122223333:playback-key/AjIhKtJ0RlgL",
    "IVS_PLAYBACK_PRIVATE_KEY": private_pem(PLAYBACK_KEY),
}


def test_a_playback_key_is_its_arn_and_its_private_half_in_any_form(tmp_path: Path) -> None:
    assert shown(NEEDED, *PLAYBACK) == ["", ""]
    pem = PLAYBACK["IVS_PLAYBACK_PRIVATE_KEY"]
    (tmp_path / "key.pem").write_text(pem)
    by_openssl = PLAYBACK_KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    for form in (pem, pem.replace("\n", "\\n"), pem.replace("\n", "\r\n"), f"file:{tmp_path}/key.pem", by_openssl):
        arn, found = shown({**NEEDED, **PLAYBACK, "IVS_PLAYBACK_PRIVATE_KEY": form}, *PLAYBACK)
        assert arn == PLAYBACK["IVS_PLAYBACK_KEY_ARN"]
        assert private_key_of(found).private_numbers() == PLAYBACK_KEY.private_numbers()


def test_a_playback_key_may_stand_in_secrets_manager(secrets_manager: dict[str, str]) -> None:
    own = stored(secrets_manager, json.dumps({"playback": PLAYBACK["IVS_PLAYBACK_PRIVATE_KEY"]}))
    environment = {**NEEDED, **secrets_manager, **PLAYBACK, "IVS_PLAYBACK_PRIVATE_KEY": f"{own}#playback"}
    assert shown(environment, "IVS_PLAYBACK_PRIVATE_KEY") == [PLAYBACK["IVS_PLAYBACK_PRIVATE_KEY"].strip()]


@pytest.mark.parametrize("name", PLAYBACK)
def test_a_playback_key_is_set_whole_or_not_at_all(name: str) -> None:
    assert f"{name} is not set" in refused({**NEEDED, **PLAYBACK, name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IVS_PLAYBACK_KEY_ARN", "AjIhKtJ0RlgL"),
        ("IVS_PLAYBACK_KEY_ARN", "arn:aws:ivs:eu-west-1:111122223333:channel/AjIhKtJ0RlgL"),
        ("IVS_PLAYBACK_PRIVATE_KEY", "file:/nowhere/at/all"),
    ],
)
def test_another_name_or_place_of_a_playback_key_is_refused_by_name(name: str, value: str) -> None:
    assert name in refused({**NEEDED, **PLAYBACK, name: value})


@pytest.mark.parametrize(
    "value",
    [
        SECRET,
        f"{SECRET}\udcff",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n",
        public_pem(PLAYBACK_KEY),
        private_pem(ec.generate_private_key(ec.SECP256R1())),
        private_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        PLAYBACK_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")).decode(),
    ],
    ids=["text", "not UTF-8", "no key in it", "public", "another curve", "RSA", "encrypted"],
)
def test_an_unusable_playback_key_is_an_error_of_the_check_that_does_not_quote_it(settings: Any, value: str) -> None:
    settings.IVS_PLAYBACK_PRIVATE_KEY = value
    [message] = checks.playback_key_is_usable(None)
    assert message.id == "ivsvod.E003"
    assert "IVS_PLAYBACK_PRIVATE_KEY" in message.msg
    assert not [text for text in (SECRET, "BEGIN", value) if text in str(message)]
    settings.IVS_PLAYBACK_PRIVATE_KEY = PLAYBACK["IVS_PLAYBACK_PRIVATE_KEY"]
    assert checks.playback_key_is_usable(None) == []


@pytest.mark.parametrize(
    "url", [f"http://:{SECRET}@cache", f"redis:{SECRET}", f"redis://:{SECRET}@cache:x", f"{SECRET}"]
)
def test_a_cache_of_another_kind_is_refused_by_name_and_never_quoted(url: str) -> None:
    assert "CACHE_URL" in refused({**NEEDED, "CACHE_URL": url})


def test_a_cache_is_redis_where_it_is_set_and_in_process_elsewhere() -> None:
    (none,) = shown(NEEDED, "CACHES")
    assert none["default"]["BACKEND"].endswith("LocMemCache")
    (redis,) = shown({**NEEDED, "CACHE_URL": "rediss://:x@cache.example.com:6380/1", "STAGE": "live"}, "CACHES")
    assert redis["default"]["BACKEND"].endswith("RedisCache")
    assert redis["default"]["KEY_PREFIX"] == "ivsvod:live"
    cache = {"CACHE_URL": "redis://cache.example.com", "STAGE": "live", "PROJECT_NAME": "vod"}
    assert shown({**NEEDED, **cache}, "CACHES")[0]["default"]["KEY_PREFIX"] == "vod:live"


def test_rates_are_those_of_the_contract_and_empty_is_off() -> None:
    names = ("THROTTLE_ADDRESS", "THROTTLE_TOKEN", "THROTTLE_FAILURES", "TRUSTED_PROXIES")
    assert shown(NEEDED, *names) == [
        "Rate(count=600, seconds=60)",
        "Rate(count=3000, seconds=60)",
        "Rate(count=30, seconds=60)",
        0,
    ]
    off = {**NEEDED, "THROTTLE_ADDRESS": "", "THROTTLE_TOKEN": ""}
    assert shown(off, *names) == [None, None, None, 0]


def test_the_inbox_keeps_events_for_400_days_or_as_set_and_for_ever_where_it_is_empty() -> None:
    name = "INBOX_RETENTION_DAYS"
    found = [shown({**NEEDED, **values}, name) for values in ({}, {name: "15"}, {name: ""})]
    assert found == [[400], [15], [None]]


def test_the_ignored_parameters_are_those_of_the_contract_or_of_the_setting() -> None:
    name = "API_IGNORED_PARAMETERS"
    assert shown(NEEDED, name) == [["_", "t", "ts", "v", "fbclid", "gclid", "utm_*"]]
    assert shown({**NEEDED, name: "x,y*"}, name) == [["x", "y*"]]
    assert shown({**NEEDED, name: ""}, name) == [[]]


def test_nonsense_that_the_settings_do_not_see_is_an_error_of_the_checks_that_names_it_and_no_password() -> None:
    nonsense = {
        "FIELD_ENCRYPTION_KEYS": f"{FERNET_KEY},nonsense",
        "CSRF_TRUSTED_ORIGINS": "www.example.com",
        "CORS_ALLOWED_ORIGINS": "www.example.com",
    }
    done = python("from manage import run; run()", {**NEEDED, **nonsense}, "check")
    assert done.returncode != 0
    assert [name for name in nonsense if name not in done.stderr] == []
    assert SECRET not in done.stdout + done.stderr


def test_defaults_and_types_are_those_of_the_contract() -> None:
    names = ("DEBUG", "API_PUBLIC_READ", "API_MAX_PAGE_SIZE", "AUTH_API_KEY", "TIME_ZONE", "RECORDING_BUCKETS")
    assert shown(NEEDED, *names) == [False, True, 100, "", "UTC", []]


def test_lists_are_comma_separated_and_the_first_bucket_is_the_main_one() -> None:
    extra = {"ALLOWED_HOSTS": "a.example,b.example", "RECORDING_BUCKET": "main", "RECORDING_BUCKETS": "old,older"}
    assert shown({**NEEDED, **extra}, "ALLOWED_HOSTS", "RECORDING_BUCKETS") == [
        ["a.example", "b.example"],
        ["main", "old", "older"],
    ]


def test_a_shared_key_with_any_byte_is_read() -> None:
    for key in (" k$%{{x}} ", "kü", "k\udcff\udc80", "'q'", '"q"', "#x", "a,b"):
        read = settings_of({**NEEDED, "AUTH_API_KEY": key})["AUTH_API_KEY"]
        assert read.encode("utf-8", "surrogateescape") == os.fsencode(key), key


def test_a_process_on_lambda_keeps_one_connection_and_no_pool() -> None:
    found = database({**NEEDED, "AWS_LAMBDA_FUNCTION_NAME": "ivsvod"})
    assert "pool" not in found["OPTIONS"]
    assert found["CONN_MAX_AGE"] > 0
    assert database(NEEDED)["OPTIONS"]["pool"]["max_size"] >= 1


def test_a_statement_timeout_that_a_pooler_would_refuse_is_refused_by_name() -> None:
    assert "PG_STATEMENT_TIMEOUT" in refused({**NEEDED, "PG_POOLER": "true", "PG_STATEMENT_TIMEOUT": "25"})


# System checks


@pytest.mark.parametrize("name", ["RECORDING_BUCKET", "RECORDING_CONFIG_ARN", "AWS_REGION"])
def test_a_missing_name_of_aws_is_a_warning_with_id_and_hint(settings: Any, name: str) -> None:
    for other in ("RECORDING_BUCKET", "RECORDING_CONFIG_ARN", "AWS_REGION"):
        setattr(settings, other, "" if other == name else "set")
    (message,) = checks.settings_are_complete(None)
    assert name in message.msg
    assert name in (message.hint or "")
    assert (message.id or "").startswith("ivsvod.W")
    assert not message.is_serious()
    assert message in run_checks()


def test_nothing_is_reported_where_nothing_is_missing(settings: Any) -> None:
    settings.RECORDING_CONFIG_ARN = "arn:aws:ivs:eu-west-1:111122223333:recording-configuration/AbCdEfGhIjKl"
    assert [message for message in run_checks() if (message.id or "").startswith("ivsvod.")] == []


def test_a_dead_letter_queue_without_a_name_is_a_warning_of_the_deploy_check_alone(settings: Any) -> None:
    settings.DEAD_LETTER_QUEUE_URL = ""
    (message,) = checks.dead_letter_queue_is_named(None)
    assert "DEAD_LETTER_QUEUE_URL" in message.msg
    assert not message.is_serious()
    assert message in run_checks(include_deployment_checks=True)
    assert message not in run_checks()

    settings.DEAD_LETTER_QUEUE_URL = "https://sqs.eu-west-1.amazonaws.com/111122223333/ivs-dead-letters"
    assert checks.dead_letter_queue_is_named(None) == []


def test_a_private_bucket_without_a_playback_base_url_is_a_warning_with_id_and_hint(settings: Any) -> None:
    settings.PLAYBACK_BASE_URL = ""
    (message,) = [found for found in run_checks() if found.id == "ivsvod.W005"]
    assert "PLAYBACK_BASE_URL" in message.msg
    assert "PLAYBACK_BASE_URL" in (message.hint or "")
    assert not message.is_serious()
    settings.RECORDING_BUCKET = ""
    assert "ivsvod.W005" not in {found.id for found in run_checks()}


@pytest.mark.django_db
def test_private_channels_whose_recordings_play_by_url_are_a_warning_of_the_database_check(settings: Any) -> None:
    def warned() -> set[str]:
        return {"ivsvod.W006", "ivsvod.W007"} & {found.id for found in run_checks(databases=["default"])}

    make_channel()
    assert not warned()
    make_channel(private=True)
    assert warned() == {"ivsvod.W006", "ivsvod.W007"}
    assert "ivsvod.W006" not in {found.id for found in run_checks()}
    settings.PLAYBACK_BASE_URL = ""
    assert warned() == {"ivsvod.W007"}
    settings.IVS_PLAYBACK_PRIVATE_KEY = "a key"
    assert not warned()


@pytest.mark.django_db
def test_private_channels_are_no_warning_where_urls_are_signed(settings: Any) -> None:
    make_channel(private=True)
    settings.CLOUDFRONT_KEY_ID = "K2JCJMDEHXQW5F"
    assert "ivsvod.W006" not in {found.id for found in run_checks(databases=["default"])}


def test_an_unusable_encryption_key_is_an_error_that_does_not_quote_it(settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [FERNET_KEY, "not-a-key", ""]
    found = checks.field_encryption_keys_are_fernet_keys(None)
    assert [message.id for message in found] == ["ivsvod.E001"] * 2
    for message, number in zip(found, ("2", "3"), strict=True):
        assert message.is_serious()
        assert number in message.msg
        assert "FIELD_ENCRYPTION_KEYS" in message.msg
        assert "not-a-key" not in f"{message.msg}{message.hint}"


# Signing in to the database fails. The embedded server trusts everyone, so the server's answer is made up here.


REFUSAL = 'connection to server at "db", port 5432 failed: FATAL:  password authentication failed for user "ivsvod"'


def wrapper(**values: Any) -> DatabaseWrapper:
    from django.db import connection

    return DatabaseWrapper({**connection.settings_dict, "OPTIONS": {}, **values}, alias="test")


def refuse(monkeypatch: pytest.MonkeyPatch, message: str) -> None:
    def connect(*_: Any, **__: Any) -> None:
        raise psycopg.OperationalError(message)

    monkeypatch.setattr("psycopg.connect", connect)
    monkeypatch.setattr("django.db.backends.postgresql.base.Database.connect", connect)


@pytest.mark.parametrize(
    "values", [{"PASSWORD": "p%40ss"}, {"USER": "iv%2Fsvod", "PASSWORD": "x"}, {"PASSWORD": "%c3%a9"}]
)
def test_a_failed_sign_in_with_a_percent_encoded_value_gets_a_hint_without_the_value(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str]
) -> None:
    refuse(monkeypatch, REFUSAL)
    with pytest.raises(psycopg.OperationalError, match="percent-encoded") as refusal:
        wrapper(**values).get_new_connection({})
    assert "password authentication failed" in str(refusal.value)
    assert values["PASSWORD"] == "x" or values["PASSWORD"] not in str(refusal.value)


@pytest.mark.parametrize(
    ("message", "password"),
    [(REFUSAL, "plain"), (REFUSAL, "100%"), (REFUSAL, "%zz"), ("connection refused", "p%40ss"), ("timeout", "p%40ss")],
)
def test_other_failures_get_no_hint(monkeypatch: pytest.MonkeyPatch, message: str, password: str) -> None:
    refuse(monkeypatch, message)
    with pytest.raises(psycopg.OperationalError) as refusal:
        wrapper(PASSWORD=password, USER="ivsvod").get_new_connection({})
    assert str(refusal.value) == message


def test_a_pool_that_cannot_connect_gives_the_servers_reason_and_the_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    from psycopg_pool import PoolTimeout

    refuse(monkeypatch, REFUSAL)

    def timed_out(*_: Any) -> None:
        raise PoolTimeout("couldn't get a connection after 5.00 sec")

    monkeypatch.setattr("django.db.backends.postgresql.base.DatabaseWrapper.get_new_connection", timed_out)
    with pytest.raises(psycopg.OperationalError, match=r"authentication failed.*percent-encoded"):
        wrapper(PASSWORD="p%40ss").get_new_connection({})


def test_an_unreachable_server_is_an_error_without_the_password() -> None:
    """The whole way: settings, pool, wrapper, and a port on which nothing listens."""
    environment = {**WITHOUT_URL, **PARAMETERS, "PG_HOST": "127.0.0.1", "PG_PORT": "1", "PG_PASSWORD": SECRET}
    values = database(environment)
    values["OPTIONS"]["pool"]["timeout"] = 0.2
    opened = wrapper(**values)
    with pytest.raises(psycopg.OperationalError, match=r"127\.0\.0\.1") as failure:
        opened.get_new_connection(opened.get_connection_params())
    opened.close_pool()
    assert SECRET not in "".join(traceback.format_exception(failure.value))


# Values that stand elsewhere

SECRET_ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:ivsvod-AbCdEf"


@pytest.fixture(scope="module")
def secrets_manager() -> Iterator[dict[str, str]]:
    """A Secrets Manager behind a port, for processes of their own; returns the variables that lead to it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    server.stop()


@cache
def secrets_client(url: str) -> Any:
    """One for all, for making one takes long."""
    return boto3.session.Session().client(
        "secretsmanager",
        region_name="eu-west-1",
        endpoint_url=url,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def stored(variables: dict[str, str], text: str) -> str:
    """The ARN of a new secret with this text."""
    client = secrets_client(variables["AWS_ENDPOINT_URL"])
    return client.create_secret(Name=f"ivsvod-{uuid4()}", SecretString=text)["ARN"]


def test_a_secret_may_stand_in_secrets_manager(secrets_manager: dict[str, str]) -> None:
    own = stored(secrets_manager, json.dumps({"SECRET_KEY": SECRET, "other": "x"}))
    password = stored(secrets_manager, json.dumps({"username": "ivsvod", "password": "p@ss,word"}))
    key = stored(secrets_manager, "dGhlIGtleSBvZiBhIHRlc3QsIDMyIGJ5dGVzIGxvbmc")
    environment = {
        **WITHOUT_URL,
        **PARAMETERS,
        **secrets_manager,
        "SECRET_KEY": f"{own}#SECRET_KEY",
        "PG_PASSWORD": f"{password}#password",
        "FIELD_ENCRYPTION_KEYS": f"{key},{FERNET_KEY}",
    }
    secret_key, keys, databases = shown(environment, "SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "DATABASES")
    assert secret_key == SECRET
    assert keys == [FERNET_KEY, FERNET_KEY]
    assert databases["default"]["PASSWORD"] == "p@ss,word"


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(SECRET + "\n")
    assert shown({**NEEDED, "SECRET_KEY": f"file:{path}"}, "SECRET_KEY") == [SECRET]


def test_the_key_of_cloudfront_may_stand_in_a_file_or_in_secrets_manager(
    secrets_manager: dict[str, str], tmp_path: Path
) -> None:
    path, pem = tmp_path / "a key.pem", SIGNING["CLOUDFRONT_PRIVATE_KEY"]
    path.write_text(f"{pem}\n")
    secret = stored(secrets_manager, json.dumps({"second": f"{pem}\n"}))
    for reference in (f"file:{path}", f"{secret}#second"):
        environment = {**NEEDED, **SIGNING, **secrets_manager, "CLOUDFRONT_PRIVATE_KEY": reference}
        assert shown(environment, "CLOUDFRONT_PRIVATE_KEY") == [pem]


@pytest.mark.parametrize("reference", ["file:/nowhere/at/all", f"{SECRET_ARN}#", "arn:aws:secretsmanager:eu-west-1"])
def test_a_reference_that_leads_nowhere_is_refused_by_name(reference: str) -> None:
    error_output = refused({**NEEDED, "AUTH_API_KEY": reference})
    assert "ImproperlyConfigured: AUTH_API_KEY: " in error_output


def test_a_secret_that_cannot_be_had_is_refused_by_name(secrets_manager: dict[str, str]) -> None:
    own = stored(secrets_manager, SECRET)
    assert "ImproperlyConfigured: SECRET_KEY: " in refused({**NEEDED, **secrets_manager, "SECRET_KEY": f"{SECRET_ARN}"})
    assert "no text under password" in refused({**NEEDED, **secrets_manager, "SECRET_KEY": f"{own}#password"})


def test_a_key_of_letters_and_digits_alone_is_a_fernet_key(settings: Any) -> None:
    """As Secrets Manager generates it."""
    (keys,) = shown({**NEEDED, "FIELD_ENCRYPTION_KEYS": "Ab1" * 14 + "c"}, "FIELD_ENCRYPTION_KEYS")
    settings.FIELD_ENCRYPTION_KEYS = keys
    assert checks.field_encryption_keys_are_fernet_keys(None) == []


@pytest.mark.parametrize("value", ["0", "-1", "901", "soon"])
def test_a_statement_timeout_that_is_none_is_refused(value: str) -> None:
    assert "PG_STATEMENT_TIMEOUT" in refused({**NEEDED, "PG_STATEMENT_TIMEOUT": value})


def test_an_older_secret_key_is_still_believed(settings: Any) -> None:
    settings.SECRET_KEY = "the old one of a test"
    signed = signing.dumps("x")
    new = {"SECRET_KEY": "the new one of a test", "SECRET_KEY_FALLBACKS": "older still,the old one of a test"}
    found = settings_of({**NEEDED, **new})
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = (found[name] for name in new)
    assert signing.loads(signed) == "x"
