"""Filters of the list of channels."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from channels_app.models import ChannelQuerySet


class AttentionFilter(admin.SimpleListFilter):
    """Channels that somebody should see to; an unknown word filters nothing."""

    title = _("attention")
    parameter_name = "attention"
    wanted: dict[str | None, tuple[Any, Callable[[ChannelQuerySet], ChannelQuerySet]]] = {
        "no-key": (_("Without a stream key"), ChannelQuerySet.without_key),
        "unfinished": (_("Creation interrupted"), ChannelQuerySet.unfinished),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        """What can be amiss."""
        return [(word, label) for word, (label, _rows) in self.wanted.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The channels of which it is true."""
        known = self.wanted.get(self.value())
        return known[1](queryset) if known else queryset  # type: ignore[arg-type]
