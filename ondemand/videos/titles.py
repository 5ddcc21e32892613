"""The name of a video on pages."""

from datetime import datetime

from django.utils.translation import gettext as _

from common.rest.times import zoned
from ondemand.models import Video
from ondemand.videos.files import CatalogueReader


def name_shown(title: str, channel: str | None, started_at: datetime | None) -> str:
    """Return the title; else the channel and its start in the zone of the reader, else a plain text; on one line.

    `channel` is empty or None if there is none, or if the reader may not see its name.
    """
    start = zoned(started_at, is_short=True) if started_at else ""
    unnamed = ", ".join(text for text in (" ".join((channel or "").split()), start) if text)
    return " ".join(title.split()) or unnamed or _("A recording without a title")


def display_title(video: Video) -> str:
    """Return the name of a video for staff: its title, else `untitled_name`."""
    return name_shown(_title(video), video.channel_name, video.started_at)


def untitled_name(video: Video) -> str:
    """Return the name of a video that has no title."""
    return name_shown("", video.channel_name, video.started_at)


def public_title(video: Video) -> str:
    """Return the name of a video for public pages: as `display_title`, but without the name of a private channel."""
    return name_shown(_title(video), CatalogueReader(is_curator=False).channel_name(video), video.started_at)


def _title(video: Video) -> str:
    content = video.shown_content
    return content.shown_title if content else ""


def suggested_title(video: Video) -> str:
    """Return the public name of an untitled video, to be its title; empty without a start, which tells it apart."""
    return public_title(video) if video.started_at else ""
