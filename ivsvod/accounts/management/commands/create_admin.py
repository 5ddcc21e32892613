"""`manage.py create_admin`: the first account of the admin, where nobody has a terminal to type a password into."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from channels_app.aws import AwsError
from channels_app.aws.secrets import secret_value, secrets_forget
from channels_app.management.lines import LinesCommand
from ivsvod.accounts.models import User
from ivsvod.accounts.services import AdminAccountError, admin_create, admin_set_password


class Command(LinesCommand):
    """Makes a superuser; the password stands nowhere but where it is read from, and as a hash."""

    help = "Make a superuser whose password is read from a file or from a secret of AWS Secrets Manager."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Who, and where the password stands."""
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--email", default="", metavar="E")
        parser.add_argument(
            "--password-from",
            required=True,
            metavar="REFERENCE",
            help="file:/path, or the ARN of a secret, with #KEY after it where it is a JSON object",
        )
        parser.add_argument("--reset", action="store_true", help="set the password of a superuser that is there")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one JSON object."""
        if options["reset"] and options["email"]:
            raise CommandError("--email is for a new account, and --reset for one that is there")
        password = _password(options["password_from"])
        try:
            account = _account(options, password)
        except AdminAccountError as error:
            raise CommandError(str(error)) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        told = {"account": account.username, "uuid": str(account.pk), "created": not options["reset"]}
        self.stdout.write(json.dumps(told))


def _account(options: dict[str, Any], password: str) -> User:
    if options["reset"]:
        return admin_set_password(name=options["name"], password=password)
    return admin_create(name=options["name"], email=options["email"], password=password)


def _password(reference: str) -> str:
    if settings.ON_LAMBDA and reference.startswith("file:"):
        # Files of its image are known to everybody.
        raise CommandError("--password-from: on Lambda the ARN of a secret")
    # A process on Lambda may have asked before somebody changed the secret.
    secrets_forget()
    try:
        return secret_value(reference)
    except (AwsError, ValueError) as error:
        raise CommandError(f"--password-from: {error}") from None
