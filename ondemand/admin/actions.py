"""What is done to many videos at once: each action notes what is chosen, and leads to the page that confirms it."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from ondemand.admin.bulk import FORMS, bulk_started
from ondemand.bulk.decisions import Kind
from ondemand.models import Video


class VideoActions(admin.ModelAdmin):
    """The actions of the list."""

    actions = ("show", "hide", "list_", "unlist", "schedule", "add_tags", "remove_tags", "check_again")

    def has_content_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change what people write about videos."""
        return request.user.has_perm("ondemand.change_content")

    @admin.action(description=_("Show"), permissions=["change"])
    def show(self, request: HttpRequest, queryset: QuerySet[Video]) -> HttpResponseRedirect | None:
        """Show those that are hidden or held; a recording that is not finished shows by itself."""
        return self._choose(request, queryset, Kind.SHOW)

    @admin.action(description=_("Hide"), permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Video]) -> HttpResponseRedirect | None:
        """Take them out of every list and page."""
        return self._choose(request, queryset, Kind.HIDE)

    @admin.action(description=_("List"), permissions=["change"])
    def list_(self, request: HttpRequest, queryset: QuerySet[Video]) -> HttpResponseRedirect | None:
        """Everybody finds them."""
        return self._choose(request, queryset, Kind.LIST)

    @admin.action(description=_("Unlist"), permissions=["change"])
    def unlist(self, request: HttpRequest, queryset: QuerySet[Video]) -> HttpResponseRedirect | None:
        """Only who has their address opens them."""
        return self._choose(request, queryset, Kind.UNLIST)

    @admin.action(description=_("Schedule…"), permissions=["change"])
    def schedule(self, request: HttpRequest, queryset: QuerySet[Video]) -> HttpResponseRedirect | None:
        """When their publication begins and ends."""
        return self._choose(request, queryset, Kind.SCHEDULE)

    @admin.action(description=_("Add tags…"), permissions=["content"])
    def add_tags(self, request: HttpRequest, queryset: QuerySet[Video]) -> HttpResponseRedirect | None:
        """Give them more tags."""
        return self._choose(request, queryset, Kind.ADD_TAGS)

    @admin.action(description=_("Remove tags…"), permissions=["content"])
    def remove_tags(self, request: HttpRequest, queryset: QuerySet[Video]) -> HttpResponseRedirect | None:
        """Take tags away from them."""
        return self._choose(request, queryset, Kind.REMOVE_TAGS)

    @admin.action(description=_("Check the files again"), permissions=["change"])
    def check_again(self, request: HttpRequest, queryset: QuerySet[Video]) -> HttpResponseRedirect | None:
        """Look at their files."""
        return self._choose(request, queryset, Kind.CHECK)

    def _choose(self, request: HttpRequest, videos: QuerySet[Video], kind: Kind) -> HttpResponseRedirect | None:
        # What has a form needs something typed first.
        values: dict[str, Any] | None = None if kind in FORMS else {}
        return bulk_started(self, request, kind=kind, videos=videos, values=values, query=request.GET.urlencode())
