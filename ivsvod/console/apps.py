"""The app `console`, and the stock admin with our site in place of its own."""

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import SimpleAdminConfig


class ConsoleConfig(AppConfig):
    """The start page of the admin; it has no models."""

    name = "ivsvod.console"
    label = "console"


class ConsoleAdminConfig(SimpleAdminConfig):
    """`django.contrib.admin`, whose pages stand on `ConsoleSite`."""

    default_site = "ivsvod.console.site.ConsoleSite"

    def ready(self) -> None:
        """Load the pages, which the checks look at; on Lambda only when one is asked for (ivsvod/console/urls.py)."""
        super().ready()
        if not settings.ON_LAMBDA:
            from django.contrib import admin

            admin.autodiscover()
