"""What the page of a video edits: its values, a version of each, and a title where there is none."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from ondemand.models import Video
from ondemand.services import CONTENT as CONTENT

PUBLICATION = ("shown", "visibility", "publish_from", "publish_until")
SHOWN, HIDDEN, UNDECIDED = "yes", "no", ""
_DIGITS = 16


class VideoChangedError(Exception):
    """Somebody else wrote what a page was about to write; `video` is what it is now."""

    def __init__(self, video: Video) -> None:
        super().__init__("The video was changed meanwhile")
        self.video = video


def edited_values(video: Video) -> dict[str, Any]:
    """What the page shows of a video, in the form in which a browser can send it back."""
    content = video.shown_content
    return {
        "title": one_line(content.shown_title if content else ""),
        "description": plain_text(content.shown_description if content else ""),
        "tags": tags_of(content.shown_tags if content else []),
        "thumbnail": one_line(content.shown_thumbnail if content else ""),
        "shown": shown_word(video),
        "visibility": video.visibility or UNDECIDED,
        "publish_from": video.publish_from,
        "publish_until": video.publish_until,
    }


def shown_word(video: Video) -> str:
    """Whether people decided to show it: one that is not available yet shows once its recording ends."""
    if video.awaits_review:
        return UNDECIDED
    if video.active is False:
        return HIDDEN
    if video.held is not False:
        return UNDECIDED
    is_available = video.status == Video.Status.AVAILABLE
    # NULL is hidden, as it was for the predecessor.
    return HIDDEN if is_available and video.active is None else SHOWN


def awaits_decision(video: Video) -> bool:
    """Return whether it stays hidden until a person decides, so that a date of publication alone has no effect."""
    if video.status != Video.Status.AVAILABLE or shown_word(video) != UNDECIDED:
        return False
    # An unlisted one that awaits review opens by its address; a check lets go by itself what it holds.
    return not video.active or (video.held is not False and not video.held_by_check)


def versions_of(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """A version of each of these values; two are the same where a person sees no difference."""
    return {name: _version(values[name]) for name in names}


def _version(value: Any) -> str:
    # Pages write moments to the second.
    same = value.replace(microsecond=0).timestamp() if isinstance(value, datetime) else value
    return sha256(json.dumps(same).encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def version_text(versions: Mapping[str, str]) -> str:
    """The versions as a form carries them."""
    return " ".join(f"{name}={version}" for name, version in versions.items())


def versions_from(text: str) -> dict[str, str]:
    """The versions of `version_text`; of what is no such text, none that fits anything."""
    pairs = (item.partition("=") for item in text.split())
    return {name: version for name, _, version in pairs}


def one_line(text: str) -> str:
    """The text on one line: a browser drops line ends, so stored ones are shown as spaces."""
    return " ".join(text.splitlines()).strip()


def plain_text(text: str) -> str:
    """The text with the line ends that the API's clients use: browsers send them in another form."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def tags_of(texts: Iterable[Any]) -> list[str]:
    """The tags in their order, each once and on one line; NULL and empty ones are none."""
    lines = (" ".join(str(text).split()) for text in texts if text)
    return list(dict.fromkeys(line for line in lines if line))


def offered_title(video: Video) -> str:
    """A title of the channel and the start, in the zone, which it names, and the language of the reader.

    Empty without a start.
    """
    if video.started_at is None:
        return ""
    start = timezone.localtime(video.started_at)
    parts = {
        "channel": one_line(str(video.channel)) if video.channel else _("Recording"),
        "date": date_format(start, pgettext("the date in a title that is offered", "j F Y")),
        "time": date_format(start, pgettext("the time in a title that is offered", "H:i")) + f" {start.tzname()}",
    }
    return pgettext("a title that is offered", "{channel}, {date}, {time}").format(**parts)


def name_of(video: Video) -> str:
    """What pages call it: its title, else the one that is offered, else its uuid."""
    content = video.shown_content
    return (content and one_line(content.shown_title)) or offered_title(video) or str(video.pk)
