"""`manage.py migrate` on the local stack."""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from tools.local import launch

_OURS = ("accounts", "channels_app", "ondemand")


class Command(migrate.Command):
    """Django's command, which refuses tables that migrations of another checkout made."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate.

        Raises:
            CommandError: a migration is applied that this checkout does not have; the message names the remedy.
        """
        loader = MigrationLoader(connection)
        if any(key not in loader.disk_migrations for key in loader.applied_migrations if key[0] in _OURS):
            raise CommandError(
                f"The database in {launch.home_folder()} is of another version: run `make clean`, or delete that "
                f"folder after `make stop`. Both delete what is in it."
            )
        super().handle(*args, **options)
