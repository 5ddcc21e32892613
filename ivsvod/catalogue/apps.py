"""The app of the catalogue page."""

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    """It has no models: it reads the public API alone."""

    name = "ivsvod.catalogue"
    label = "catalogue"

    def ready(self) -> None:
        """Register the system checks."""
        from ivsvod.catalogue import checks  # noqa: F401  (imported for its registrations)
