"""Tokens, the shared key, accounts and their scopes, and `create_api_token`."""

import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ivsvod.accounts.models import ApiToken, User
from ondemand.models import Content, Video
from tests.support.helpers import bearer, make_account, make_token, make_video

SCOPES = ("read", "curate", "channels", "playback")


@pytest.fixture
def client() -> Client:
    """Sees the answer to a failure as a client does."""
    return Client(raise_request_exception=False)


@pytest.fixture
def hide(client: Client) -> Callable[..., Any]:
    """Hides a new video by an `Authorization` header as given."""

    def request(header: str) -> Any:
        return client.delete(f"/on-demand/{make_video().uuid}", headers={"Authorization": header})

    return request


def assert_refused(response: Any, status: int = 401) -> None:
    assert response.status_code == status, response.content
    assert sorted(response.json()) == ["code", "error", "fields"]
    if status == 401:
        assert response["WWW-Authenticate"] == "Bearer"
    assert not Video.objects.filter(active=False).exists()


def create_api_token(*arguments: str) -> str:
    stdout = io.StringIO()
    call_command("create_api_token", *arguments, stdout=stdout)
    lines = stdout.getvalue().splitlines()
    assert len(lines) == 1
    return lines[0]


# The shared key


@pytest.mark.django_db
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_shared_key_has_full_access_whatever_the_case_of_bearer(
    hide: Callable[..., Any], api_key: str, scheme: str
) -> None:
    assert hide(f"{scheme} {api_key}").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "header", ["Basic secret", "secret secret", "X secret", "Bearer  secret", "Bearer anything secret"]
)
def test_the_last_part_of_the_header_is_the_shared_key_whatever_the_scheme(
    hide: Callable[..., Any], settings: Any, header: str
) -> None:
    settings.AUTH_API_KEY = "secret"
    assert hide(header).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "header",
    [
        "secre",
        "Bearer secre",
        "Bearer secrets",
        "Bearer Secret",
        "Bearer secret\0",
        "Bearer secret\xa0",
        "Bearer",
        "Basic",
    ],
)
def test_anything_but_the_exact_shared_key_is_a_401(hide: Callable[..., Any], settings: Any, header: str) -> None:
    settings.AUTH_API_KEY = "secret"
    assert_refused(hide(header))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("k\u00fc\u00e9\u00df", b"k\xc3\xbc\xc3\xa9\xc3\x9f"),
        ("\u65e5\u672c", "\u65e5\u672c".encode()),
        # As the environment hands over a byte that is no UTF-8.
        ("k\udcff\udc80", b"k\xff\x80"),
        ("a=b&c/d+e:f%41;\"'\\", b"a=b&c/d+e:f%41;\"'\\"),
        ("three.dotted.parts", b"three.dotted.parts"),
        # Their last byte is a space of latin-1.
        ("vo\u00e0", b"vo\xc3\xa0"),
        ("\u00c5", b"\xc3\x85"),
        ("two words", b"two words"),
        ("\t\x01", b"\t\x01"),
        ("k" * 5000, b"k" * 5000),
    ],
)
def test_the_shared_key_may_hold_any_byte(client: Client, settings: Any, key: str, sent: bytes) -> None:
    settings.AUTH_API_KEY = key
    # WSGI hands header bytes over as latin-1.
    response = client.delete(f"/on-demand/{make_video().uuid}", HTTP_AUTHORIZATION=f"Bearer {sent.decode('latin-1')}")
    assert response.status_code == 200


@pytest.mark.django_db
def test_a_wrong_key_that_another_encoding_would_make_equal_is_refused(hide: Callable[..., Any], settings: Any) -> None:
    settings.AUTH_API_KEY = "k?"
    assert_refused(hide("Bearer k\u65e5"))


# Malformed headers


MALFORMED = (
    "",
    " ",
    "Bearer",
    "Bearer ",
    "Bearer\t",
    "bearer   ",
    "Bearernospace",
    "nospace",
    "Basic dXNlcjpwYXNz",
    "Digest username=x",
    "Token x",
    "Bearer \0",
    "\0",
    "Bearer a\0b",
    "Bearer \xff\xfe",
    "\xff \xff",
    "Bearer " + "x" * 100_000,
    "x" * 100_000,
    "Bearer a b",
    "Bearer a.b.c",
    "Bearer ..",
    "Bearer %s{0}",
    "Bearer \u65e5",
    "Bearer \U0001f600",
    "Bearer undefined",
    "Bearer null",
    ", Bearer x",
    "Bearer x, Bearer y",
    "Bearer \r\n",
)


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "a key"])
def test_every_malformed_header_is_a_401_on_reads_and_writes(
    client: Client, settings: Any, key: str, subtests: pytest.Subtests
) -> None:
    settings.AUTH_API_KEY = key
    path = f"/on-demand/{make_video().uuid}"
    for header in MALFORMED:
        with subtests.test(header[:40]):
            for method in ("GET", "PUT", "PATCH", "DELETE"):
                assert_refused(client.generic(method, path, HTTP_AUTHORIZATION=header))
            assert_refused(client.post("/channels", HTTP_AUTHORIZATION=header))
    assert not Content.objects.exists()


# Tokens


@pytest.mark.django_db
def test_a_token_is_printed_once_and_stored_as_a_digest(hide: Callable[..., Any]) -> None:
    text = create_api_token("player", "--scope", "read,curate")
    assert hide(f"Bearer {text}").status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(t)::text FROM accounts_apitoken t")
        ((row,),) = cursor.fetchall()
    assert text not in row
    token = ApiToken.objects.get()
    assert (token.name, token.user.username, sorted(token.scopes)) == ("player", "player", ["curate", "read"])
    assert text not in repr(token) + str(token)


@pytest.mark.django_db
def test_the_scheme_bearer_is_accepted_in_any_case(hide: Callable[..., Any]) -> None:
    _, text = make_token("curate")
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert hide(f"{scheme} {text}").status_code == 200


@pytest.mark.django_db
def test_a_token_is_not_taken_under_another_scheme_or_with_changes(hide: Callable[..., Any]) -> None:
    _, text = make_token("curate")
    swapped = text.swapcase()
    for header in (text, f"Basic {text}", f"Token {text}", f"Bearer {text}x", f"Bearer {text[:-1]}", f"Bearer x{text}"):
        assert_refused(hide(header))
    for credential in (swapped, text[:15], text[:15] + "0" * (len(text) - 15), text + " x", f"{text}\0"):
        if credential != text:
            assert_refused(hide(f"Bearer {credential}"))


@pytest.mark.django_db
@pytest.mark.parametrize("scope", SCOPES)
def test_a_token_opens_only_the_routes_of_its_scope(client: Client, settings: Any, scope: str) -> None:
    settings.API_PUBLIC_READ = False
    _, text = make_token(scope)
    headers = bearer(text)
    video = make_video()
    statuses = {
        "read": client.get(f"/on-demand/{video.uuid}", headers=headers).status_code,
        "curate": client.delete(f"/on-demand/{video.uuid}", headers=headers).status_code,
        # 400: the scope is there, the body is not.
        "channels": client.post("/channels", "{}", "application/json", headers=headers).status_code,
    }
    allowed = {"read": 200, "curate": 200, "channels": 400}
    assert statuses == {name: allowed[name] if name == scope else 403 for name in statuses}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("token_scopes", "account_scopes", "status"),
    [
        (["curate"], ["curate"], 200),
        (["curate"], [], 403),
        ([], ["curate"], 403),
        (["curate"], ["read", "channels"], 403),
        (["read"], ["read", "curate"], 403),
    ],
)
def test_a_token_is_limited_to_its_scopes_and_to_its_account(
    client: Client, token_scopes: list[str], account_scopes: list[str], status: int
) -> None:
    make_account(*account_scopes, username="service")
    _, text = make_token(*token_scopes, account="service")
    response = client.delete(f"/on-demand/{make_video().uuid}", headers=bearer(text))
    assert response.status_code == status
    assert Video.objects.filter(active=False).exists() is (status == 200)


@pytest.mark.django_db
def test_a_permission_by_group_counts_until_it_is_removed(client: Client, hide: Callable[..., Any]) -> None:
    from django.contrib.auth.models import Group, Permission

    user = make_account(username="service")
    group = Group.objects.create(name="Curators of the test")
    group.permissions.set(Permission.objects.filter(content_type__app_label="accounts", codename="curate"))
    _, text = make_token("curate", account="service")
    assert_refused(hide(f"Bearer {text}"), 403)
    user.groups.add(group)
    assert hide(f"Bearer {text}").status_code == 200
    user.groups.clear()
    assert hide(f"Bearer {text}").status_code == 403


@pytest.mark.django_db
def test_a_token_of_a_superuser_still_needs_the_scope(client: Client, hide: Callable[..., Any]) -> None:
    User.objects.create_superuser("root", password="a long password of a test")
    _, narrow = make_token("read", account="root")
    _, wide = make_token("curate", account="root")
    assert_refused(hide(f"Bearer {narrow}"), 403)
    assert hide(f"Bearer {wide}").status_code == 200


@pytest.mark.django_db
def test_an_expired_token_is_a_401(client: Client, hide: Callable[..., Any]) -> None:
    token, text = make_token("curate", expires_in=timedelta(days=1))
    assert hide(f"Bearer {text}").status_code == 200
    Video.objects.all().delete()
    ApiToken.objects.filter(pk=token.pk).update(expiry=timezone.now() - timedelta(seconds=1))
    assert_refused(hide(f"Bearer {text}"))
    assert client.get("/on-demand", headers=bearer(text)).status_code == 401


@pytest.mark.django_db
def test_a_revoked_token_is_a_401_and_its_siblings_go_on(hide: Callable[..., Any]) -> None:
    token, text = make_token("curate", account="service")
    _, other = make_token("curate", account="service")
    token.delete()
    assert_refused(hide(f"Bearer {text}"))
    assert hide(f"Bearer {other}").status_code == 200


@pytest.mark.django_db
def test_a_token_of_an_inactive_account_is_a_401(hide: Callable[..., Any]) -> None:
    token, text = make_token("curate")
    User.objects.filter(pk=token.user.pk).update(is_active=False)
    assert_refused(hide(f"Bearer {text}"))


@pytest.mark.django_db
def test_the_last_use_is_shown_and_not_written_at_every_request(client: Client) -> None:
    token, text = make_token("read")
    assert token.last_used_at is None
    client.get("/on-demand", headers=bearer(text))
    token.refresh_from_db()
    first = token.last_used_at
    assert timezone.now() - first < timedelta(minutes=5)
    with CaptureQueriesContext(connection) as queries:
        client.get("/on-demand", headers=bearer(text))
    assert not [query for query in queries if "UPDATE" in query["sql"]]
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=timezone.now() - timedelta(days=1))
    client.get("/on-demand", headers=bearer(text))
    token.refresh_from_db()
    assert token.last_used_at >= first


@pytest.mark.django_db
def test_a_refused_credential_is_no_use_of_a_token(client: Client) -> None:
    token, text = make_token("read")
    client.get("/on-demand", headers=bearer(text[:-1] + "x"))
    token.refresh_from_db()
    assert token.last_used_at is None


@pytest.mark.django_db
def test_an_account_has_a_uuid_key_and_several_tokens(hide: Callable[..., Any]) -> None:
    first, text = make_token("curate", account="service")
    second, other = make_token("read", account="service")
    assert first.user.pk == second.user.pk == User.objects.get().uuid
    assert text != other
    assert hide(f"Bearer {text}").status_code == 200


@pytest.mark.django_db
def test_no_token_appears_in_the_log_or_an_answer(
    client: Client, caplog: pytest.LogCaptureFixture, api_key: str
) -> None:
    caplog.set_level("DEBUG", logger="ivsvod")
    caplog.set_level("DEBUG", logger="django.request")
    _, text = make_token("read")
    said = ""
    for credential in (text, f"{text}x", api_key, f"{api_key}x"):
        for method in ("GET", "DELETE", "POST"):
            said += client.generic(method, "/on-demand", headers=bearer(credential)).content.decode()
    said += caplog.text
    assert text not in said
    assert api_key not in said


# create_api_token


@pytest.mark.django_db
def test_create_api_token_makes_the_account_with_the_permissions_of_its_scopes() -> None:
    create_api_token("player", "--account", "website", "--scope", "read, playback")
    user = User.objects.get()
    assert (user.username, user.has_usable_password(), user.is_staff, user.is_superuser) == (
        "website",
        False,
        False,
        False,
    )
    assert {scope for scope in SCOPES if user.has_perm(f"accounts.{scope}")} == {"read", "playback"}
    assert ApiToken.objects.get().expiry is None


@pytest.mark.django_db
def test_create_api_token_leaves_the_permissions_and_password_of_an_account_that_exists() -> None:
    user = make_account("read", username="website", password="a long password of a test")
    create_api_token("player", "--account", "website", "--scope", "read,curate")
    fresh = User.objects.get(pk=user.pk)
    assert {scope for scope in SCOPES if fresh.has_perm(f"accounts.{scope}")} == {"read"}
    assert fresh.check_password("a long password of a test")


@pytest.mark.django_db
def test_create_api_token_gives_read_only_by_default_and_an_optional_expiry() -> None:
    create_api_token("player", "--expires-days", "30")
    token = ApiToken.objects.get()
    assert token.scopes == ["read"]
    assert timedelta(days=29) < token.expiry - timezone.now() <= timedelta(days=30)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("player", "--scope", "everything"), "--scope"),
        (("player", "--scope", "read,Curate"), "--scope"),
        (("player", "--expires-days", "0"), "--expires-days"),
        (("player", "--expires-days", "-1"), "--expires-days"),
        (("player", "--expires-days", "99999999999"), "--expires-days"),
        (("player", "--expires-days", "soon"), "--expires-days"),
        (("", "--scope", "read"), "NAME"),
        (("x" * 201,), "NAME"),
        (("player", "--account", "x" * 151), "--account"),
        (("player", "--account", ""), "--account"),
        (("player", "--scope", ""), "--scope"),
        (("player", "--scope", " , "), "--scope"),
        (("player\udcff",), "NAME"),
        (("player", "--account", "website\udcff"), "--account"),
    ],
)
def test_create_api_token_names_a_bad_value_in_one_line_and_makes_nothing(
    arguments: tuple[str, ...], named: str
) -> None:
    with pytest.raises(CommandError) as refusal:
        create_api_token(*arguments)
    assert named in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1
    assert not ApiToken.objects.exists()
    assert not User.objects.exists()


@pytest.mark.django_db
def test_each_token_is_another_long_text() -> None:
    texts = {make_token("read", account="service")[1] for _ in range(5)}
    assert len(texts) == 5
    assert all(re.fullmatch(r"\S{40,}", text) for text in texts)
