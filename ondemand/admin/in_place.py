"""Titles and tags that are edited in the list itself."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxLengthValidator
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_app.admin import account_of
from ondemand.admin.columns import IN_PLACE
from ondemand.editing import VideoChangedError, edited_values, versions_of
from ondemand.errors import VideoNotFoundError
from ondemand.forms import OneLineField, TagsField, check_tags
from ondemand.limits import TITLE_LENGTH
from ondemand.models import Video
from ondemand.services import video_update


class TitleForm(forms.Form):
    """A title."""

    title = OneLineField(label=gettext_lazy("Title"), required=False, validators=[MaxLengthValidator(TITLE_LENGTH)])


class TagsForm(forms.Form):
    """Tags, one a line; not too many, and none too long."""

    tags = TagsField(label=gettext_lazy("Tags"), required=False, validators=[check_tags])


FORMS: dict[str, type[forms.Form]] = {"title": TitleForm, "tags": TagsForm}


class InPlace(admin.ModelAdmin):
    """The address to which the list sends what was typed into it."""

    def get_urls(self) -> list[URLPattern]:
        """The library's, and that one."""
        in_place = self.admin_site.admin_view(self.in_place_view)
        return [path("<uuid:video_uuid>/in-place/", in_place, name="ondemand_video_in_place"), *super().get_urls()]

    def in_place_view(self, request: HttpRequest, video_uuid: UUID) -> HttpResponse:
        """Write one field, unless somebody wrote it since the list was shown."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm("ondemand.change_content"):
            raise PermissionDenied
        field = request.POST.get("field", "")
        if field not in FORMS:
            return _refused(400, _("field: one of {names}.").format(names=", ".join(FORMS)))
        form = FORMS[field](request.POST)
        if not form.is_valid():
            label, errors = form.fields[field].label, form.errors[field]
            return _refused(400, f"{label}: {' '.join(map(str, errors))}")
        return self._write(request, video_uuid, field, form.cleaned_data[field])

    def _write(self, request: HttpRequest, video_uuid: UUID, field: str, value: Any) -> HttpResponse:
        check = _unless_changed(field, request.POST.get("version", ""))
        try:
            video = video_update(video_uuid=video_uuid, by=account_of(request), values={field: value}, check=check)
        except VideoNotFoundError:
            return _refused(404, _("There is no such video any more."))
        except VideoChangedError as error:
            told = _("Somebody changed it to “{value}”.").format(value=_text(error.video, field, ", "))
            return _refused(409, told, **_state(error.video, field))
        return JsonResponse(_state(video, field))


def _unless_changed(field: str, version: str) -> Callable[[Video], None]:
    def check(video: Video) -> None:
        if versions_of(edited_values(video), IN_PLACE)[field] != version:
            raise VideoChangedError(video)

    return check


def _state(video: Video, field: str) -> dict[str, str]:
    return {"value": _text(video, field, "\n"), "version": versions_of(edited_values(video), IN_PLACE)[field]}


def _text(video: Video, field: str, between: str) -> str:
    value: str | list[str] = edited_values(video)[field]
    return value if isinstance(value, str) else between.join(value)


def _refused(status: int, error: str, **more: str) -> JsonResponse:
    return JsonResponse({"error": error, **more}, status=status)
