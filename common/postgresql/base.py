"""The database wrapper: the reason of a failed connection, a rotated password, statement timeout and time range."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from select import POLLIN, poll
from threading import Lock
from time import monotonic
from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.postgresql.psycopg_any import BaseTzLoader
from psycopg.adapt import AdaptersMap

from common.rest.times import EARLIEST, LATEST

logger = logging.getLogger(__name__)
_unlimited: ContextVar[bool] = ContextVar("unlimited", default=False)
_password_lock = Lock()
_PERCENT_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
# The answers of PgBouncer and RDS Proxy to the statement timeout.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.html
_OPTION_REFUSED = ("unsupported startup parameter", "command-line options")
# The number of times that a connection runs a statement of `prepared_cursor` before it is prepared.
_PREPARE_AFTER = 5


@contextmanager
def statements_unlimited() -> Iterator[None]:
    """Make connections without a statement timeout during the block, for migrations and other commands."""
    token = _unlimited.set(True)
    try:
        yield
    finally:
        _unlimited.reset(token)


class ReadableTimeLoader(BaseTzLoader):
    """Load a `timestamptz` in UTC; one out of the range of Python or of its time zones is the nearest within it.

    PostgreSQL holds times from 4713 BC to 294276 AD, and both infinities. Their order stays, so that read times
    agree with the conditions that PostgreSQL checked.
    """

    timezone = UTC

    def load(self, data: Any) -> datetime:
        text = bytes(data)
        try:
            # A tenth of the time of the loader of psycopg, which is written in Python. PostgreSQL writes ISO 8601.
            time = datetime.fromisoformat(text.decode()).astimezone(UTC)
        except (ValueError, OverflowError):
            # Infinity, before Christ, a year above 9999, or one that leaves year 1 when moved to UTC.
            return EARLIEST if text.startswith((b"-", b"0")) or text.endswith(b"BC") else LATEST
        return min(max(time, EARLIEST), LATEST)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper, with other errors of failed connections and another loader of times."""

    # Shared by all threads.
    password_read_at = 0.0

    def get_connection_params(self) -> dict[str, Any]:
        """Return Django's parameters, with a loader that can read every time, and the statement timeout.

        The timeout is an option of the connection, which costs no statement. A `SET` would pass to other clients of a
        pooler, which refuses the option.
        https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-STATEMENT-TIMEOUT
        https://www.pgbouncer.org/features.html
        """
        params: dict[str, Any] = super().get_connection_params()
        # 0 is no limit, and overrides that of the role or the database.
        seconds = 0 if _unlimited.get() else settings.PG_STATEMENT_TIMEOUT
        if not settings.PG_POOLER:
            # Behind a pooler the next statement may reach another process of the server.
            params["prepare_threshold"] = _PREPARE_AFTER
        if seconds is not None and not settings.PG_POOLER:
            params["options"] = f"{params.get('options', '')} -c statement_timeout={seconds}s".strip()
        params["context"] = adapters = AdaptersMap(params["context"])
        adapters.register_loader("timestamptz", ReadableTimeLoader)
        return params

    def prepared_cursor(self) -> Any:
        """Return a cursor that sends values apart from the statement, so that psycopg may prepare it.

        https://www.psycopg.org/psycopg3/docs/advanced/prepare.html
        """
        self.ensure_connection()
        with self.wrap_database_errors:
            return self._prepare_cursor(ServerBindingCursor(self.connection))  # type: ignore[attr-defined, call-arg]

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return an open connection of the pool, or of the server.

        Raise OperationalError with the server's reason and a hint.
        """
        connection = self._connect(conn_params)
        while self.pool and _was_closed(connection):
            connection.close()
            self.pool.putconn(connection)
            connection = self._connect(conn_params)
        return connection

    def _connect(self, conn_params: dict[str, Any]) -> Any:
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError as error:
            reason = self._reason(conn_params, error)
            if not self._can_try_again(conn_params, reason):
                raise self._with_hint(reason) from error
        return super().get_new_connection(self.get_connection_params())

    def _can_try_again(self, conn_params: dict[str, Any], reason: psycopg.OperationalError) -> bool:
        """Return whether there is another password than the one that was refused, or another pool.

        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
        """
        # Loaded already if there is a pool.
        from psycopg_pool import PoolClosed

        if isinstance(reason, PoolClosed):
            # Another thread has replaced the pool while this one waited for a connection of it.
            return True
        if not self.settings_dict.get("PASSWORD_REFERENCE") or "authentication failed" not in str(reason):
            return False
        refused, refused_at = conn_params.get("password", ""), monotonic()
        with _password_lock:
            # One thread reads it again; the others use its result.
            if self.settings_dict["PASSWORD"] == refused and DatabaseWrapper.password_read_at < refused_at:
                self._password_renew()
                DatabaseWrapper.password_read_at = monotonic()
            return bool(self.settings_dict["PASSWORD"] != refused)

    def _password_renew(self) -> None:
        """Read the password again; new connections use a changed one.

        The pool keeps the password that it was made with. Its connections in use stay open until they are returned.
        """
        from common.aws import AwsError
        from common.aws.secrets import secret_value, secrets_forget

        secrets_forget()
        try:
            password = secret_value(self.settings_dict["PASSWORD_REFERENCE"])
        except (AwsError, ValueError) as unreadable:
            logger.warning("the password of the database cannot be read again: %s", unreadable)
            return
        if password == self.settings_dict["PASSWORD"]:
            return
        logger.info("the password of the database was changed")
        self.settings_dict["PASSWORD"] = password
        # Not by `close_pool`, which lets others find the pool while it is being closed.
        pool = self._connection_pools.pop(self.alias, None)  # type: ignore[attr-defined]
        if pool is not None:
            pool.close()

    def _reason(self, conn_params: dict[str, Any], error: psycopg.OperationalError) -> psycopg.OperationalError:
        """Return the reason of a timeout of the pool, found by a connection of our own."""
        # Loaded already if there is a pool.
        from psycopg_pool import PoolTimeout

        if not isinstance(error, PoolTimeout):
            return error
        try:
            psycopg.connect(**conn_params).close()
        except psycopg.OperationalError as reason:
            return reason
        return error

    def _with_hint(self, error: psycopg.OperationalError) -> psycopg.OperationalError:
        hint, values = "", (self.settings_dict["PASSWORD"], self.settings_dict["USER"])
        if any(text in str(error) for text in _OPTION_REFUSED):
            hint = "a pooler stands before the database: set PG_POOLER"
        elif "authentication failed" in str(error) and any(_PERCENT_ENCODED.search(value) for value in values):
            hint = "PG_USER or PG_PASSWORD holds %XX: old files may hold it percent-encoded; write it as it is"
        return psycopg.OperationalError(f"{error} ({hint})") if hint else error


def _was_closed(connection: Any) -> bool:
    """Return whether the server has closed an idle connection.

    The server sends nothing to an idle client but the reason for which it closes the connection, so no statement has
    to be sent each time, as the check of the pool would do: a fifth of the time of a list.
    """
    events = poll()
    events.register(connection.fileno(), POLLIN)
    if not events.poll(0):
        return False
    try:
        connection.execute("")
    except psycopg.OperationalError:
        return True
    return False
