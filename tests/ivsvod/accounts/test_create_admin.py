"""`create_admin`: the first account of the admin, by a password that is read and never shown."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory
from moto import mock_aws

from channels_app.models import AuditEntry
from common.audit import command_acting
from common.aws.secrets import secrets_forget
from ivsvod import lambda_entry
from ivsvod.accounts.models import User
from tests.support.helpers import make_account
from tests.support.road import invoke

pytestmark = pytest.mark.django_db

PASSWORD = "seven quiet otters 42"
OTHER = "nine louder otters 43"


@pytest.fixture
def kept(tmp_path: Path) -> Callable[[str], str]:
    """Keeps a password in a file; the reference to it."""

    def keep(password: str) -> str:
        path = tmp_path / "password"
        path.write_text(f"{password}\n")
        return f"file:{path}"

    return keep


@pytest.fixture
def secrets() -> Iterator[Any]:
    with mock_aws():
        yield boto3.session.Session().client("secretsmanager")
    secrets_forget()


def create_admin(*arguments: str) -> dict[str, Any]:
    stdout = io.StringIO()
    with command_acting("create_admin"):
        call_command("create_admin", *arguments, stdout=stdout)
    [line] = stdout.getvalue().splitlines()
    assert PASSWORD not in line
    return json.loads(line)


def signs_in(name: str, password: str) -> bool:
    return authenticate(RequestFactory().post("/"), username=name, password=password) is not None


def password_entries() -> list[AuditEntry]:
    return [entry for entry in AuditEntry.objects.order_by("pk") if "password" in (entry.changes or {})]


# Making one


def test_a_superuser_is_made_with_the_password_of_the_file(kept: Callable[[str], str]) -> None:
    printed = create_admin("ada", "--email", "ada@example.com", "--password-from", kept(PASSWORD))

    account = User.objects.get()
    assert printed == {"account": "ada", "uuid": str(account.pk), "created": True}
    assert (account.is_superuser, account.is_staff, account.is_active) == (True, True, True)
    assert account.email == "ada@example.com"
    assert signs_in("ada", PASSWORD)


@pytest.mark.parametrize("key", ["", "#admin"])
def test_the_password_may_stand_in_a_secret(secrets: Any, key: str) -> None:
    text = json.dumps({"admin": PASSWORD}) if key else PASSWORD
    arn = secrets.create_secret(Name="ivsvod-admin", SecretString=text)["ARN"]

    create_admin("ada", "--password-from", arn + key)

    assert signs_in("ada", PASSWORD)


def test_it_is_in_the_audit_log_without_the_password(kept: Callable[[str], str]) -> None:
    create_admin("ada", "--password-from", kept(PASSWORD))

    [entry] = password_entries()
    assert (entry.way, entry.actor_name) == ("command", "create_admin")
    assert entry.changes["password"] == [None, "***"]
    assert PASSWORD not in json.dumps(entry.changes)


@pytest.mark.parametrize("password", ["brief", "password1234", "ada-the-first-admin", ""])
def test_a_password_that_the_rules_refuse_makes_no_account(kept: Callable[[str], str], password: str) -> None:
    with pytest.raises(CommandError, match="password") as refused:
        create_admin("ada-the-first-admin", "--password-from", kept(password))

    assert not password or password not in str(refused.value)
    assert not User.objects.exists()


@pytest.mark.parametrize(("name", "email"), [("", ""), ("a b", ""), ("a" * 151, ""), ("ada", "nowhere")])
def test_a_name_or_an_email_that_is_none_is_refused(kept: Callable[[str], str], name: str, email: str) -> None:
    with pytest.raises(CommandError):
        create_admin(name, "--email", email, "--password-from", kept(PASSWORD))

    assert not User.objects.exists()


@pytest.mark.parametrize("reference", [PASSWORD, "file:/nowhere/at/all", ""])
def test_a_reference_that_leads_nowhere_is_refused_and_a_password_in_its_place_not_repeated(reference: str) -> None:
    with pytest.raises(CommandError, match="--password-from") as refused:
        create_admin("ada", "--password-from", reference)

    assert PASSWORD not in str(refused.value)
    assert not User.objects.exists()


def test_a_secret_that_is_not_there_is_named(secrets: Any) -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:ivsvod-admin"

    with pytest.raises(CommandError, match=f"--password-from: GetSecretValue of {arn}"):
        create_admin("ada", "--password-from", arn)


def test_an_account_that_is_there_is_left_alone(kept: Callable[[str], str]) -> None:
    create_admin("ada", "--password-from", kept(PASSWORD))

    with pytest.raises(CommandError, match="there is an account ada already: --reset"):
        create_admin("ada", "--password-from", kept(OTHER))

    assert signs_in("ada", PASSWORD)


# Setting its password again


def test_reset_sets_the_password_ends_the_sessions_and_is_in_the_audit_log(kept: Callable[[str], str]) -> None:
    create_admin("ada", "--password-from", kept(PASSWORD))
    browser = Client()
    browser.force_login(User.objects.get())
    assert browser.get("/admin/").status_code == 200

    printed = create_admin("ada", "--reset", "--password-from", kept(OTHER))

    assert printed == {"account": "ada", "uuid": str(User.objects.get().pk), "created": False}
    assert (signs_in("ada", OTHER), signs_in("ada", PASSWORD)) == (True, False)
    assert browser.get("/admin/").status_code == 302
    assert [entry.changes["password"] for entry in password_entries()] == [[None, "***"], ["***", "***"]]


def test_reset_reads_a_secret_that_was_changed_in_the_meantime(secrets: Any) -> None:
    arn = secrets.create_secret(Name="ivsvod-admin", SecretString=PASSWORD)["ARN"]
    create_admin("ada", "--password-from", arn)
    secrets.put_secret_value(SecretId=arn, SecretString=OTHER)

    create_admin("ada", "--reset", "--password-from", arn)

    assert signs_in("ada", OTHER)


def test_reset_of_a_missing_account_is_refused(kept: Callable[[str], str]) -> None:
    with pytest.raises(CommandError, match="there is no account ada"):
        create_admin("ada", "--reset", "--password-from", kept(PASSWORD))


@pytest.mark.parametrize("values", [{}, {"is_superuser": True, "is_staff": True, "is_active": False}])
def test_reset_makes_no_account_a_superuser(kept: Callable[[str], str], values: dict[str, bool]) -> None:
    make_account(username="ada", password=PASSWORD, **values)

    with pytest.raises(CommandError, match="ada is not an active superuser"):
        create_admin("ada", "--reset", "--password-from", kept(OTHER))

    assert User.objects.get().check_password(PASSWORD)


def test_reset_applies_the_rules_of_passwords_too(kept: Callable[[str], str]) -> None:
    create_admin("ada", "--password-from", kept(PASSWORD))

    with pytest.raises(CommandError, match="too short"):
        create_admin("ada", "--reset", "--password-from", kept("brief"))

    assert signs_in("ada", PASSWORD)


def test_reset_takes_no_email(kept: Callable[[str], str]) -> None:
    with pytest.raises(CommandError, match="--email"):
        create_admin("ada", "--reset", "--email", "ada@example.com", "--password-from", kept(PASSWORD))


# On Lambda


@pytest.mark.django_db(transaction=True)
def test_an_invocation_of_the_function_can_make_the_first_account(kept: Callable[[str], str]) -> None:
    assert {"create_admin", "switch"} <= lambda_entry.ALLOWED_COMMANDS

    assert invoke({"manage": f"create_admin ada --password-from {kept(PASSWORD)}"}) == {}

    assert signs_in("ada", PASSWORD)
