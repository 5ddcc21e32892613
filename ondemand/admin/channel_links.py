"""The page of a channel leads to its videos."""

from django.utils.translation import gettext_lazy as _

from channels_app.admin import ChannelAdmin, PageLink, list_address
from channels_app.models import Channel
from ondemand.models import Video


def videos_address(channel: Channel) -> str:
    """The list of the videos of a channel."""
    return list_address(Video, channel__uuid__exact=channel.pk)


ChannelAdmin.links += (PageLink("ondemand.view_video", _("Videos"), videos_address),)
