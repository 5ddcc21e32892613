"""`manage.py create_api_token`: make a token for a program."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ivsvod.accounts.services import UnknownScopeError, api_token_create


class Command(BaseCommand):
    """Make an API token and print it once."""

    help = "Make an API token and print it once. It is limited to its scopes and to the permissions of its account."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--account", help="user name of the account; a missing one is made (default: NAME)")
        parser.add_argument("--scope", default="read", help=f"comma-separated, of {','.join(settings.API_SCOPES)}")
        parser.add_argument("--expires-days", type=int, metavar="N")

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["expires_days"]
        if days is not None and not 1 <= days <= 36_500:
            raise CommandError("--expires-days takes 1 to 36500")
        account = options["name"] if options["account"] is None else options["account"]
        for option, value, longest in (("NAME", options["name"], 200), ("--account", account, 150)):
            if not value.strip() or len(value) > longest or not value.isprintable():
                raise CommandError(f"{option} takes 1 to {longest} printable characters")
        scopes = [scope.strip() for scope in options["scope"].split(",") if scope.strip()]
        if not scopes:
            raise CommandError(f"--scope takes one or more of {','.join(settings.API_SCOPES)}")
        try:
            expires_in = timedelta(days=days) if days else None
            _, text = api_token_create(name=options["name"], account=account, scopes=scopes, expires_in=expires_in)
        except UnknownScopeError as error:
            raise CommandError(f"--scope: {error}") from None
        self.stdout.write(text)
