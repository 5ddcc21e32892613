"""The app of the local stack: its management commands."""

from django.apps import AppConfig


class LocalConfig(AppConfig):
    """Named by EXTRA_APPS, which the local stack sets."""

    name = "ivsvod.local"
    label = "ivsvod_local"
    verbose_name = "Local stack"
