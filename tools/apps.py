"""The app of the tools: their management commands, and the panel that the demo shows in the admin."""

from django.apps import AppConfig


class ToolsConfig(AppConfig):
    """Named by EXTRA_APPS, which the local stack sets."""

    name = "tools"
    verbose_name = "Local stack"
