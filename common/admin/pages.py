"""Shared parts of the admin pages: lists, filters, columns, forms and links."""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME, AdminForm
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise, cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from common.errors import ServiceError
from common.rest.scopes import account_has_scope
from common.rest.times import NOTHING, zoned
from common.rest.uuids import uuid_or_none
from common.sql.rows import count_shown

logger = logging.getLogger(__name__)
Text = str | Promise

# Rows of a list that are counted, and reached from either end of it; a filter finds the others.
COUNTED = 1_000

# The field of an IVS event with the place of a recording, and the beginning of such a place.
# https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
_PLACE = re.compile(r'(?<="recording_s3_key_prefix": ")[^"]*|ivs/v1/[0-9]+/[^\s"]*')


# Addresses and links


@dataclass(frozen=True)
class PageLink:
    """A link to a page about a row, for accounts with the permission; `address` returns None if there is no page."""

    permission: str
    label: Any
    address: Callable[[Any], str | None]


def links_shown(request: HttpRequest, links: Iterable[PageLink], row: Any) -> list[tuple[Any, str]]:
    """Return the label and address of each page about a row that the caller may open."""
    allowed = (link for link in links if request.user.has_perm(link.permission))
    return [(link.label, address) for link in allowed if (address := link.address(row))]


def list_address(model: type[Model], **query: Any) -> str:
    """Return the address of a model's list in the admin, filtered by the query."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(query)}" if query else address


def row_address(model: type[Model], pk: object) -> str:
    """Return the address of a row's page in the admin."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])


# Lists


class LongPaginator(Paginator):
    """Pages of a list of any length, the last as quick as the first.

    Rows are counted to a bound. In a longer list the pages 1, 2, … count from its beginning and -1, -2, … from its end.
    """

    object_list: QuerySet[Any]

    @cached_property
    def _counted(self) -> int:
        return self.object_list.order_by()[: COUNTED + 1].count()

    @cached_property
    def count(self) -> int:
        """Return the number of rows, at most `COUNTED`."""
        return min(self._counted, COUNTED)

    @property
    def shown_count(self) -> str:
        """Return the number of rows as text: `1,000+` if there are more than are counted."""
        return count_shown(self._counted, COUNTED)

    def validate_number(self, number: Any) -> int:
        """Return the number of an existing page; only a list too long to be counted has pages from the end."""
        page = int(number)
        return page if self._counted > COUNTED and -self.num_pages <= page < 0 else super().validate_number(page)

    def page(self, number: Any) -> Page[Any]:
        """Return a page; a page from the end is read backwards."""
        page = self.validate_number(number)
        if page > 0:
            return super().page(page)
        bottom = (-page - 1) * self.per_page
        rows = list(self.object_list.reverse()[bottom : bottom + self.per_page])
        return Page(rows[::-1], page, self)

    def get_elided_page_range(self, number: Any = 1, **options: Any) -> Iterator[Any]:
        """Yield the pages that the list links to: the first, those around this one, the last."""
        page = self.validate_number(number)
        if page > 0:
            yield from super().get_elided_page_range(page, **options)
        else:
            yield from (1, self.ELLIPSIS)
            yield from range(max(page - 3, -self.num_pages), min(page + 3, 0))
        if self._counted > COUNTED and not -4 <= page < 0:
            yield from (self.ELLIPSIS, -1)


class LongListAdmin(admin.ModelAdmin):
    """A list of any length, of which no page reads all rows, and whose address filters by no secret."""

    # Shown in an empty list: what it will hold, and how to get there.
    nothing_yet: Text = _("There is nothing here yet.")
    paginator = LongPaginator
    show_full_result_count = False
    # Facets count all rows of a filter.
    show_facets = admin.ShowFacets.NEVER
    # A filter must not let a caller guess a secret letter by letter; Django accepts any lookup of any field.
    secret_fields: tuple[str, ...] = ()
    # Only the scope `curate` lets a caller see where the files of every video are.
    curated_fields: tuple[str, ...] = ()

    def response_action(  # type: ignore[override]  # the stubs are those of a later Django
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponse | None:
        """Run the chosen action on the chosen rows; refuse values that cannot be primary keys with a message."""
        try:
            for text in request.POST.getlist(ACTION_CHECKBOX_NAME):
                self.opts.pk.clean(text, None)
        except ValidationError:
            refusal = _("Nothing was done: the selection names no row of this list.")
            self.message_user(request, refusal, messages.ERROR)
            return None
        return super().response_action(request, queryset)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Return whether the list may be filtered by this lookup; PostgreSQL raises an error for NUL."""
        field = lookup.split("__")[0]
        if field in self.secret_fields or "\0" in str(value):
            return False
        if field in self.curated_fields and not account_has_scope(request.user, "curate"):
            return False
        return super().lookup_allowed(lookup, value, request)


class TextSearch(admin.ModelAdmin):
    """A list whose search calls one method, `found(queryset, text)`, with a text that is never empty."""

    found: Callable[..., QuerySet[Any]]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return the rows that match, or all rows if the text is empty; no row comes twice."""
        text = search_term.strip()
        return (self.found(queryset, text) if text else queryset), False


class ChoiceFilter(admin.SimpleListFilter):
    """A filter by one of a few values, each with its label; an unknown value filters nothing."""

    labels: Mapping[str, Any]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(self.labels.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None or value not in self.labels else self.with_value(queryset, value)

    def with_value(self, rows: Any, value: str) -> Any:
        """Return the rows with the value; by default those whose field of the parameter's name holds it."""
        return rows.filter((str(self.parameter_name), value))


def time_column(
    field: str, description: Any, *, ordering: str | None = None, empty: Any = NOTHING
) -> Callable[[Any, Any], str]:
    """Return a column that shows the time of a field in the zone of the reader, or `empty`."""

    @admin.display(description=description, ordering=ordering)
    def column(_admin: Any, row: Any) -> str:
        time = getattr(row, field)
        return zoned(time) if time else str(empty)

    return column


def without_places(text: str) -> str:
    """Return the text with buckets and prefixes of recordings masked, for callers who may not see where files are."""
    for bucket in settings.RECORDING_BUCKETS:
        text = text.replace(bucket, "***")
    return _PLACE.sub("***", text)


def by_uuid(text: str, *fields: str) -> Q:
    """Return the condition that one of the fields holds the uuid; no row meets it if the text is no uuid."""
    uuid = uuid_or_none(text)
    return Q(pk__in=[]) if uuid is None else reduce(or_, (Q((field, uuid)) for field in fields))


# Forms and pages


def account_of(request: HttpRequest) -> UUID:
    """Return the primary key of the account that is signed in."""
    return request.user.pk  # type: ignore[return-value]  # an account: the admin lets no one else in


class PlainFormAdmin(admin.ModelAdmin):
    """A service creates rows from a plain form; the model form and its transaction are not used."""

    create_title: Text = ""
    create_help: Text = ""

    def create_page(
        self, request: HttpRequest, form: forms.Form, form_url: str, extra_context: dict[str, Any] | None
    ) -> HttpResponse:
        fieldsets = [(None, {"fields": list(form.fields), "description": self.create_help})]
        admin_form = AdminForm(form, fieldsets, {}, model_admin=self)  # type: ignore[arg-type]
        context = {
            **self.admin_site.each_context(request),
            "title": self.create_title,
            "adminform": admin_form,
            "inline_admin_formsets": [],
            "errors": form.errors,
            "media": self.media + admin_form.media,
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
            **(extra_context or {}),
        }
        return self.render_change_form(request, context, add=True, form_url=form_url)


class ReadOnlyAdmin(LongListAdmin):
    """Pages that show rows and change none."""

    change_form_template = "admin/read_only.html"
    # Links to pages about the row, for `admin/read_only.html`.
    links: tuple[PageLink, ...] = ()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        context |= {"links": links_shown(request, self.links, context["original"])}
        return super().render_change_form(request, context, *args, **options)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: such rows are written elsewhere."""
        return False

    has_change_permission = has_delete_permission = has_add_permission


def refusal_sentence(error: ServiceError) -> str:
    """Log the error, and return its sentence for staff; accounts and roles named by AWS stay in the log."""
    logger.warning("refused in the admin: %s", error)
    return error.for_staff()
