"""Base of the ViewSets that have lists."""

from collections.abc import Collection
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, ValidationError
from rest_framework.viewsets import GenericViewSet

from common.rest.description import body_of
from common.rest.filters import StrictFilterSet
from common.rest.replica import one_database, read_from_replica, replica_failed
from common.rest.scopes import has_scope, may_write

Rows = TypeVar("Rows", bound=QuerySet[Any])


class StrictFilterViewSet(GenericViewSet):
    """Base of ViewSets: filters lists by `filterset_class`, and refuses unknown parameters.

    `filter_values` has the parsed value of each filter, for later steps: access, order, rank.
    """

    filterset_class: type[StrictFilterSet] = StrictFilterSet
    filter_values: dict[str, Any]
    # The actions whose answers must not be older than the primary.
    primary_actions: Collection[str] = ()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with one_database():
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Read from the replica for a caller who cannot write, and so does not miss a write of its own."""
        super().initial(request, *args, **kwargs)
        is_read = request.method in SAFE_METHODS and self.action not in self.primary_actions
        if is_read and not may_write(request):
            read_from_replica()

    def handle_exception(self, exc: Exception) -> Response:
        """Answer from the primary if the replica failed."""
        if replica_failed(exc):
            try:
                return getattr(self, str(self.request.method).lower())(self.request, *self.args, **self.kwargs)
            except Exception as error:
                exc = error
        return super().handle_exception(exc)

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """Return the serializer of the body of the action, else that of the resource."""
        return body_of(self) or super().get_serializer_class()

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
        for name, each in self.filterset_class.base_filters.items():
            if each.scope and name in query and not has_scope(self.request, each.scope):
                self.permission_denied(self.request, message=f"The filter {name} needs the scope {each.scope}")
        filterset = self.filterset_class(**self.get_filterset_kwargs(queryset))
        if not filterset.is_valid():
            raise ValidationError(filterset.faults)
        self.filter_values = filterset.values
        return filterset

    def get_filterset_kwargs(self, queryset: QuerySet[Any]) -> dict[str, Any]:
        return {"data": self.request.query_params, "queryset": queryset}
