"""The app `console`, and the stock admin with our site in place of its own."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AppConfig):
    """The start page of the admin; it has no models."""

    name = "ivsvod.console"
    label = "console"


class ConsoleAdminConfig(AdminConfig):
    """`django.contrib.admin`, whose pages stand on `ConsoleSite`."""

    default_site = "ivsvod.console.site.ConsoleSite"
