"""The pages of a bulk change: what is typed for it, what it will do, what it did, and its undoing."""

import json
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_app.admin import account_of
from channels_app.times import zoned
from ondemand.admin.columns import title_of
from ondemand.bulk import bulk_begin, bulk_choose, bulk_outcomes, bulk_run, bulk_undo, bulk_values_set, videos_to_check
from ondemand.bulk_previews import first_titles, of_private_channels, tag_uses, without_files, word_changes
from ondemand.bulk_rules import Kind, Outcome
from ondemand.errors import BulkChangeStateError, TooManyChosenError
from ondemand.forms import MomentField, TagsField, check_tags, tags_attributes, zone_shown
from ondemand.limits import MOST_TAGS, is_inverted_window
from ondemand.models import BulkChange, Video
from ondemand.tagging import videos_tagged

SHOWN_CHANGES = 50


class ScheduleForm(forms.Form):
    """A publication window, on the clock of whoever types it."""

    publish_from = MomentField(label=gettext_lazy("Publication begins"), required=False)
    publish_until = MomentField(label=gettext_lazy("Publication ends"), required=False)
    shown = forms.BooleanField(label=gettext_lazy("Also show videos awaiting review"), required=False)

    def clean(self) -> dict[str, Any]:
        """The end comes after the beginning."""
        values = super().clean() or self.cleaned_data
        if is_inverted_window(values.get("publish_from"), values.get("publish_until")):
            self.add_error("publish_until", _("The end is not after the beginning."))
        return values

    def values(self) -> dict[str, Any]:
        """What the bulk change keeps of it."""
        texts = {name: value.isoformat() for name, value in self.cleaned_data.items() if isinstance(value, datetime)}
        return {**self.cleaned_data, **texts}


class ManyTagsForm(forms.Form):
    """Tags, one a line."""

    tags = TagsField(label=gettext_lazy("Tags"), help_text=gettext_lazy("One a line."))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["tags"].widget = AdminTextareaWidget(attrs=tags_attributes())

    def values(self) -> dict[str, Any]:
        """What the bulk change keeps of it."""
        return dict(self.cleaned_data)


class NewTagsForm(ManyTagsForm):
    """Tags that videos will have: not too many, and none too long."""

    tags = TagsField(label=gettext_lazy("Tags"), help_text=gettext_lazy("One a line."), validators=[check_tags])


FORMS: dict[str, type[ScheduleForm | ManyTagsForm]] = {
    Kind.SCHEDULE: ScheduleForm,
    Kind.ADD_TAGS: NewTagsForm,
    Kind.REMOVE_TAGS: ManyTagsForm,
}


class BulkPages(admin.ModelAdmin):
    """Recent bulk changes, and a page for each."""

    def get_urls(self) -> list[URLPattern]:
        """The library's, and these."""
        view = self.admin_site.admin_view
        return [
            path("bulk/", view(self.bulk_changes_view), name="ondemand_video_bulk"),
            path("bulk/<uuid:change_uuid>/", view(self.bulk_change_view), name="ondemand_video_bulk_change"),
            *super().get_urls(),
        ]

    def bulk_changes_view(self, request: HttpRequest) -> HttpResponse:
        """What was done of late, the newest first."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        changes = BulkChange.objects.begun()[:SHOWN_CHANGES]
        rows = [
            {
                "change": change,
                "told": told_of(change, change.outcomes),
                "at": zoned(change.made_at),
                "may_undo": may_undo(request, change),
            }
            for change in changes
        ]
        context = {"title": _("Recent bulk changes"), "rows": rows}
        return page_answer(self, request, "bulk_changes.html", context)

    def bulk_change_view(self, request: HttpRequest, change_uuid: Any) -> HttpResponse:
        """One of them: typed, confirmed, gone on with or undone by POST alone."""
        change = BulkChange.objects.filter(pk=change_uuid).first()
        if change is None:
            raise Http404
        if not may_change(request, change):
            raise PermissionDenied
        step = next((name for name in _STEPS if name in request.POST), None)
        if request.method == "POST" and step:
            try:
                return _STEPS[step](self, request, change)
            except BulkChangeStateError as error:
                self.message_user(request, f"{error}.", messages.ERROR)
                return HttpResponseRedirect(request.path)
        return self._bulk_page(request, change)

    def _type(self, request: HttpRequest, change: BulkChange) -> HttpResponse:
        _refuse_draft_of_another(request, change)
        with timezone.override(zone_shown(request.POST)):
            form = FORMS[change.kind](request.POST) if change.kind in FORMS else None
            if form is None or not form.is_valid():
                return self._bulk_page(request, change, form)
        bulk_values_set(change_uuid=change.pk, values=form.values())
        return HttpResponseRedirect(request.path)

    def _confirm(self, request: HttpRequest, change: BulkChange) -> HttpResponse:
        _refuse_draft_of_another(request, change)
        if change.begun_at is None and request.POST.get("values_seen", values_mark(change)) != values_mark(change):
            told = _("Something else was typed for this change since this page was shown: look at it again.")
            self.message_user(request, told, messages.ERROR)
            return HttpResponseRedirect(request.path)
        bulk_begin(change_uuid=change.pk)
        bulk_run(change_uuid=change.pk)
        return self._told(request, change)

    def _undo(self, request: HttpRequest, change: BulkChange) -> HttpResponse:
        bulk_undo(change_uuid=change.pk)
        return self._told(request, change)

    def _told(self, request: HttpRequest, change: BulkChange) -> HttpResponse:
        """Back to the list with what was done; while something is left, to the page that goes on with it."""
        change.refresh_from_db()
        is_over = bool(change.undone_at if change.undoing_at else change.done_at)
        address = reverse("admin:ondemand_video_bulk_change", args=[change.pk])
        told = told_of(change, change.outcomes)
        if not is_over or unchecked(change):
            self.message_user(request, told, messages.WARNING)
            return HttpResponseRedirect(address)
        link = "" if change.undoing_at else format_html(' <a href="{}">{}</a>', address, _("Details and undo"))
        self.message_user(request, format_html("{}{}", told, link), messages.SUCCESS)
        return HttpResponseRedirect(list_address(change))

    def _bulk_page(
        self, request: HttpRequest, change: BulkChange, form: ScheduleForm | ManyTagsForm | None = None
    ) -> HttpResponse:
        context = {
            "title": change.get_kind_display(),
            "change": change,
            "at": zoned(change.made_at),
            "list_address": list_address(change),
            "zone": timezone.get_current_timezone_name(),
            "values_seen": values_mark(change),
        }
        if change.begun_at is None:
            return page_answer(self, request, "bulk.html", {**context, **_draft(change, form, request)})
        outcomes = bulk_outcomes(change)
        done = {
            "told": told_of(change, outcomes),
            "unchecked": unchecked(change),
            "waiting": bool(outcomes.get(Outcome.WAITING)),
            "may_undo": may_undo(request, change),
        }
        return page_answer(self, request, "bulk_result.html", {**context, **done, "values": shown_values(change)})


_STEPS: dict[str, Callable[[BulkPages, HttpRequest, BulkChange], HttpResponse]] = {
    "_type": BulkPages._type,
    "_confirm": BulkPages._confirm,
    "_undo": BulkPages._undo,
}


def values_mark(change: BulkChange) -> str:
    """What tells one version of what was typed for a change from another."""
    return sha256(json.dumps(change.values, sort_keys=True).encode()).hexdigest()[:16]


def _refuse_draft_of_another(request: HttpRequest, change: BulkChange) -> None:
    # What somebody chose is for them to go on with.
    if change.begun_at is None and change.by != request.user.pk:
        raise PermissionDenied


def bulk_started(
    pages: admin.ModelAdmin,
    request: HttpRequest,
    *,
    kind: Kind,
    videos: QuerySet[Video],
    values: dict[str, Any] | None,
    query: str = "",
) -> HttpResponseRedirect | None:
    """Note what is chosen, and lead to the page that confirms it; None, with a message, where it is too much."""
    by, by_name = account_of(request), request.user.get_username()
    try:
        change = bulk_choose(kind=kind, videos=videos, by=by, by_name=by_name, query=query, values=values)
    except TooManyChosenError as error:
        pages.message_user(request, f"{error}.", messages.ERROR)
        return None
    return HttpResponseRedirect(reverse("admin:ondemand_video_bulk_change", args=[change.pk]))


def page_answer(
    pages: admin.ModelAdmin, request: HttpRequest, template: str, context: dict[str, Any]
) -> TemplateResponse:
    """A page of its own beside the list of videos."""
    each = {**pages.admin_site.each_context(request), "opts": pages.opts}
    return TemplateResponse(request, f"admin/ondemand/video/{template}", {**each, **context})


def may_change(request: HttpRequest, change: BulkChange) -> bool:
    """Whether somebody may do, and undo, what the change does."""
    permission = "ondemand.change_content" if change.is_of_tags else "ondemand.change_video"
    return bool(request.user.has_perm(permission))


def may_undo(request: HttpRequest, change: BulkChange) -> bool:
    """Whether there is something to undo, and somebody may."""
    return change.undone_at is None and may_change(request, change)


def list_address(change: BulkChange) -> str:
    """The list that the videos were chosen from, or the page of tags."""
    if change.kind == Kind.RENAME_TAG:
        return reverse("admin:ondemand_video_tags")
    address = reverse("admin:ondemand_video_changelist")
    return f"{address}?{change.query}" if change.query else address


def unchecked(change: BulkChange) -> int:
    """How many of the videos that were to be checked again are not checked yet."""
    is_on = change.kind == Kind.CHECK and change.done_at and not change.undoing_at
    return videos_to_check(change).count() if is_on else 0


def told_of(change: BulkChange, counted: dict[str, int]) -> str:
    """What a change did, in one line: `Hide: 10 changed, 2 nothing to change`."""
    labels = dict(Outcome.choices)
    told = ", ".join(f"{counted[word]} {label}" for word, label in labels.items() if counted.get(word))
    return f"{change.get_kind_display()}: {told}." if told else f"{change.get_kind_display()}."


def shown_values(change: BulkChange) -> list[tuple[str, str]]:
    """What was typed for it."""
    values = change.values or {}
    if change.kind == Kind.SCHEDULE:
        texts = {_("Begins"): values.get("publish_from"), _("Ends"): values.get("publish_until")}
        moments = [
            (label, zoned(datetime.fromisoformat(text)) if text else _("not set")) for label, text in texts.items()
        ]
        shown = [(_("Also show videos awaiting review"), _("yes"))] if values.get("shown") else []
        return [*moments, *shown]
    tags = [(_("Tags"), ", ".join(values["tags"]))] if values.get("tags") else []
    return [*tags, *([(_("New name"), values["to"])] if values.get("to") else [])]


def _draft(change: BulkChange, form: ScheduleForm | ManyTagsForm | None, request: HttpRequest) -> dict[str, Any]:
    is_typed = change.kind not in FORMS or (change.values is not None and "edit" not in request.GET)
    shown: dict[str, Any] = {"titles": [title_of(video) for video in first_titles(change)], "chosen": change.chosen}
    shown["left"] = change.chosen - len(shown["titles"])
    if is_typed and form is None:
        return {**shown, "values": shown_values(change), "can_type": change.kind in FORMS, **_preview(change)}
    return {**shown, "form": form or FORMS[change.kind](initial=_initial(change))}


def _preview(change: BulkChange) -> dict[str, Any]:
    values = change.values or {}
    if change.is_of_tags:
        to = values.get("to", "")
        merged = to if to and videos_tagged(to).exists() else ""
        uses = tag_uses(change, [*values["tags"], *([to] if to else [])])
        return {"tags": uses, "merged": merged, "most_tags": MOST_TAGS}
    if change.kind == Kind.CHECK:
        return {"is_check": True, "without_files": without_files(change)}
    return {"words": word_changes(change, values, timezone.now()), "of_private": of_private_channels(change)}


def _initial(change: BulkChange) -> dict[str, Any]:
    values = change.values or {}
    if change.kind == Kind.SCHEDULE:
        moments = {name: values.get(name) for name in ("publish_from", "publish_until")}
        return {**values, **{name: datetime.fromisoformat(text) for name, text in moments.items() if text}}
    return dict(values)
