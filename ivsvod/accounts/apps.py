"""The app `accounts`."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users, API tokens and the permissions that are scopes."""

    name = "ivsvod.accounts"
    label = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        """Register the system checks of the whole service."""
        from ivsvod import checks  # noqa: F401  (imported for its registrations)
