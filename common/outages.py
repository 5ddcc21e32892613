"""Classify database errors: outage, timeout, contention."""

from dataclasses import dataclass

from django.db import InterfaceError, OperationalError
from psycopg import errors

from common.metrics import DATABASE_ERRORS, counted

DATABASE_AWAY = (OperationalError, InterfaceError)


@dataclass(frozen=True)
class DatabaseFailure:
    """API code and sentence of a database error."""

    code: str
    sentence: str
    is_outage: bool = False


AWAY = DatabaseFailure("unavailable", "The database cannot be reached", is_outage=True)
_CONTENDED = DatabaseFailure("database_contended", "Others are writing the same: try again")
# Statements that PostgreSQL ends while it is available. https://www.postgresql.org/docs/current/errcodes-appendix.html
_ENDED: dict[type[Exception], DatabaseFailure] = {
    errors.QueryCanceled: DatabaseFailure("statement_timeout", "The query took too long: narrow it, or try again"),
    errors.DeadlockDetected: _CONTENDED,
    errors.LockNotAvailable: _CONTENDED,
    errors.SerializationFailure: _CONTENDED,
}


def database_failure_of(error: BaseException) -> DatabaseFailure:
    """Return the failure of a database error of Django."""
    return next((failure for kind, failure in _ENDED.items() if isinstance(error.__cause__, kind)), AWAY)


def outage_counted(error: Exception) -> None:
    """Count an outage."""
    if isinstance(error, DATABASE_AWAY) and database_failure_of(error).is_outage:
        counted(DATABASE_ERRORS)
