"""Querysets that are compiled once: by Django in a process, by PostgreSQL on a connection.

To compile one takes longer than to read a short page.
"""

import json
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import orjson
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import BooleanField, Expression, JSONField, Lookup, QuerySet
from django.db.models.base import ModelState

AnyRows = QuerySet[Any, Any]

_LONG_NUMBER = re.compile(r"\d{19}")


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
    def _compiled(self) -> tuple[Any, str, list[str]]:
        """Return the compiler, the SQL, and the names of its parameters."""
        queryset = self.queryset
        compiler = queryset.query.get_compiler(queryset.db)
        sql, parameters = compiler.as_sql()
        if self.among is not None:
            sql, parameters = restricted_to(self.among(), sql, parameters)
        sql = _with_constants(sql, parameters, connections[queryset.db])
        return compiler, sql, [each.name for each in parameters if isinstance(each, Parameter)]

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a queryset of `values_list`, as the database gives them."""
        _compiler, sql, names = self._compiled
        connection: Any = connections[self.queryset.db]
        with connection.prepared_cursor() as cursor:
            cursor.execute(sql, [values[name] for name in names])
            return list(cursor.fetchall())

    def instances(self, **values: Any) -> list[Any]:
        """Return the instances of the model with annotations and the related ones of `select_related`."""
        read = self._reader
        return [read(list(row)) for row in self.rows(**values)]

    @cached_property
    def _reader(self) -> Callable[[list[Any]], Any]:
        compiler = self._compiled[0]
        make = _reader_of(compiler.klass_info, compiler.select)
        fields = [item[0] for item in compiler.select]
        converters = compiler.get_converters(fields)
        documents = [position for position in converters if isinstance(fields[position].output_field, JSONField)]
        others = {position: each for position, each in converters.items() if position not in documents}
        annotations = list(compiler.annotation_col_map.items())

        def read(row: list[Any]) -> Any:
            # Django's converter for JSON took as long as the statement.
            for position in documents:
                if row[position] is not None:
                    row[position] = _json(row[position])
            if others:
                [row] = compiler.apply_converters([row], others)
            instance = make(row)
            for name, position in annotations:
                setattr(instance, name, row[position])
            return instance

        return read


def _with_constants(sql: str, parameters: Sequence[Any], connection: Any) -> str:
    """Return the SQL with the constants in it: `a = %s AND b = %s` with 1 and a `Parameter` is `a = 1 AND b = %s`.

    A plan for any values could not use a partial index if its condition were one of them.
    """
    constants = [
        "%s" if isinstance(each, Parameter) else connection.ops.compose_sql("%s", [each]).replace("%", "%%")
        for each in parameters
    ]
    return sql.replace("%%", "%%%%") % tuple(constants)


def _json(text: str) -> Any:
    # orjson makes a float of a larger integer, and refuses a number that no float holds.
    try:
        return json.loads(text, cls=ReadableDecoder) if _LONG_NUMBER.search(text) else orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text, cls=ReadableDecoder)


def restricted_to(rows: AnyRows, sql: str, parameters: Sequence[Any]) -> tuple[str, list[Any]]:
    """Return the statement with its table replaced by these rows, and the parameters."""
    within, own = rows.query.sql_with_params()
    # Within the statement the name of the table means these rows.
    return f'WITH "{rows.model._meta.db_table}" AS ({within}) {sql}', [*own, *parameters]


def _reader_of(info: dict[str, Any], select: Any) -> Callable[[Any], Any]:
    """Return the function that makes an instance of a row, with its related ones; None for a row that is not there.

    It writes the columns at once. The constructor of a model sets each one, and sends two signals, which takes longer
    than all else that is done with the row.
    """
    model, positions = info["model"], info["select_fields"]
    columns = slice(positions[0], positions[-1] + 1)
    names = [select[position][0].target.attname for position in positions]
    key = positions[names.index(model._meta.pk.attname)]
    related = [
        (_reader_of(each, select), each["local_setter"], each["remote_setter"])
        for each in info.get("related_klass_infos", ())
    ]

    def read(row: Any) -> Any:
        if row[key] is None:
            return None
        instance = model.__new__(model)
        instance._state = ModelState()
        instance._state.adding, instance._state.db = False, DEFAULT_DB_ALIAS
        instance.__dict__.update(zip(names, row[columns], strict=True))
        for make, set_local, set_remote in related:
            other = make(row)
            set_local(instance, other)
            if other is not None:
                set_remote(other, instance)
        return instance

    return read
