"""Querysets that Django compiles once: to build and compile one takes longer than PostgreSQL needs for a short page."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.db import connections
from django.db.models import BooleanField, Expression, Lookup, QuerySet
from django.db.models.query import get_related_populators


class Parameter(Expression):
    """Stands in a queryset for a value of each run."""

    def __init__(self, name: str, output_field: Any = None) -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return "%s", [self]


class EqualsAny(Lookup):
    """The condition that a column has one of the values of a list, which is one parameter: `IN` has one for each."""

    lookup_name = "equals_any"
    prepare_rhs = False
    output_field = BooleanField()

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
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
        """Return the instances of the model, with the related ones of `select_related`, as Django makes them."""
        compiler = self._compiled[0]
        select, database = compiler.select, self.queryset.db
        own = compiler.klass_info["select_fields"]
        first, last = own[0], own[-1] + 1
        names = [column[0].target.attname for column in select[first:last]]
        populators = get_related_populators(compiler.klass_info, select, database)
        found = []
        for row in compiler.results_iter([self.rows(**values)]):
            instance = self.queryset.model.from_db(database, names, row[first:last])
            for populator in populators:
                populator.populate(row, instance)
            for name, position in compiler.annotation_col_map.items():
                setattr(instance, name, row[position])
            found.append(instance)
        return found
