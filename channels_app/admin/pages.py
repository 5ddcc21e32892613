"""What the pages of the admin have in common."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import AdminForm
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import QuerySet, TextChoices
from django.http import HttpRequest, HttpResponse


class SafeLookups(admin.ModelAdmin):
    """Addresses of lists: a field may be filtered by in any way, so some fields and values are refused."""

    # A filter must not be a way to guess a secret letter by letter.
    secret_fields: tuple[str, ...] = ()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Whether a list may be filtered so; NUL is in no row, and PostgreSQL raises for it."""
        if lookup.split("__")[0] in self.secret_fields or "\0" in str(value):
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
    """By a field that holds one of a few words; an unknown word filters nothing."""

    words: type[TextChoices]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All of them."""
        return [(word.value, str(word.label)) for word in self.words]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with that word."""
        wanted = self.value()
        return queryset.filter((str(self.parameter_name), wanted)) if wanted in self.words.values else queryset


class PlainFormAdmin(admin.ModelAdmin):
    """Rows are made by a service from a plain form: the model's own form and its transaction are not used."""

    create_title = ""
    create_help = ""

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
