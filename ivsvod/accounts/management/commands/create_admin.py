"""`manage.py create_admin`: make the first account of the admin without a terminal for a password."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from common.aws import AwsError
from common.aws.secrets import secret_value, secrets_forget
from common.lines import LinesCommand
from ivsvod.accounts.services import AdminAccountError, admin_create, admin_set_password


class Command(LinesCommand):
    """Make a superuser; the password is read from a file or a secret and stored as a hash only."""

    help = "Make a superuser whose password is read from a file or from a secret of AWS Secrets Manager."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--email", default="", metavar="E")
        reference = "file:/path, or the ARN of a secret, followed by #KEY if it is a JSON object"
        parser.add_argument("--password-from", required=True, metavar="REFERENCE", help=reference)
        parser.add_argument("--reset", action="store_true", help="set the password of an existing superuser")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["reset"] and options["email"]:
            raise CommandError("--email is for a new account, and --reset for an existing one")
        password = _password(options["password_from"])
        try:
            if options["reset"]:
                account = admin_set_password(name=options["name"], password=password)
            else:
                account = admin_create(name=options["name"], email=options["email"], password=password)
        except AdminAccountError as error:
            raise CommandError(str(error)) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        result = {"account": account.username, "uuid": str(account.pk), "created": not options["reset"]}
        self.stdout.write(json.dumps(result))


def _password(reference: str) -> str:
    if settings.ON_LAMBDA and reference.startswith("file:"):
        # Files of the package are no secret.
        raise CommandError("--password-from: on Lambda the ARN of a secret")
    # A process on Lambda may hold an older value of the secret.
    secrets_forget()
    try:
        return secret_value(reference)
    except (AwsError, ValueError) as error:
        raise CommandError(f"--password-from: {error}") from None
