"""The audit log in the admin; the history of an object is the log filtered by it."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

import auditlog.admin  # noqa: F401  (imported for its registration, which is undone here)
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateTimeField, Model, Q, QuerySet, Value
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from channels_app.models import AuditEntry
from common.admin.pages import ChoiceFilter, ReadOnlyAdmin, TextSearch, list_address, row_address, time_column
from common.audit import AUDITED, Way, audited, set_actor
from common.rest.scopes import account_has_scope
from common.rest.times import NOTHING, zoned

# In a row of the list; the page of an entry shows its fields and values whole.
_MAX_LENGTH = 60
_MAX_FIELDS = 4
# What `audit_note` records is no field of a model.
_NOTE_LABELS = {"stream": _("stream"), "replayed": _("replayed")}


class WayFilter(ChoiceFilter):
    title = _("way")
    parameter_name = "way"
    labels = dict(Way.choices)


class ActionFilter(ChoiceFilter):
    title = _("action")
    parameter_name = "action"
    labels = {str(value): label for value, label in AuditEntry.Action.choices}


class ObjectTypeFilter(ChoiceFilter):
    """By the model of the object: by the registry, since a query for the models would read the whole table."""

    title = _("object")
    parameter_name = "object_type"

    @property
    def labels(self) -> dict[str, Any]:  # type: ignore[override]
        """Return the label of each audited model."""
        return {model: each.label for model, each in AUDITED.items()}

    def with_value(self, rows: QuerySet[AuditEntry], value: str) -> QuerySet[AuditEntry]:
        return rows.filter(_of_models(value))


# django-auditlog registers a list whose search and filters read the whole table.
admin.site.unregister(AuditEntry)


@admin.register(AuditEntry)
class AuditEntryAdmin(TextSearch, ReadOnlyAdmin):
    """Changes with their time, actor and way, read-only."""

    nothing_yet = _("No change is recorded yet. The log lists changes of videos, channels, accounts and tokens.")
    list_display = ("time", "by", "done", "changes_short")
    list_display_links = ("time",)
    list_filter = (WayFilter, ActionFilter, ObjectTypeFilter)
    search_fields = ("object_pk",)
    search_help_text = _("The whole uuid of an object, an operation (X-Request-ID, event id), or the name of an actor")
    ordering = ("-id",)
    curated_fields = ("changes", "changes_text")
    fieldsets = (
        (None, {"fields": ("time", "by", "done", "operation")}),
        (_("Changes"), {"fields": ("changes_table",)}),
    )
    time = time_column("timestamp", _("time"), ordering="id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        """Return the entries about objects that the caller may see; `to_curator` is whether files are shown."""
        to_curator = Value(account_has_scope(request.user, "curate"))
        entries = AuditEntry.objects.select_related("content_type").annotate(to_curator=to_curator)
        if request.user.is_superuser:
            return entries
        visible = (kind for kind in AUDITED if request.user.has_perm(kind.replace(".", ".view_")))
        return entries.filter(_of_models(*visible))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the log; if it is filtered by one object, as its history, which leads back to the page of the object."""
        found = self._object_of(request)
        context = {**(extra_context or {})}
        if found is not None:
            names = _names_of(found._meta.label_lower, [str(found.pk)])
            context |= {
                "title": gettext("History"),
                "subtitle": names.get(str(found.pk), str(found)),
                "object_opts": found._meta,
                "address": row_address(type(found), found.pk),
            }
        return super().changelist_view(request, context)

    def _object_of(self, request: HttpRequest) -> Model | None:
        """Return the object that the log is filtered by, if it exists and the caller may see it."""
        kind, pk = request.GET.get("object_type"), request.GET.get("q", "")
        if kind not in AUDITED or "\0" in pk:
            return None
        model_admin = self.admin_site.get_model_admin(apps.get_model(kind))
        return model_admin.get_object(request, pk) if model_admin.has_view_permission(request) else None

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist = super().get_changelist_instance(request)
        changelist.result_list = with_object_names(changelist.result_list)
        return changelist

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> AuditEntry | None:
        entry = super().get_object(request, object_id, from_field)
        return entry and with_object_names([entry])[0]

    def found(self, queryset: QuerySet[AuditEntry], text: str) -> QuerySet[AuditEntry]:
        return queryset.filter(Q(object_pk=text) | Q(object_pk=text.lower()) | Q(cid=text) | Q(actor_name=text))

    @admin.display(description=_("by"))
    def by(self, entry: AuditEntry) -> SafeString:
        """Return the name of the actor, and the way of the change as a badge."""
        way = format_html('<span class="badge badge-way-{}">{}</span>', entry.way, entry.get_way_display())
        return format_html("<bdi>{}</bdi> {}", entry.actor_name or NOTHING, way)

    @admin.display(description=_("done"))
    def done(self, entry: AuditEntry) -> SafeString:
        """Return the action and its object, with a link if the object has a page."""
        audited_model = AUDITED.get(_model_of(entry))
        kind = audited_model.label if audited_model else entry.content_type.model
        changed = format_html("{} <bdi>{}</bdi>", kind, entry.object_repr)
        if address := address_of(entry):
            changed = format_html('<a href="{}">{}</a>', address, changed)
        return format_html("{} {}", entry.get_action_display(), changed)

    @admin.display(description=_("changes"))
    def changes_short(self, entry: AuditEntry) -> SafeString:
        """Return the first changes, their values cut to the width of a list."""
        changes = _changes(entry)
        texts = ([Truncator(text).chars(_MAX_LENGTH) for text in change] for change in changes[:_MAX_FIELDS])
        lines = format_html_join("", "<div>{}: <bdi>{}</bdi> → <bdi>{}</bdi></div>", texts)
        more = len(changes) - _MAX_FIELDS
        if more <= 0:
            return lines or SafeString(NOTHING)
        left = ngettext("and %d more field", "and %d more fields", more) % more
        return format_html('{}<div class="quiet">{}</div>', lines, left)

    @admin.display(description=_("changes"))
    def changes_table(self, entry: AuditEntry) -> SafeString:
        row = '<tr><th scope="row">{}</th><td class="value"><bdi>{}</bdi></td><td class="value"><bdi>{}</bdi></td></tr>'
        rows = format_html_join("", row, _changes(entry))
        if not rows:
            return SafeString(NOTHING)
        heads = format_html_join("", '<th scope="col">{}</th>', ((_("Field"),), (_("Before"),), (_("After"),)))
        return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", heads, rows)

    @admin.display(description=_("operation"))
    def operation(self, entry: AuditEntry) -> SafeString | str:
        """Return a link to all entries of the same request, command or event."""
        if not entry.cid:
            return NOTHING
        return format_html('<a href="{}">{}</a>', list_address(AuditEntry, q=entry.cid), entry.cid)


class AuditedAdmin(admin.ModelAdmin):
    """A model whose changes the audit log records: its history is there, and Django's own log stays empty."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(list_address(AuditEntry, object_type=self.opts.label_lower, q=object_id))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save it as the current actor, in the transaction that the view has opened."""
        set_actor()
        super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete it as the current actor, in the transaction that the view has opened."""
        set_actor()
        super().delete_model(request, obj)

    @audited()
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any = None) -> None:  # type: ignore[override]
        """Write nothing: the audit log has recorded it."""

    log_change = log_deletions = log_addition  # type: ignore[assignment]


def _of_models(*labels: str) -> Q:
    """Return the condition that the object is of one of these models, each `app.model`."""
    condition = Q(pk__in=[])
    for app, _dot, model in (label.partition(".") for label in labels):
        condition |= Q(content_type__app_label=app, content_type__model=model)
    return condition


def with_object_names(entries: Iterable[AuditEntry]) -> list[AuditEntry]:
    """Fill in missing object names with the current ones, by one query for each model; return the entries."""
    found, nameless = list(entries), dict[str, list[AuditEntry]]()
    for entry in found:
        if entry.object_repr == entry.object_pk:
            nameless.setdefault(_model_of(entry), []).append(entry)
    for model, same_model in nameless.items():
        names = _names_of(model, [entry.object_pk for entry in same_model])
        for entry in same_model:
            entry.object_repr = names.get(entry.object_pk, entry.object_pk)
    return found


def _names_of(model: str, pks: list[str]) -> Mapping[str, str]:
    """Return the current names of these objects; an empty mapping if the model has no function for them."""
    return AUDITED[model].names(pks) if model in AUDITED else {}


def _model_of(entry: AuditEntry) -> str:
    """Return the label of the model of the changed object, as the registry has it."""
    return f"{entry.content_type.app_label}.{entry.content_type.model}"


def address_of(entry: AuditEntry) -> str | None:
    """Return the address of the changed object's page, or None if its model has no pages."""
    kind = entry.content_type
    try:
        return reverse(f"admin:{kind.app_label}_{kind.model}_change", args=[entry.object_pk])
    except NoReverseMatch:
        return None


def _changes(entry: AuditEntry) -> list[tuple[str, str, str]]:
    """Return label, old and new value of each change; without the scope `curate` what may lead to files is masked."""
    changes: dict[str, Any] = entry.changes or {}
    to_curator: bool = entry.to_curator
    if not to_curator:
        masked = {name for each in AUDITED.values() for name in each.masked}
        changes = {name: ["***", "***"] if name in masked else values for name, values in changes.items()}
    return [
        (_label(field, name), _text(field, before), _text(field, after))
        for name, (before, after) in changes.items()
        for field in [_field(entry, name)]
    ]


def _field(entry: AuditEntry, name: str) -> Any:
    """Return the field, which may belong to a one-to-one part of the model; None if there is none."""
    model: Any = entry.content_type.model_class()
    parts = [each.related_model for each in model._meta.related_objects if each.one_to_one] if model else []
    for each in (model, *parts):
        try:
            return each._meta.get_field(name)
        except (AttributeError, FieldDoesNotExist):
            continue
    return None


def _label(field: Any, name: str) -> str:
    return capfirst(str(getattr(field, "verbose_name", _NOTE_LABELS.get(name, name.replace("_", " ")))))


def _text(field: Any, value: Any) -> str:
    if value is None or value == "":
        return NOTHING
    if isinstance(field, DateTimeField):
        # PostgreSQL has times that Python has not.
        with suppress(ValueError, OverflowError):
            return zoned(datetime.fromisoformat(value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
