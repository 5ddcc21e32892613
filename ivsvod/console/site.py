"""The admin site."""

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from ivsvod.branding import brand


class ConsoleSite(AdminSite):
    """The stock site with a start page of its own."""

    index_title = _("Overview")

    @property
    def site_header(self) -> str:  # type: ignore[override]
        """Return the name in the header of each page."""
        return settings.SITE_NAME or "ivsvod"

    site_title = site_header

    @property
    def site_url(self) -> str | None:  # type: ignore[override]
        """Return the target of "View site": the catalogue page, if it is on."""
        return "/" if settings.CATALOGUE_PAGE else None

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "brand": brand()}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        # The admin modules that it imports register with this site.
        from ivsvod.console.start import start_page

        return super().index(request, {"start": start_page(self, request), **(extra_context or {})})
