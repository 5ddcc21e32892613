"""The columns of the video list; titles and tags are edited in it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db.models import F
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_app.admin import account_of
from common.rest.times import NOTHING, clock, zoned
from ondemand.admin.forms import OneLineField, TagsField
from ondemand.admin.views import VideoView
from ondemand.models import Video
from ondemand.videos.files import CatalogueReader
from ondemand.videos.form_values import VideoChangedError, edited_values, versions_of
from ondemand.videos.limits import TITLE_LENGTH, check_tags
from ondemand.videos.services import video_update
from ondemand.videos.thumbnails import row_picture, storyboard
from ondemand.videos.titles import display_title, untitled_name

# The fields that are edited in the list.
IN_PLACE: dict[str, forms.CharField] = {
    "title": OneLineField(label=gettext_lazy("Title"), required=False, validators=[MaxLengthValidator(TITLE_LENGTH)]),
    "tags": TagsField(label=gettext_lazy("Tags"), required=False, validators=[check_tags]),
}


def video_columns(model_admin: admin.ModelAdmin, request: HttpRequest) -> tuple[Any, ...]:
    """Return the columns; picture and title link to the page of the video, which links back to this list."""
    context: Any = {"preserved_filters": model_admin.get_preserved_filters(request), "opts": model_admin.opts}

    def address(video: Video) -> str:
        return add_preserved_filters(context, reverse("admin:ondemand_video_change", args=[video.pk]))

    @admin.display(description=gettext_lazy("picture"))
    def picture(video: Video) -> SafeString:
        return _picture(video, address(video))

    @admin.display(description=gettext_lazy("title"))
    def title(video: Video) -> str:
        values = edited_values(video)
        cell = {
            **values,
            "address": address(video),
            "in_place": reverse("admin:ondemand_video_in_place", args=[video.pk]),
            "tags_text": "\n".join(values["tags"]),
            "versions": versions_of(values, IN_PLACE),
            "untitled": untitled_name(video),
        }
        return render_to_string("admin/ondemand/video/title_cell.html", cell)

    return (picture, title, listing, channel_name, length, start)


@admin.display(description=gettext_lazy("channel"))
def channel_name(video: Video) -> SafeString:
    return format_html("<bdi>{}</bdi>", video.channel_name or video.channel_id or NOTHING)


# The only order that an index serves.
@admin.display(description=gettext_lazy("start"), ordering=F("started_at").asc(nulls_first=True))
def start(video: Video) -> str:
    return zoned(video.started_at)


@admin.display(description=gettext_lazy("duration"))
def length(video: Video) -> str:
    return clock(video.duration) if video.length_ms else NOTHING


@admin.display(description=gettext_lazy("listing"))
def listing(video: Video) -> SafeString:
    """Return the listing, the most serious reason why the video is not listed, and files that are not good."""
    reasons = video.listing_reasons_at(timezone.now())
    badge = format_html('<span class="badge badge-{}">{}</span>', reasons.result, reasons.result.label)
    notes = [reasons.sentences[0]] if not reasons.is_kept else []
    if video.needs_grant:
        notes.append(_("Played with a grant alone."))
    reasons_shown = format_html_join("", '<span class="reason">{}</span>', ((note,) for note in notes))
    return badge + reasons_shown + _bad_files(video)


class InPlaceView(VideoView):
    """Write one field, unless it was changed since the list was shown; a script reads the answers."""

    def is_allowed(self) -> bool:
        return self.request.user.has_perm("ondemand.change_content")

    def missing(self, object_id: str) -> HttpResponse:
        return JsonResponse({"error": _("This video no longer exists.")}, status=404)

    def post(self, request: HttpRequest) -> HttpResponse:
        name = request.POST.get("field", "")
        if name not in IN_PLACE:
            return JsonResponse({"error": _("field: one of {names}.").format(names=", ".join(IN_PLACE))}, status=400)
        try:
            value = IN_PLACE[name].clean(request.POST.get(name))
        except ValidationError as error:
            return JsonResponse({"error": f"{IN_PLACE[name].label}: {' '.join(error.messages)}"}, status=400)

        def check(video: Video) -> None:
            if versions_of(edited_values(video), [name])[name] != request.POST.get("version", ""):
                raise VideoChangedError(video)

        try:
            video = video_update(video_uuid=self.video.pk, by=account_of(request), values={name: value}, check=check)
        except VideoChangedError as error:
            message = _("Somebody changed it to “{value}”.").format(value=_text(error.video, name, ", "))
            return JsonResponse({"error": message, **_field_state(error.video, name)}, status=409)
        return JsonResponse(_field_state(video, name))


def _reader(video: Video) -> CatalogueReader:
    return CatalogueReader(is_curator=video.to_curator)  # type: ignore[attr-defined]


def _picture(video: Video, address: str) -> SafeString:
    """Return the picture as a link to the page of the video.

    `list.js` turns it into a play button and shows `data-frames` on hover.
    """
    reader, title = _reader(video), display_title(video)
    url = row_picture(video, reader)
    if url is None:
        image = format_html('<span class="no-picture">{}</span>', _("No picture"))
    else:
        label = _("Picture of {title}").format(title=title)
        image = format_html('<img class="thumbnail" loading="lazy" src="{}" alt="{}">', url, label)
    play = reverse("admin:ondemand_video_play", args=[video.pk]) if reader.location(video) else ""
    frames = " ".join(storyboard(reader.thumbnails(video)))
    link = '<a class="picture" href="{}" data-play="{}" data-title="{}" data-frames="{}">{}</a>'
    return format_html(link, address, play, title, frames, image)


def _bad_files(video: Video) -> SafeString:
    """Return the result of the quality check with its first reason; empty if it found nothing amiss."""
    if video.qa not in {Video.Qa.WARNING, Video.Qa.FAILED}:
        return SafeString()
    reasons = video.qa_reasons if _reader(video).sees_files(video) else None
    label = _("files: {result}").format(result=video.get_qa_display())
    badge = format_html('<span class="badge badge-qa-{}">{}</span>', video.qa, label)
    return badge + format_html('<span class="reason">{}</span>', Truncator(reasons[0]).chars(80)) if reasons else badge


def _field_state(video: Video, name: str) -> dict[str, str]:
    return {"value": _text(video, name, "\n"), "version": versions_of(edited_values(video), [name])[name]}


def _text(video: Video, name: str, separator: str) -> str:
    value: str | list[str] = edited_values(video)[name]
    return value if isinstance(value, str) else separator.join(value)
