"""What is done to many videos at once."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from ondemand.models import Video
from ondemand.services import video_hide, video_show


class VideoActions(admin.ModelAdmin):
    """The actions of the list."""

    @admin.action(description="Show selected videos", permissions=["change"])
    def show(self, request: HttpRequest, queryset: QuerySet[Video]) -> None:
        """Show those that are hidden; a recording that is not finished shows by itself."""
        hidden = queryset.exclude(active=True, held=False).filter(status=Video.Status.AVAILABLE)
        self._apply(request, queryset, hidden, video_show, "Shown")

    @admin.action(description="Hide selected videos", permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Video]) -> None:
        """Hide those that are shown, or will be."""
        self._apply(request, queryset, queryset.exclude(active=False), video_hide, "Hidden")

    def _apply(
        self,
        request: HttpRequest,
        selected: QuerySet[Video],
        changing: QuerySet[Video],
        service: Callable[..., None],
        word: str,
    ) -> None:
        total = selected.count()
        uuids = list(changing.order_by().values_list("pk", flat=True))
        for uuid in uuids:
            service(video_uuid=uuid)
        told = f"{word}: {len(uuids)} of {total} selected videos."
        self.message_user(request, told, messages.SUCCESS if uuids else messages.WARNING)
