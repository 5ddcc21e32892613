"""Querysets that Django compiles once: to build and compile one takes longer than PostgreSQL needs for a short page."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import BooleanField, Expression, Lookup, QuerySet
from django.db.models.base import ModelState


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
    """A queryset with `Parameter`s, built at its first use; each run takes their values by name."""

    def __init__(self, build: Callable[[], QuerySet[Any, Any]]) -> None:
        self.build = build

    @cached_property
    def queryset(self) -> QuerySet[Any, Any]:
        return self.build()

    @cached_property
    def _compiled(self) -> tuple[Any, str, tuple[Any, ...]]:
        compiler = self.queryset.query.get_compiler(self.queryset.db)
        sql, parameters = compiler.as_sql()
        return compiler, sql, parameters

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a queryset of `values_list`, as the database gives them."""
        _compiler, sql, parameters = self._compiled
        with connections[self.queryset.db].cursor() as cursor:
            given = [values[each.name] if isinstance(each, Parameter) else each for each in parameters]
            cursor.execute(sql, given)
            return list(cursor.fetchall())

    def instances(self, **values: Any) -> list[Any]:
        """Return the instances of the model with annotations and the related ones of `select_related`."""
        compiler = self._compiled[0]
        found = []
        for row in compiler.results_iter([self.rows(**values)]):
            instance = self._reader(row)
            for name, position in compiler.annotation_col_map.items():
                setattr(instance, name, row[position])
            found.append(instance)
        return found

    @cached_property
    def _reader(self) -> Callable[[Any], Any]:
        compiler = self._compiled[0]
        return _reader_of(compiler.klass_info, compiler.select)


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
