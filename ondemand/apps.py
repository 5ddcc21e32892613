"""The app `ondemand`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OndemandConfig(AppConfig):
    """Videos of the recordings."""

    name = "ondemand"
    verbose_name = _("On demand")
