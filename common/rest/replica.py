"""Reads from a replica of the database (`DATABASE_READ_URL`), which shows a write a little later.

A ViewSet decides for a whole request, since its pages and their parts must be of one database; the router follows.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any

from django.db import Error, InterfaceError, OperationalError, connections
from psycopg.errors import QueryCanceled, SerializationFailure

logger = logging.getLogger(__name__)

REPLICA = "replica"
# Pause after a failure: each try may wait for its timeout.
_REST_SECONDS = 30
_is_reading: ContextVar[bool] = ContextVar("is_reading", default=False)
_rest_until = 0.0


class ReplicaRouter:
    """Send the reads of a request that chose it to the replica; all else goes to the primary."""

    def db_for_read(self, model: Any, **_: Any) -> str | None:
        return REPLICA if _is_reading.get() else None

    def allow_migrate(self, db: str, app_label: str, **_: Any) -> bool | None:
        return False if db == REPLICA else None


@contextmanager
def one_database() -> Iterator[None]:
    """Read from the primary, until `read_from_replica` is called in the block."""
    token = _is_reading.set(False)
    try:
        yield
    finally:
        _is_reading.reset(token)


def read_from_replica() -> None:
    """Read from the replica, if there is one that did not fail just now."""
    _is_reading.set(REPLICA in connections.databases and monotonic() >= _rest_until)


def replica_failed(error: Exception) -> bool:
    """Return whether the replica raised this error; if so, the request now reads from the primary.

    A statement that took too long is no failure: it would take as long on the primary.
    """
    if not _is_reading.get() or not isinstance(error, Error) or isinstance(error.__cause__, QueryCanceled):
        return False
    _is_reading.set(False)
    # Another kind of error, or a conflict with what is replicated, is of this request alone.
    if isinstance(error, OperationalError | InterfaceError) and not isinstance(error.__cause__, SerializationFailure):
        global _rest_until
        _rest_until = monotonic() + _REST_SECONDS
    # By its kind: the text may name the host, or hold values.
    logger.warning("the read replica failed, the primary is read: %s", type(error.__cause__ or error).__name__)
    return True
