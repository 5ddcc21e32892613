"""The page of a channel leads to its videos."""

from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from channels_app.admin import ChannelAdmin, ChannelLink
from channels_app.models import Channel


def videos_address(channel: Channel) -> str:
    """The list of the videos of a channel."""
    return f"{reverse('admin:ondemand_video_changelist')}?{urlencode({'channel__uuid__exact': channel.pk})}"


ChannelAdmin.links += (ChannelLink("ondemand.view_video", _("Videos"), videos_address),)
