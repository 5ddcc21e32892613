"""The page of a video."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest, HttpResponse

from ondemand.admin.columns import title_of
from ondemand.forms import ContentForm
from ondemand.models import Content, Video
from ondemand.pictures import video_picture
from ondemand.services import video_update


class ContentInline(admin.StackedInline):
    """The content of a video."""

    model = Content
    form = ContentForm
    template = "admin/ondemand/video/content.html"
    fields = ("title", "description", "tags", "thumbnail")
    extra = 1
    max_num = 1
    can_delete = False


class VideoPage(admin.ModelAdmin):
    """One video: its player, and what people write about it."""

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:
        """Nothing of the row itself is edited, and an event may write it at the same time."""

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: BaseModelFormSet, change: bool) -> None:
        """Write what was edited, as the API's PATCH does."""
        # Fills what the history is told about, and saves nothing.
        formset.save(commit=False)
        for content_form in formset.forms:
            if isinstance(content_form, ContentForm) and content_form.has_changed():
                video_update(video_uuid=form.instance.pk, by=account_of(request), values=content_form.changes())

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        """The page, with what the player needs."""
        video: Video = context["original"]
        context |= {"subtitle": title_of(video), "location": video.location, "poster": video_picture(video)}
        return super().render_change_form(request, context, *args, **options)


def account_of(request: HttpRequest) -> UUID:
    """The account of whoever is signed in."""
    return request.user.pk  # type: ignore[return-value]  # an account: the admin lets no one else in
