"""The app of the catalogue page."""

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    """It has no models: it reads the public API only."""

    name = "ivsvod.site"
    label = "catalogue"
