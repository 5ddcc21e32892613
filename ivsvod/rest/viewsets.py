"""Base of the ViewSets that have lists."""

from typing import Any, TypeVar

from django.db.models import QuerySet
from rest_framework.serializers import ValidationError
from rest_framework.viewsets import GenericViewSet

from ivsvod.rest.filters import StrictFilterSet
from ivsvod.rest.scopes import has_scope

Rows = TypeVar("Rows", bound=QuerySet[Any])


class StrictFilterViewSet(GenericViewSet):
    """Base of ViewSets: filters lists by `filterset_class`, and refuses unknown parameters.

    `filter_values` has the parsed value of each filter, for later steps: access, order, rank.
    """

    filterset_class: type[StrictFilterSet] = StrictFilterSet
    filter_values: dict[str, Any]

    def filter_queryset(self, queryset: Rows) -> Rows:
        """Return the rows that the query parameters select; raises as `get_filterset`."""
        return self.get_filterset(queryset).qs

    def get_filterset(self, queryset: QuerySet[Any]) -> Any:
        """Return the valid filter set of the query parameters.

        Raises:
            ValidationError: a malformed value, an unknown name, or a repeated one; it names the parameter.
            NotAuthenticated, PermissionDenied: a filter needs a scope that the caller lacks.
        """
        query = self.request.query_params
        self.filterset_class.refuse_unknown(query, getattr(self.pagination_class, "parameters", ()))
        for name, scope in self.filterset_class.scopes.items():
            if name in query and not has_scope(self.request, scope):
                self.permission_denied(self.request, message=f"The filter {name} needs the scope {scope}")
        filterset = self.filterset_class(**self.get_filterset_kwargs(queryset))
        if not filterset.is_valid():
            raise ValidationError({name: list(texts) for name, texts in filterset.errors.items()})
        self.filter_values = filterset.form.cleaned_data
        return filterset

    def get_filterset_kwargs(self, queryset: QuerySet[Any]) -> dict[str, Any]:
        return {"data": self.request.query_params, "queryset": queryset}
