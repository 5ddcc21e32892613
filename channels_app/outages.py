"""A database that is away, or refuses statements: by which errors it is known, and its count for the alarm."""

from django.db import InterfaceError, OperationalError

from channels_app.metrics import DATABASE_ERRORS, counted

DATABASE_AWAY = (OperationalError, InterfaceError)


def outage_counted(error: Exception) -> None:
    """Count it, where it is one."""
    if isinstance(error, DATABASE_AWAY):
        counted(DATABASE_ERRORS)
