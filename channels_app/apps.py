"""The app `channels_app`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from common.audit.registry import AUDITED, AuditedModel


class ChannelsConfig(AppConfig):
    """Channels, their streams and the inbox of events."""

    name = "channels_app"
    verbose_name = _("Broadcasting")

    def ready(self) -> None:
        AUDITED["channels_app.channel"] = AuditedModel(_("channel"))
        AUDITED["channels_app.inboxevent"] = AuditedModel(_("event"))
