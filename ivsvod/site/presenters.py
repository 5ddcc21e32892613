"""The template context of a video or a channel, made from the documents of the API."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import gettext

from common.rest.times import clock, parse_time, rfc_3339
from ivsvod.site.query import PageQuery
from ondemand.videos.chapters import chapter_links
from ondemand.videos.files import middle_of
from ondemand.videos.thumbnails import picture_allowed, storyboard
from ondemand.videos.titles import name_shown

# The API accepts texts of any length.
_NAME_LENGTH = 200
_LINKED_LENGTH = 20_000
_MOST_TAGS = 40


def video_card(document: dict[str, Any], origin: str) -> dict[str, Any]:
    """Return a video for lists and its own page, at this origin; `channel_name` is empty if the channel is not public.

    `picture` is the chosen picture, else the middle one that IVS made, or None if the content security policy allows
    neither; `small` its small versions by width, or None. `picture_elsewhere` is for the previews of other sites, which
    that policy does not limit. `size` is the width and height of the best rendition.
    """
    content = document["content"]
    started_at = document["started_at"]
    channel_name = " ".join((document["channel_name"] or "").split())
    start, seconds = with_zone(started_at), int(document["duration_seconds"])
    description = content.get("description", "").strip()
    candidates = (content.get("thumbnail", ""), middle_of(document["thumbnails"]) or "")
    # The predecessor accepted any text as the address of a picture.
    pictures = [url for url in candidates if url.startswith(("https://", "http://"))]
    sizes = [(item["width"], item["height"]) for item in document["renditions"]]
    tags = [name for name in content.get("tags", []) if name.strip()][:_MOST_TAGS]
    return {
        "document": document,
        "uuid": str(document["uuid"]),
        "channel_name": channel_name,
        # Channels that are not public have no page.
        "channel_url": channel_url(document["channel"]) if channel_name else "",
        "name": Truncator(name_shown(content.get("title", ""), channel_name, started_at)).chars(_NAME_LENGTH),
        "description": description,
        # A longer text was not written by a person, and finding its links takes long.
        "has_links": len(description) <= _LINKED_LENGTH,
        "summary": Truncator(" ".join(description[:1000].split())).chars(_NAME_LENGTH),
        "tags": [{"name": name, "url": PageQuery(tag=(name,)).address} for name in tags],
        "started_at": rfc_3339(started_at),
        "start": start,
        "day": date_format(timezone.localtime(started_at), "DATE_FORMAT") if started_at else "",
        "seconds": seconds,
        "length": clock(timedelta(seconds=seconds), is_short=True) if seconds else "",
        "length_seconds": str(document["duration_seconds"]),
        "picture": next((url for url in pictures if picture_allowed(url, origin)), None),
        "small": document["picture"],
        "picture_elsewhere": next(iter(pictures), None),
        "size": max((size for size in sizes if all(size)), default=None),
        "needs_grant": document["playback"] != "public",
        # Of a search result, as a list.
        "found_chapters": chapter_links(filter(None, [document.get("chapter")])),
    }


def playing_of(document: dict[str, Any], origin: str) -> dict[str, Any]:
    """Return the chapters, the pictures and the heights of a video for the bar of its player, at this origin."""
    heights = {item["height"] for item in document["renditions"] if item["height"]}
    return {
        "heights": sorted(heights, reverse=True),
        "chapters": chapter_links(document["chapters"]),
        "pictures": storyboard(document["thumbnails"], origin),
    }


def live_card(document: dict[str, Any]) -> dict[str, Any]:
    """Return a channel for the list of live channels and its own pages; `playlist` is None if it cannot be played."""
    live, uuid = document["live"], str(document["uuid"])
    is_live = live["state"] == "live"
    return {
        "uuid": uuid,
        "name": channel_name(document),
        "playlist": document["playback_url"] if is_live else None,
        "is_live": is_live,
        # Of the last stream; None if there was none, or the predecessor recorded it without its id.
        "stream_id": live["stream_id"],
        "needs_grant": False,
        "since": with_zone(parse_time(live["since"]) if live["since"] else None),
        "since_at": live["since"],
        "videos_url": channel_url(uuid),
    }


def private_card(uuid: str, document: dict[str, Any]) -> dict[str, Any]:
    """Return a channel that is not public for its own page, made from its live state: nothing else of it is public."""
    card = live_card({"uuid": uuid, "name": "", "playback_url": None, "live": document})
    return {**card, "name": gettext("A channel that is not public"), "needs_grant": True}


def channel_url(uuid: UUID | str) -> str:
    """Return the address of the page of a channel."""
    return reverse("catalogue:channel", args=[uuid])


def channel_name(document: dict[str, Any]) -> str:
    """Return the name of a channel, or a text in its place."""
    return " ".join(document["name"].split()) or gettext("Channel without a name")


def with_zone(time: datetime | None) -> str:
    """Return a time to the minute in the language of the page, with its zone; empty for None."""
    if time is None:
        return ""
    local = timezone.localtime(time)
    return f"{date_format(local, 'DATE_FORMAT')}, {date_format(local, 'TIME_FORMAT')} {local.tzname()}"
