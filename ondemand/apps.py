"""The app `ondemand`."""

from django.apps import AppConfig


class OndemandConfig(AppConfig):
    """Videos of the recordings."""

    name = "ondemand"
    verbose_name = "On demand"
