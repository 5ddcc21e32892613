"""What the pages show of a video or a channel, made from the documents of the API."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import gettext

from channels_app.times import clock, parse_moment
from ivsvod.catalogue.query import PageQuery
from ondemand.pictures import middle_of, picture_allowed

# The API takes texts of any length.
_NAME_LENGTH = 200
_LINKED_LENGTH = 20_000
_MOST_TAGS = 40


@dataclass(frozen=True)
class Tag:
    """A tag, and the page of the videos that have it."""

    name: str

    @property
    def url(self) -> str:
        """The address of that page."""
        return PageQuery(tag=(self.name,)).address


@dataclass(frozen=True)
class Card:
    """A video as lists and its own page show it; `channel_name` is empty where anyone may not know the channel."""

    document: dict[str, Any]
    channel_name: str = ""

    @property
    def uuid(self) -> str:
        """Its uuid."""
        return str(self.document["uuid"])

    @property
    def content(self) -> dict[str, Any]:
        """What people wrote about it; empty where nobody did."""
        return self.document["content"]

    @property
    def name(self) -> str:
        """Its title, or what is known in place of one: its channel and when it began."""
        title = " ".join(self.content.get("title", "").split())
        return Truncator(title or self._known()).chars(_NAME_LENGTH)

    @property
    def description(self) -> str:
        """Its description."""
        return self.content.get("description", "").strip()

    @property
    def has_links(self) -> bool:
        """Whether addresses in the description are made into links: not in a text that no person wrote."""
        return len(self.description) <= _LINKED_LENGTH

    @property
    def summary(self) -> str:
        """The beginning of its description, for those who link to it."""
        return Truncator(" ".join(self.description[:1000].split())).chars(_NAME_LENGTH)

    @property
    def tags(self) -> list[Tag]:
        """Its tags."""
        return [Tag(name) for name in self.content.get("tags", []) if name.strip()][:_MOST_TAGS]

    @property
    def started_at(self) -> datetime | None:
        """When it began."""
        text = self.document["started_at"]
        return parse_moment(text) if text else None

    @property
    def start(self) -> str:
        """When it began, with the zone."""
        return with_zone(self.started_at)

    @property
    def day(self) -> str:
        """The day on which it began."""
        return date_format(timezone.localtime(self.started_at), "DATE_FORMAT") if self.started_at else ""

    @property
    def seconds(self) -> int:
        """How long it is, in whole seconds."""
        return int(self.document["duration_seconds"])

    @property
    def length(self) -> str:
        """How long it is, as on a clock; empty where that is not known."""
        return clock(timedelta(seconds=self.seconds), is_short=True) if self.seconds else ""

    @property
    def picture(self) -> str | None:
        """The picture that people chose, else the middle one that IVS made; None where the policy allows none."""
        return next((url for url in self._pictures() if picture_allowed(url)), None)

    @property
    def picture_elsewhere(self) -> str | None:
        """The same for those who link to the page: they are under no policy of ours."""
        return next(iter(self._pictures()), None)

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the best rendition."""
        known = [(item["width"], item["height"]) for item in self.document["renditions"]]
        return max((size for size in known if all(size)), default=None)

    @property
    def needs_grant(self) -> bool:
        """Whether one may play it only by invitation."""
        return self.document["playback"] != "public"

    @property
    def is_unlisted(self) -> bool:
        """Whether only those who have its address find it."""
        return self.document["listing"] != "listed"

    def _pictures(self) -> list[str]:
        middle = middle_of(self.document["thumbnails"]) or ""
        chosen = self.content.get("thumbnail", "")
        # The predecessor took any text for a picture.
        return [url for url in (chosen, middle) if url.startswith(("https://", "http://"))]

    def _known(self) -> str:
        known = [text for text in (" ".join(self.channel_name.split()), self.start) if text]
        return ", ".join(known) or gettext("A recording without a title")


@dataclass(frozen=True)
class LiveCard:
    """A channel as the list of what is live shows it."""

    document: dict[str, Any]

    @property
    def uuid(self) -> str:
        """Its uuid."""
        return str(self.document["uuid"])

    @property
    def name(self) -> str:
        """Its name."""
        return channel_name(self.document)

    @property
    def playlist(self) -> str | None:
        """What plays the live stream; None where IVS has told none."""
        return self.document["playback_url"]

    @property
    def is_live(self) -> bool:
        """Whether it is live."""
        return self.document["live"]["state"] == "live"

    @property
    def since(self) -> str:
        """Since when it is live, with the zone."""
        text = self.document["live"]["since"]
        return with_zone(parse_moment(text) if text else None)

    @property
    def videos_url(self) -> str:
        """Its recordings."""
        return PageQuery(channel=self.uuid).address


def channel_name(document: dict[str, Any]) -> str:
    """The name of a channel; one without has a word in its place."""
    return " ".join(document["name"].split()) or gettext("Channel without a name")


def with_zone(moment: datetime | None) -> str:
    """A moment to the minute, as people write it in their language, with its zone; empty where there is none."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    return f"{date_format(local, 'DATE_FORMAT')}, {date_format(local, 'TIME_FORMAT')} {local.tzname()}"
