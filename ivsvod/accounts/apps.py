"""The app `accounts`."""

import axes.apps
from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from common.audit.registry import AUDITED, AuditedModel

# The columns and names of django-axes that its pages show: it has no Spanish.
TEXTS = (
    *(_("access attempt"), _("access attempts"), _("access log"), _("access logs")),
    *(_("Username"), _("IP Address"), _("User Agent"), _("Failed Logins")),
)


class AccountsConfig(AppConfig):
    """Users, API tokens and the permissions that are scopes."""

    # This module has several.
    default = True
    name = "ivsvod.accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        from ivsvod import checks  # noqa: F401  (imported for its registrations)

        AUDITED["accounts.user"] = AuditedModel(_("account"))
        AUDITED["accounts.apitoken"] = AuditedModel(_("API token"))
        AUDITED["auth.group"] = AuditedModel(_("group"))


class SignInsConfig(axes.apps.AppConfig):
    """django-axes under another name."""

    verbose_name = _("Sign-ins")
