"""Bulk changes in the admin: the actions of the video list, and the pages that confirm, show and undo a change."""

import json
from datetime import datetime
from hashlib import sha256
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_app.admin import account_of
from common.rest.times import zoned
from ondemand.admin.forms import LocalDateTimeField, TagsField, posted_zone
from ondemand.admin.views import AdminView
from ondemand.bulk import services
from ondemand.bulk.decisions import Outcome
from ondemand.bulk.preview import chosen_videos, listing_changes, tag_uses
from ondemand.bulk.services import BulkChangeStateError, TooManyChosenError
from ondemand.models import BulkChange, Video
from ondemand.search.lookups import videos_tagged
from ondemand.videos.limits import MOST_TAGS, check_tags, check_window
from ondemand.videos.titles import display_title

SHOWN_CHANGES = 50
SHOWN_TITLES = 5


class ScheduleForm(forms.Form):
    """A publication window, in the time zone in which the form was shown."""

    publish_from = LocalDateTimeField(label=gettext_lazy("Publication begins"), required=False)
    publish_until = LocalDateTimeField(label=gettext_lazy("Publication ends"), required=False)
    shown = forms.BooleanField(label=gettext_lazy("Also show videos awaiting review"), required=False)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        try:
            check_window(values.get("publish_from"), values.get("publish_until"))
        except forms.ValidationError as error:
            self.add_error("publish_until", error)
        return values


class ManyTagsForm(forms.Form):
    """Any number of tags, one a line."""

    tags = TagsField(label=gettext_lazy("Tags"), help_text=gettext_lazy("One a line."))


class NewTagsForm(forms.Form):
    """Tags to add, within the limits of a video."""

    tags = TagsField(label=gettext_lazy("Tags"), help_text=gettext_lazy("One a line."), validators=[check_tags])


FORMS: dict[str, type[forms.Form]] = {
    BulkChange.Kind.SCHEDULE: ScheduleForm,
    BulkChange.Kind.ADD_TAGS: NewTagsForm,
    BulkChange.Kind.REMOVE_TAGS: ManyTagsForm,
}


def _action(name: str, kind: BulkChange.Kind, description: Any, permission: str = "change") -> Any:
    """Return an action of the list that starts a bulk change of this kind."""

    @admin.action(description=description, permissions=[permission])
    def start(pages: Any, request: HttpRequest, videos: QuerySet[Video]) -> HttpResponseRedirect | None:
        # A kind with a form needs values first.
        values: dict[str, Any] | None = None if kind in FORMS else {}
        return bulk_started(pages, request, kind=kind, videos=videos, values=values, query=request.GET.urlencode())

    start.__name__ = name
    return start


ACTIONS = (
    _action("show", BulkChange.Kind.SHOW, gettext_lazy("Show")),
    _action("hide", BulkChange.Kind.HIDE, gettext_lazy("Hide")),
    _action("list_", BulkChange.Kind.LIST, gettext_lazy("List")),
    _action("unlist", BulkChange.Kind.UNLIST, gettext_lazy("Unlist")),
    _action("protect", BulkChange.Kind.PROTECT, gettext_lazy("Play with a grant alone")),
    _action("unprotect", BulkChange.Kind.UNPROTECT, gettext_lazy("Play without a grant")),
    _action("schedule", BulkChange.Kind.SCHEDULE, gettext_lazy("Schedule…")),
    _action("add_tags", BulkChange.Kind.ADD_TAGS, gettext_lazy("Add tags…"), "content"),
    _action("remove_tags", BulkChange.Kind.REMOVE_TAGS, gettext_lazy("Remove tags…"), "content"),
    _action("check_again", BulkChange.Kind.CHECK, gettext_lazy("Check the files again")),
)


class BulkChangesPage(AdminView):
    """The page of recent bulk changes."""

    def get(self, request: HttpRequest) -> HttpResponse:
        rows = [
            {
                "change": change,
                "summary": summary_of(change, change.outcomes),
                "at": zoned(change.made_at),
                "may_undo": change.state != BulkChange.State.UNDONE and may_change(request, change),
            }
            for change in BulkChange.objects.begun()[:SHOWN_CHANGES]
        ]
        return self.page("bulk_changes.html", title=_("Recent bulk changes"), rows=rows)


class BulkChangePage(AdminView):
    """Show a change; POST sets its values, confirms, resumes or undoes it."""

    change: BulkChange

    def is_allowed(self) -> bool:
        found = BulkChange.objects.filter(pk=self.kwargs["change_uuid"]).first()
        if found is None:
            raise Http404
        self.change = found
        return may_change(self.request, found)

    def get(self, request: HttpRequest, **_names: Any) -> HttpResponse:
        return self._bulk_page(request, self.change)

    def post(self, request: HttpRequest, **_names: Any) -> HttpResponse:
        change = self.change
        step = next((name for name in ("_type", "_confirm", "_undo") if name in request.POST), "")
        # Only the account that chose the videos may go on with a draft.
        if step in {"_type", "_confirm"} and change.state == BulkChange.State.DRAFT and change.by != request.user.pk:
            raise PermissionDenied
        try:
            if step == "_type":
                return self._type(request, change)
            if step == "_confirm":
                return self._confirm(request, change)
            if step == "_undo":
                services.bulk_undo(change_uuid=change.pk)
                return self._redirect_after(change)
        except BulkChangeStateError as error:
            self.message(f"{error}.", messages.ERROR)
            return HttpResponseRedirect(request.path)
        return self._bulk_page(request, change)

    def _type(self, request: HttpRequest, change: BulkChange) -> HttpResponse:
        with timezone.override(posted_zone(request.POST)):
            form = FORMS[change.kind](request.POST) if change.kind in FORMS else None
            if form is None or not form.is_valid():
                return self._bulk_page(request, change, form)
        fields = form.cleaned_data.items()
        values = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in fields}
        services.bulk_values_set(change_uuid=change.pk, values=values)
        return HttpResponseRedirect(request.path)

    def _confirm(self, request: HttpRequest, change: BulkChange) -> HttpResponse:
        mark = values_mark(change)
        if change.state == BulkChange.State.DRAFT and request.POST.get("values_seen", mark) != mark:
            message = _("The values of this change were edited after this page was shown: check them again.")
            self.message(message, messages.ERROR)
            return HttpResponseRedirect(request.path)
        services.bulk_begin(change_uuid=change.pk)
        services.bulk_run(change_uuid=change.pk)
        return self._redirect_after(change)

    def _redirect_after(self, change: BulkChange) -> HttpResponse:
        """Redirect to the list with a summary or, while something is left to do, to the page of the change."""
        change.refresh_from_db()
        address = reverse("admin:ondemand_video_bulk_change", args=[change.pk])
        summary = summary_of(change, change.outcomes)
        if change.state not in {BulkChange.State.DONE, BulkChange.State.UNDONE} or unchecked(change):
            self.message(summary, messages.WARNING)
            return HttpResponseRedirect(address)
        link = "" if change.is_undoing else format_html(' <a href="{}">{}</a>', address, _("Details and undo"))
        self.message(format_html("{}{}", summary, link))
        return HttpResponseRedirect(list_address(change))

    def _bulk_page(self, request: HttpRequest, change: BulkChange, form: forms.Form | None = None) -> HttpResponse:
        context = {
            "title": change.get_kind_display(),
            "change": change,
            "at": zoned(change.made_at),
            "list_address": list_address(change),
            "zone": timezone.get_current_timezone_name(),
            "values_seen": values_mark(change),
        }
        if change.state == BulkChange.State.DRAFT:
            return self.page("bulk.html", **context, **_draft(change, form, request))
        done = {
            "summary": summary_of(change, services.bulk_outcomes(change)),
            "unchecked": unchecked(change),
            "may_undo": change.state != BulkChange.State.UNDONE and may_change(request, change),
        }
        return self.page("bulk_result.html", **context, **done, values=shown_values(change))


def values_mark(change: BulkChange) -> str:
    """Return a digest of the values of a change; confirming sends it back, so that edited values are noticed."""
    return sha256(json.dumps(change.values, sort_keys=True).encode()).hexdigest()[:16]


def bulk_started(
    pages: Any,
    request: HttpRequest,
    *,
    kind: BulkChange.Kind,
    videos: QuerySet[Video],
    values: dict[str, Any] | None,
    query: str = "",
) -> HttpResponseRedirect | None:
    """Store the choice and redirect to the page that confirms it; None, with a message, if too many are chosen."""
    by, by_name = account_of(request), request.user.get_username()
    try:
        change = services.bulk_choose(kind=kind, videos=videos, by=by, by_name=by_name, query=query, values=values)
    except TooManyChosenError as error:
        pages.message_user(request, f"{error}.", messages.ERROR)
        return None
    return HttpResponseRedirect(reverse("admin:ondemand_video_bulk_change", args=[change.pk]))


def may_change(request: HttpRequest, change: BulkChange) -> bool:
    """Return whether the caller may run and undo the change."""
    permission = "ondemand.change_content" if change.is_of_tags else "ondemand.change_video"
    return bool(request.user.has_perm(permission))


def list_address(change: BulkChange) -> str:
    """Return the address of the list in which the videos were chosen, or of the page of tags."""
    if change.kind == BulkChange.Kind.RENAME_TAG:
        return reverse("admin:ondemand_video_tags")
    address = reverse("admin:ondemand_video_changelist")
    return f"{address}?{change.query}" if change.query else address


def unchecked(change: BulkChange) -> int:
    """Return the number of marked videos whose files are not checked yet."""
    is_check = change.kind == BulkChange.Kind.CHECK and change.state == BulkChange.State.DONE
    return services.videos_to_check(change).count() if is_check else 0


def summary_of(change: BulkChange, outcomes: dict[str, int]) -> str:
    """Return the outcomes of a change in one line: `Hide: 10 changed, 2 nothing to change.`"""
    counts = ", ".join(f"{outcomes[value]} {label}" for value, label in Outcome.choices if outcomes.get(value))
    return f"{change.get_kind_display()}: {counts}." if counts else f"{change.get_kind_display()}."


def shown_values(change: BulkChange) -> list[tuple[str, str]]:
    """Return the values of a change, each with its label."""
    values = change.values or {}
    if change.kind == BulkChange.Kind.SCHEDULE:
        texts = ((_("Begins"), values.get("publish_from")), (_("Ends"), values.get("publish_until")))
        shown = [(label, zoned(datetime.fromisoformat(text)) if text else _("not set")) for label, text in texts]
        return [*shown, (_("Also show videos awaiting review"), _("yes"))] if values.get("shown") else shown
    tags = [(_("Tags"), ", ".join(values["tags"]))] if values.get("tags") else []
    return [*tags, (_("New name"), values["to"])] if values.get("to") else tags


def _draft(change: BulkChange, form: forms.Form | None, request: HttpRequest) -> dict[str, Any]:
    """Return the context of a draft: the form for its values or, once they are set, the preview."""
    values = change.values or {}
    newest = chosen_videos(change).newest_first().with_content()[:SHOWN_TITLES]
    shown: dict[str, Any] = {"titles": [display_title(video) for video in newest], "chosen": change.chosen}
    shown["left"] = change.chosen - len(shown["titles"])
    has_form = change.kind in FORMS
    if form is not None or (has_form and (change.values is None or "edit" in request.GET)):
        window = {name: values[name] for name in ("publish_from", "publish_until") if values.get(name)}
        times = {name: datetime.fromisoformat(text) for name, text in window.items()}
        return {**shown, "form": form or FORMS[change.kind](initial={**values, **times})}
    shown |= {"values": shown_values(change), "has_form": has_form}
    if change.is_of_tags:
        to = values.get("to", "")
        merged = to if to and videos_tagged(to).exists() else ""
        uses = tag_uses(change, [*values["tags"], *([to] if to else [])])
        return {**shown, "tags": uses, "merged": merged, "most_tags": MOST_TAGS}
    if change.kind == BulkChange.Kind.CHECK:
        without_files = change.chosen - chosen_videos(change).with_files().count()
        return {**shown, "is_check": True, "without_files": without_files}
    with_grant = chosen_videos(change).with_grant_alone().count()
    if change.kind in {BulkChange.Kind.PROTECT, BulkChange.Kind.UNPROTECT}:
        return {**shown, "is_playback": True, "with_grant": with_grant}
    return {**shown, "listings": listing_changes(change, values, timezone.now()), "with_grant": with_grant}
