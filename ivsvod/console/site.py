"""The site that all pages of the admin stand on."""

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _


class ConsoleSite(AdminSite):
    """The stock site, with a start page that says what there is to do."""

    site_header = site_title = "ivsvod"
    index_title = _("Overview")

    @property
    def site_url(self) -> str | None:  # type: ignore[override]
        """Where "View site" leads: the catalogue page, where there is one."""
        return "/" if settings.CATALOGUE_PAGE else None

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The start page."""
        # The site is made before the models are.
        from ivsvod.console.start import start_page

        return super().index(request, {"start": start_page(self, request), **(extra_context or {})})
