"""Querysets that are compiled once: by Django in a process, by PostgreSQL on a connection.

To compile one takes longer than to read a short page.
"""

import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import BooleanField, Expression, Lookup, Model, QuerySet
from psycopg.adapt import Loader

AnyRows = QuerySet[Any, Any]

_LONG_NUMBER = re.compile(rb"\d{19}")


class ReadableDecoder(json.JSONDecoder):
    """Decodes stored JSON; None if it has a number or a depth that Python refuses, which PostgreSQL can store."""

    def decode(self, s: str, *args: Any) -> Any:
        try:
            return super().decode(s, *args)
        except (ValueError, RecursionError):
            return None


class Parameter(Expression):
    """Stands in a queryset for a value of each run."""

    def __init__(self, name: str, output_field: Any = None) -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", [self]


class EqualsAny(Lookup):
    """The condition that a column has one of the values of a list, which is one parameter: `IN` has one for each."""

    lookup_name = "equals_any"
    prepare_rhs = False
    output_field = BooleanField()

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        lhs, lhs_values = self.process_lhs(compiler, connection)
        rhs, rhs_values = self.process_rhs(compiler, connection)
        return f"{lhs} = ANY({rhs})", [*lhs_values, *rhs_values]


class CompiledQuery:
    """A queryset with `Parameter`s, built and compiled at its first use; each run takes their values by name.

    `among` returns the rows of a table, which the queryset then reads instead of the whole table.
    """

    def __init__(self, build: Callable[[], AnyRows], *, among: Callable[[], AnyRows] | None = None) -> None:
        self.build, self.among = build, among

    @cached_property
    def queryset(self) -> AnyRows:
        return self.build()

    @cached_property
    def _compiled(self) -> tuple[str, list[str]]:
        """Return the SQL, and the names of its parameters."""
        queryset = self.queryset
        statement: tuple[str, Sequence[Any]] = queryset.query.sql_with_params()
        if self.among is not None:
            statement = restricted_to(self.among(), *statement)
        sql, parameters = statement
        sql = _with_constants(sql, parameters, connections[queryset.db])
        return sql, [each.name for each in parameters if isinstance(each, Parameter)]

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a queryset of `values_list`, as psycopg reads them; JSON is decoded."""
        sql, names = self._compiled
        connection: Any = connections[self.queryset.db]
        with connection.prepared_cursor() as cursor:
            cursor.adapters.register_loader("jsonb", _JsonLoader)
            cursor.execute(sql, [values[name] for name in names])
            return list(cursor.fetchall())


class CompiledInstances(CompiledQuery):
    """A compiled queryset whose rows become instances of its model, with its annotations.

    `related` are paths of related objects to join, as in `select_related`; `unread` columns are deferred.
    """

    def __init__(
        self,
        build: Callable[[], AnyRows],
        *,
        related: Sequence[str] = (),
        unread: Collection[str] = (),
        among: Callable[[], AnyRows] | None = None,
    ) -> None:
        super().__init__(build, among=among)
        self.related, self.unread = related, unread

    @cached_property
    def queryset(self) -> AnyRows:
        queryset = self.build()
        self._annotations = [*queryset.query.annotation_select]
        self._parts = self._parts_of(queryset.model)
        columns = [f"{part.path}__{name}" if part.path else name for part in self._parts for name in part.names]
        return queryset.values_list(*columns, *self._annotations)

    def _parts_of(self, model: type[Model]) -> list["_Part"]:
        parts: list[_Part] = []
        models: dict[str, type[Model]] = {"": model}
        first = 0
        for path in ["", *self.related]:
            parent, _, name = path.rpartition("__")
            relation: Any = models[parent]._meta.get_field(name) if path else None
            models[path] = relation.related_model if relation else model
            prefix = f"{path}__" if path else ""
            names = [
                each.attname for each in models[path]._meta.concrete_fields if prefix + each.name not in self.unread
            ]
            parts.append(_Part(path, parent, relation, models[path], names, slice(first, first + len(names))))
            first += len(names)
        return parts

    def instances(self, **values: Any) -> list[Any]:
        """Return the instances of the rows; the signals of Django are sent, as from any query."""
        return [self._instance(row) for row in self.rows(**values)]

    def _instance(self, row: tuple[Any, ...]) -> Any:
        made: dict[str, Any] = {}
        for part in self._parts:
            values = row[part.columns]
            # All are NULL if the outer join found no row.
            is_there = any(value is not None for value in values)
            made[part.path] = part.model.from_db(DEFAULT_DB_ALIAS, part.names, values) if is_there else None
            if part.relation and made[part.parent] is not None:
                part.relation.set_cached_value(made[part.parent], made[part.path])
        instance = made[""]
        for name, value in zip(self._annotations, row[part.columns.stop :], strict=True):
            setattr(instance, name, value)
        return instance


@dataclass(frozen=True)
class _Part:
    """The object that some columns of a row make, and the relation by which its parent leads to it."""

    path: str
    parent: str
    relation: Any
    model: type[Model]
    names: list[str]
    columns: slice


def _with_constants(sql: str, parameters: Sequence[Any], connection: Any) -> str:
    """Return the SQL with the constants in it: `a = %s AND b = %s` with 1 and a `Parameter` is `a = 1 AND b = %s`.

    A plan for any values could not use a partial index if its condition were one of them.
    """
    constants = [
        "%s" if isinstance(each, Parameter) else connection.ops.compose_sql("%s", [each]).replace("%", "%%")
        for each in parameters
    ]
    return sql.replace("%%", "%%%%") % tuple(constants)


class _JsonLoader(Loader):
    """Reads JSON by orjson: Django's converter took as long as the statement."""

    def load(self, data: Any) -> Any:
        text = bytes(data)
        try:
            # orjson makes a float of a larger integer, and refuses a number that no float holds.
            if not _LONG_NUMBER.search(text):
                return orjson.loads(text)
        except orjson.JSONDecodeError:
            pass
        return json.loads(text.decode(), cls=ReadableDecoder)


def restricted_to(rows: AnyRows, sql: str, parameters: Sequence[Any]) -> tuple[str, list[Any]]:
    """Return the statement with its table replaced by these rows, and the parameters."""
    within, own = rows.query.sql_with_params()
    # Within the statement the name of the table means these rows.
    return f'WITH "{rows.model._meta.db_table}" AS ({within}) {sql}', [*own, *parameters]
