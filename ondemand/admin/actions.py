"""The actions of the list of videos: each stores what is chosen, and leads to the page that confirms it."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from ondemand.admin.bulk import FORMS, bulk_started
from ondemand.bulk.decisions import Kind
from ondemand.models import Video


def _action(name: str, kind: Kind, description: Any, permission: str = "change") -> Any:
    """Return the action of the list that starts a bulk change of this kind."""

    @admin.action(description=description, permissions=[permission])
    def choose(pages: Any, request: HttpRequest, videos: QuerySet[Video]) -> HttpResponseRedirect | None:
        # A kind with a form needs values first.
        values: dict[str, Any] | None = None if kind in FORMS else {}
        return bulk_started(pages, request, kind=kind, videos=videos, values=values, query=request.GET.urlencode())

    choose.__name__ = name
    return choose


class VideoActions(admin.ModelAdmin):
    """The actions of the list."""

    actions = (
        _action("show", Kind.SHOW, _("Show")),
        _action("hide", Kind.HIDE, _("Hide")),
        _action("list_", Kind.LIST, _("List")),
        _action("unlist", Kind.UNLIST, _("Unlist")),
        _action("schedule", Kind.SCHEDULE, _("Schedule…")),
        _action("add_tags", Kind.ADD_TAGS, _("Add tags…"), "content"),
        _action("remove_tags", Kind.REMOVE_TAGS, _("Remove tags…"), "content"),
        _action("check_again", Kind.CHECK, _("Check the files again")),
    )

    def has_content_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the caller may change the content of videos."""
        return request.user.has_perm("ondemand.change_content")
