"""The database wrapper: why a connection could not be had, not only that it could not."""

import re
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import PoolTimeout

_PERCENT_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own wrapper; only the error of a failed connection differs."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection from the pool or the server.

        Raises:
            psycopg.OperationalError: with the server's reason, and a hint where a value looks percent-encoded.
        """
        try:
            return super().get_new_connection(conn_params)
        except PoolTimeout as error:
            raise self._reason(conn_params, error) from error
        except psycopg.OperationalError as error:
            raise self._with_hint(error) from error

    def _reason(self, conn_params: dict[str, Any], error: psycopg.OperationalError) -> psycopg.OperationalError:
        """The pool says only that time ran out; one connection of our own tells why."""
        try:
            psycopg.connect(**conn_params).close()
        except psycopg.OperationalError as reason:
            return self._with_hint(reason)
        return error

    def _with_hint(self, error: psycopg.OperationalError) -> psycopg.OperationalError:
        signing_in_failed = "authentication failed" in str(error)
        values = (self.settings_dict["PASSWORD"], self.settings_dict["USER"])
        if not signing_in_failed or not any(_PERCENT_ENCODED.search(value) for value in values):
            return error
        hint = "PG_USER or PG_PASSWORD holds %XX: old files may hold it percent-encoded; write it as it is"
        return psycopg.OperationalError(f"{error} ({hint})")
