"""The audit log in the admin: overall, and of one object in place of the stock history."""

import json
from collections.abc import Iterator
from typing import Any

import auditlog.admin  # noqa: F401  (imported for its registration, which is taken back here)
from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, Q, QuerySet, Value
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from channels_app.admin.links import list_address
from channels_app.admin.pages import ReadOnlyAdmin, TextSearch, WordFilter
from channels_app.audit import Way, actor_tell, audited
from channels_app.models import AuditEntry
from channels_app.scopes import account_has_scope
from channels_app.times import NOTHING, zoned

# A value is shown whole on the page of its entry.
_LONGEST = 60
# And so many of its fields in a row of the list.
_MOST = 4
_HIDDEN = {name: ["***", "***"] for name in ("thumbnail", "qa_reasons")}
# What is noted without a field of its own (`audit_note`).
NOTED = {"stream": _("stream"), "replayed": _("replayed")}


class WayFilter(WordFilter):
    """By how the change came in."""

    title = _("way")
    parameter_name = "way"
    words = dict(Way.choices)


class ActionFilter(WordFilter):
    """By what was done; what was looked at is an action too."""

    title = _("action")
    parameter_name = "action"
    words = {str(value): label for value, label in AuditEntry.Action.choices}


class ObjectTypeFilter(WordFilter):
    """By what kind of object was changed. The kinds are named, for asking the table would read all of it."""

    title = _("object")
    parameter_name = "object_type"
    words = {
        "ondemand.video": _("video"),
        "channels_app.channel": _("channel"),
        "accounts.user": _("account"),
        "accounts.apitoken": _("API token"),
        "auth.group": _("group"),
        "channels_app.inboxevent": _("event"),
    }

    def of_word(self, rows: QuerySet[AuditEntry], word: str) -> QuerySet[AuditEntry]:
        """The entries of that kind."""
        return rows.filter(_of_kinds(word))


# The library registers a list of its own, whose search and filters read the whole table.
admin.site.unregister(AuditEntry)


@admin.register(AuditEntry)
class AuditEntryAdmin(TextSearch, ReadOnlyAdmin):
    """Who changed what, when, and by which way: read-only."""

    nothing_yet = _("Nothing was changed yet. Each change of a video, a channel, an account or a token comes here.")
    list_display = ("moment", "by", "done", "changes_short")
    list_display_links = ("moment",)
    list_filter = (WayFilter, ActionFilter, ObjectTypeFilter)
    search_fields = ("object_pk",)
    search_help_text = _("The whole uuid of an object, an operation (X-Request-ID, event id), or who it was")
    ordering = ("-id",)
    curated_fields = ("changes", "changes_text")
    fieldsets = (
        (None, {"fields": ("moment", "by", "done", "operation")}),
        (_("Changes"), {"fields": ("changes_table",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        """Return the entries about objects that the caller may see; `to_curator` says whether files are shown."""
        to_curator = Value(account_has_scope(request.user, "curate"))
        entries = AuditEntry.objects.select_related("content_type").annotate(to_curator=to_curator)
        if request.user.is_superuser:
            return entries
        may_see = (kind for kind in ObjectTypeFilter.words if request.user.has_perm(kind.replace(".", ".view_")))
        return entries.filter(_of_kinds(*may_see))

    def found(self, queryset: QuerySet[AuditEntry], text: str) -> QuerySet[AuditEntry]:
        """Entries of an object, of an operation, or by somebody."""
        return queryset.filter(Q(object_pk=text) | Q(object_pk=text.lower()) | Q(cid=text) | Q(actor_name=text))

    @admin.display(description=_("time"), ordering="id")
    def moment(self, entry: AuditEntry) -> str:
        """When its transaction began."""
        return zoned(entry.timestamp)

    @admin.display(description=_("by"))
    def by(self, entry: AuditEntry) -> SafeString:
        """Who it was, and how it came in."""
        way = format_html('<span class="badge badge-way-{}">{}</span>', entry.way, entry.get_way_display())
        return format_html("<bdi>{}</bdi> {}", entry.actor_name or NOTHING, way)

    @admin.display(description=_("done"))
    def done(self, entry: AuditEntry) -> SafeString:
        """What was done, and to what."""
        return format_html("{} {}", entry.get_action_display(), self.changed_object(entry))

    @admin.display(description=_("object"))
    def changed_object(self, entry: AuditEntry) -> SafeString:
        """A link to it, where it has a page."""
        kind = ObjectTypeFilter.words.get(f"{entry.content_type.app_label}.{entry.content_type.model}")
        told = format_html("{} <bdi>{}</bdi>", kind or entry.content_type.model, entry.object_repr)
        address = address_of(entry)
        return format_html('<a href="{}">{}</a>', address, told) if address else told

    @admin.display(description=_("changes"))
    def changes_short(self, entry: AuditEntry) -> SafeString:
        """What changed, in short."""
        changes = list(_changes(entry).items())
        if not changes:
            return format_html("{}", NOTHING)
        lines = ((_label(entry, name), *map(_short, values)) for name, values in changes[:_MOST])
        told = format_html_join("", "<div>{}: <bdi>{}</bdi> → <bdi>{}</bdi></div>", lines)
        left = len(changes) - _MOST
        more = ngettext("and %d more field", "and %d more fields", left) % left if left > 0 else ""
        return format_html('{}<div class="quiet">{}</div>', told, more) if more else told

    @admin.display(description=_("changes"))
    def changes_table(self, entry: AuditEntry) -> SafeString:
        """What changed, whole."""
        lines = ((_label(entry, name), *map(_whole, values)) for name, values in _changes(entry).items())
        rows = format_html_join(
            "",
            '<tr><th scope="row">{}</th><td class="told"><bdi>{}</bdi></td><td class="told"><bdi>{}</bdi></td></tr>',
            lines,
        )
        head = format_html(
            '<thead><tr><th scope="col">{}</th><th scope="col">{}</th><th scope="col">{}</th></tr></thead>',
            _("Field"),
            _("Before"),
            _("After"),
        )
        return (
            format_html('<table class="changes">{}<tbody>{}</tbody></table>', head, rows)
            if rows
            else SafeString(NOTHING)
        )

    @admin.display(description=_("operation"))
    def operation(self, entry: AuditEntry) -> SafeString | str:
        """All entries of the same request, command or event."""
        if not entry.cid:
            return NOTHING
        return format_html('<a class="operation" href="{}">{}</a>', list_address(AuditEntry, q=entry.cid), entry.cid)


class AuditedAdmin(admin.ModelAdmin):
    """A model whose changes are in the audit log: its history is there, and nothing is written twice."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The audit log of this object."""
        return HttpResponseRedirect(list_address(AuditEntry, q=object_id))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save it, told as done by whoever is signed in; the view has opened the transaction."""
        actor_tell()
        super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete it, told likewise."""
        actor_tell()
        super().delete_model(request, obj)

    @audited()
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete them, told likewise."""
        super().delete_queryset(request, queryset)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        """The audit log has it."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        """The audit log has it."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:  # type: ignore[override]
        """The audit log has them."""


def _of_kinds(*kinds: str) -> Q:
    """The entries of objects of these kinds, each `app.model`."""
    named = Q(pk__in=[])
    for app, _dot, model in (kind.partition(".") for kind in kinds):
        named |= Q(content_type__app_label=app, content_type__model=model)
    return named


def address_of(entry: AuditEntry) -> str | None:
    """The page of the object that was changed, where its kind has pages."""
    kind = entry.content_type
    try:
        return reverse(f"admin:{kind.app_label}_{kind.model}_change", args=[entry.object_pk])
    except NoReverseMatch:
        return None


def _changes(entry: AuditEntry) -> dict[str, Any]:
    """Return the changes; without the scope `curate` what may lead to files is masked."""
    changes: dict[str, Any] = entry.changes or {}
    to_curator: bool = entry.to_curator
    return changes if to_curator else {name: _HIDDEN.get(name, values) for name, values in changes.items()}


def _label(entry: AuditEntry, name: str) -> str:
    model = entry.content_type.model_class()
    labels = (_field_label(each, name) for each in _with_parts(model)) if model else ()
    return capfirst(next(filter(None, labels), None) or str(NOTED.get(name, name.replace("_", " "))))


def _with_parts(model: type[Model]) -> Iterator[type[Model]]:
    """The model, and those whose rows are parts of its objects: their changes are told as its own."""
    yield model
    for relation in model._meta.related_objects:
        if relation.one_to_one and isinstance(relation.related_model, type):
            yield relation.related_model


def _field_label(model: type[Model], name: str) -> str:
    try:
        return str(getattr(model._meta.get_field(name), "verbose_name", ""))
    except FieldDoesNotExist:
        return ""


def _whole(value: Any) -> str:
    if value is None or value == "":
        return NOTHING
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _short(value: Any) -> str:
    text = _whole(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
