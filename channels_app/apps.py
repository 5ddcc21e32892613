"""The app `channels_app`."""

from django.apps import AppConfig


class ChannelsConfig(AppConfig):
    """Channels, live state and the inbox."""

    name = "channels_app"
    verbose_name = "Channels"
