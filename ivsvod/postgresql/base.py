"""The database wrapper: why a connection could not be had, a password that was rotated, how long a statement may take,
and migrations that may be killed at any point.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from time import monotonic
from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from psycopg.adapt import AdaptersMap

from ivsvod.postgresql.times import ReadableTimeLoader

logger = logging.getLogger(__name__)
_unlimited: ContextVar[bool] = ContextVar("unlimited", default=False)
_password_lock = Lock()
_PERCENT_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")


@contextmanager
def statements_unlimited() -> Iterator[None]:
    """On connections made inside, a statement may take as long as it needs: nobody waits for a migration."""
    token = _unlimited.set(True)
    try:
        yield
    finally:
        _unlimited.reset(token)


class _Deferred(list[Any]):
    """Statements that wait for the end of their migration: foreign keys and indexes of new tables.

    Where there are any, Django records the migration only after its transaction, and one that is killed in between
    fails when it is run again. So they are run at the moment at which Django asks whether there are any.
    """

    def __init__(self, editor: DatabaseSchemaEditor) -> None:
        super().__init__()
        self.editor = editor

    def __bool__(self) -> bool:
        """Run them; none is left."""
        while len(self):
            self.editor.execute(self.pop(0), None)
        return False


class SchemaEditor(DatabaseSchemaEditor):
    """Django's own; what it defers is part of the transaction that records the migration. Foreign keys may cascade."""

    def __enter__(self) -> Any:
        """Begin a migration."""
        super().__enter__()
        self.deferred_sql = _Deferred(self)
        return self

    def _create_fk_sql(self, model: Any, field: Any, suffix: str) -> Any:
        """Return Django's own statement, with ON DELETE CASCADE where the field says so."""
        from channels_app.cascading import cascade_in_database

        statement = super()._create_fk_sql(model, field, suffix)  # type: ignore[misc]  # the stubs lack it
        if field.remote_field.on_delete is cascade_in_database:
            statement.parts["deferrable"] = f" ON DELETE CASCADE{statement.parts['deferrable']}"
        return statement


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own wrapper; failed connections, the limit of a statement, times and the end of a migration differ."""

    SchemaEditorClass = SchemaEditor
    # Shared by all threads.
    password_asked_at = 0.0

    def get_connection_params(self) -> dict[str, Any]:
        """Django's, with times that can always be read."""
        params: dict[str, Any] = super().get_connection_params()
        params["context"] = adapters = AdaptersMap(params["context"])
        adapters.register_loader("timestamptz", ReadableTimeLoader)
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection from the pool or the server.

        Raises:
            psycopg.OperationalError: with the server's reason, and a hint where a value looks percent-encoded.
        """
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
        # Loaded by now where there is a pool.
        from psycopg_pool import PoolClosed

        if isinstance(reason, PoolClosed):
            # Another thread has replaced the pool while this one waited for a connection of it.
            return True
        if not self.settings_dict.get("PASSWORD_REFERENCE") or "authentication failed" not in str(reason):
            return False
        refused, refused_at = conn_params.get("password", ""), monotonic()
        with _password_lock:
            # One thread asks; the others use its answer.
            if self.settings_dict["PASSWORD"] == refused and DatabaseWrapper.password_asked_at < refused_at:
                self._password_renew()
                DatabaseWrapper.password_asked_at = monotonic()
            return bool(self.settings_dict["PASSWORD"] != refused)

    def _password_renew(self) -> None:
        """Ask for the password again; where it is another one, new connections are made with it.

        The pool knows only the password that it was made with. Its connections in use go on, and are closed when they
        are given back.
        """
        from channels_app.aws import AwsError
        from channels_app.aws.secrets import secret_value, secrets_forget

        secrets_forget()
        try:
            password = secret_value(self.settings_dict["PASSWORD_REFERENCE"])
        except (AwsError, ValueError) as unreadable:
            logger.warning("the password of the database cannot be asked for again: %s", unreadable)
            return
        if password == self.settings_dict["PASSWORD"]:
            return
        logger.info("the password of the database was changed")
        self.settings_dict["PASSWORD"] = password
        # Not by `close_pool`, which lets others find the pool while it is being closed.
        pool = self._connection_pools.pop(self.alias, None)  # type: ignore[attr-defined]
        if pool is not None:
            pool.close()

    def init_connection_state(self) -> None:
        """Django's, and the longest that a statement may take: nobody waits any more for what takes longer.

        Not by an option of the connection, which poolers refuse.
        https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-STATEMENT-TIMEOUT
        """
        super().init_connection_state()
        # The role or the database may have a limit of its own, which is not for migrations either.
        seconds = 0 if _unlimited.get() else settings.PG_STATEMENT_TIMEOUT
        if seconds is not None:
            # Also on a connection of the pool: it keeps what was set on it before.
            self.connection.execute(f"SET statement_timeout = '{seconds}s'")

    def _reason(self, conn_params: dict[str, Any], error: psycopg.OperationalError) -> psycopg.OperationalError:
        """The pool says only that time ran out; one connection of our own tells why."""
        # Loaded by now where there is a pool.
        from psycopg_pool import PoolTimeout

        if not isinstance(error, PoolTimeout):
            return error
        try:
            psycopg.connect(**conn_params).close()
        except psycopg.OperationalError as reason:
            return reason
        return error

    def _with_hint(self, error: psycopg.OperationalError) -> psycopg.OperationalError:
        signing_in_failed = "authentication failed" in str(error)
        values = (self.settings_dict["PASSWORD"], self.settings_dict["USER"])
        if not signing_in_failed or not any(_PERCENT_ENCODED.search(value) for value in values):
            return error
        hint = "PG_USER or PG_PASSWORD holds %XX: old files may hold it percent-encoded; write it as it is"
        return psycopg.OperationalError(f"{error} ({hint})")
