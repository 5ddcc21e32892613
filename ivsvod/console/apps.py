"""The app `console`, and the stock admin with our site."""

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import SimpleAdminConfig


class ConsoleConfig(AppConfig):
    """The start page of the admin; it has no models."""

    name = "ivsvod.console"


class ConsoleAdminConfig(SimpleAdminConfig):
    """`django.contrib.admin` with `ConsoleSite` as its site."""

    default_site = "ivsvod.console.site.ConsoleSite"

    def ready(self) -> None:
        """Load the pages for the system checks; on Lambda `ivsvod/console/urls.py` loads them later."""
        super().ready()
        if not settings.ON_LAMBDA:
            from django.contrib import admin

            admin.autodiscover()
