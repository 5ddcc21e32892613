"""The app `accounts`."""

import axes.apps
from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

# The columns and names of django-axes that its pages show: it has no Spanish.
TEXTS = (
    *(gettext_noop("access attempt"), gettext_noop("access attempts")),
    *(gettext_noop("access log"), gettext_noop("access logs")),
    *(gettext_noop("Username"), gettext_noop("IP Address"), gettext_noop("User Agent"), gettext_noop("Failed Logins")),
)


class AccountsConfig(AppConfig):
    """Users, API tokens and the permissions that are scopes."""

    # This module has several.
    default = True
    name = "ivsvod.accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        from ivsvod import checks  # noqa: F401  (imported for its registrations)


class SignInsConfig(axes.apps.AppConfig):
    """django-axes under another name."""

    verbose_name = _("Sign-ins")
