"""What the pages of the admin have in common."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME, AdminForm
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext_lazy as _

from channels_app.counting import count_shown
from channels_app.errors import ServiceError
from channels_app.scopes import account_has_scope
from channels_app.uuids import uuid_or_none

logger = logging.getLogger(__name__)

# Rows of a list that are counted, and reached from either end of it; what is farther away is found by a filter.
COUNTED = 5_000

# What IVS calls the place of a recording, and how such a place begins.
# https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
_PLACE = re.compile(r'(?<="recording_s3_key_prefix": ")[^"]*|ivs/v1/[0-9]+/[^\s"]*')


class LongPaginator(Paginator):
    """Pages of a list of any length, the last as quick as the first.

    Rows are counted to a bound. Of a list that is longer the pages 1, 2, … count from its beginning and -1, -2, …
    from its end.
    """

    object_list: QuerySet[Any]

    @cached_property
    def _counted(self) -> int:
        return self.object_list.order_by()[: COUNTED + 1].count()

    @property
    def is_longer(self) -> bool:
        """Whether there are more rows than are counted."""
        return self._counted > COUNTED

    @cached_property
    def count(self) -> int:
        """How many rows there are, at most `COUNTED`."""
        return min(self._counted, COUNTED)

    @property
    def shown_count(self) -> str:
        """The number of rows as people read it: `5000+` where there are more than are counted."""
        return count_shown(self._counted, COUNTED)

    def validate_number(self, number: Any) -> int:
        """A page that there is; those from the end are for what is too long to be counted."""
        page = int(number)
        if page < 0 and self.is_longer and -page <= self.num_pages:
            return page
        return super().validate_number(page)

    def page(self, number: Any) -> Page[Any]:
        """The rows of a page; a page from the end is read backwards."""
        page = self.validate_number(number)
        if page > 0:
            return super().page(page)
        bottom = (-page - 1) * self.per_page
        rows = list(self.object_list.reverse()[bottom : bottom + self.per_page])
        return Page(rows[::-1], page, self)

    def get_elided_page_range(self, number: Any = 1, **options: Any) -> Iterator[Any]:
        """The pages that are offered: the first, those around, the last."""
        page = self.validate_number(number)
        if page > 0:
            yield from super().get_elided_page_range(page, **options)
        else:
            yield from (1, self.ELLIPSIS)
            yield from range(max(page - 3, -self.num_pages), min(page + 3, 0))
        if self.is_longer and not -4 <= page < 0:
            yield from (self.ELLIPSIS, -1)


class LongList(admin.ModelAdmin):
    """A list that may be of any length: nothing on its page reads all of it."""

    # What an empty list says: what would be here, and what to do for it.
    nothing_yet: str | Promise = _("There is nothing here yet.")
    paginator = LongPaginator
    show_full_result_count = False
    # They count all rows of a filter.
    show_facets = admin.ShowFacets.NEVER

    def response_action(  # type: ignore[override]  # the stubs are those of a later Django
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponse | None:
        """Do what was chosen to the rows that were chosen; a choice that can be no key of a row is told."""
        if all(map(self._may_be_key, request.POST.getlist(ACTION_CHECKBOX_NAME))):
            return super().response_action(request, queryset)
        told = _("Nothing was done: what was chosen names no row of this list.")
        self.message_user(request, told, messages.ERROR)
        return None

    def _may_be_key(self, text: str) -> bool:
        try:
            self.opts.pk.clean(text, None)
        except ValidationError:
            return False
        return True


class SafeLookups(LongList):
    """Addresses of lists: a field may be filtered by in any way, so some fields and values are refused."""

    # A filter must not be a way to guess a secret letter by letter.
    secret_fields: tuple[str, ...] = ()
    # The same for all but those with the scope `curate`, who may know where the files of every video are.
    curated_fields: tuple[str, ...] = ()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Whether a list may be filtered so; NUL is in no row, and PostgreSQL raises for it."""
        field = lookup.split("__")[0]
        if field in self.secret_fields or "\0" in str(value):
            return False
        if field in self.curated_fields and not account_has_scope(request.user, "curate"):
            return False
        return super().lookup_allowed(lookup, value, request)


class TextSearch(admin.ModelAdmin):
    """A list whose search box is read by one method, `found(queryset, text)`; its text is never empty."""

    found: Callable[..., QuerySet[Any]]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows that are found; all of them where nothing is sought. No row comes twice."""
        text = search_term.strip()
        return (self.found(queryset, text) if text else queryset), False


class WordFilter(admin.SimpleListFilter):
    """By one of a few words, each with its label; an unknown word filters nothing."""

    words: Mapping[str, Any]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """All of them."""
        return list(self.words.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of which the word is true."""
        wanted = self.value()
        return queryset if wanted is None or wanted not in self.words else self.of_word(queryset, wanted)

    def of_word(self, rows: Any, word: str) -> Any:
        """The rows of which a known word is true: of which the field has it, unless a filter knows better."""
        return rows.filter((str(self.parameter_name), word))


def without_places(text: str) -> str:
    """Return the text without the buckets and prefixes of recordings, for those who may not know where files are."""
    for bucket in settings.RECORDING_BUCKETS:
        text = text.replace(bucket, "***")
    return _PLACE.sub("***", text)


def by_uuid(text: str, *fields: str) -> Q:
    """The rows that have the uuid in one of the fields; none where the text is no uuid."""
    uuid = uuid_or_none(text)
    return Q(pk__in=[]) if uuid is None else reduce(or_, (Q((field, uuid)) for field in fields))


def account_of(request: HttpRequest) -> UUID:
    """The account of whoever is signed in."""
    return request.user.pk  # type: ignore[return-value]  # an account: the admin lets no one else in


class PlainFormAdmin(admin.ModelAdmin):
    """Rows are made by a service from a plain form: the model's own form and its transaction are not used."""

    create_title: str | Promise = ""
    create_help: str | Promise = ""

    def create_page(
        self, request: HttpRequest, form: forms.Form, form_url: str, extra_context: dict[str, Any] | None
    ) -> HttpResponse:
        """The page of the form, with what is wrong with it."""
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


class ReadOnlyAdmin(SafeLookups):
    """Pages that show rows and change none."""

    change_form_template = "admin/read_only.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """All that the page shows."""
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: such rows come from elsewhere."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


def refusal_sentence(error: ServiceError) -> str:
    """Log the error, and return its sentence for staff; what AWS says of accounts and roles stays in the log."""
    logger.warning("refused in the admin: %s", error)
    return error.for_staff()
