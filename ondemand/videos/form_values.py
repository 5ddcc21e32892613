"""The values that the page of a video edits, and a version of each value."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from ondemand.models import Content, Video
from ondemand.videos.services import CONTENT as CONTENT

PUBLICATION = ("shown", "visibility", "playback", "publish_from", "publish_until")
SHOWN, HIDDEN, UNDECIDED = "yes", "no", ""


class VideoChangedError(Exception):
    """Another write changed the values that a page was about to write; `video` is the current row."""

    def __init__(self, video: Video) -> None:
        super().__init__("The video was changed meanwhile")
        self.video = video


def edited_values(video: Video) -> dict[str, Any]:
    """Return the editable values of a video, in the form in which a browser sends them back."""
    content = video.shown_content or Content()
    return {
        "title": one_line(content.shown_title),
        "description": plain_text(content.shown_description),
        "tags": tags_of(content.shown_tags),
        "thumbnail": one_line(content.shown_thumbnail),
        "chapters": [{**chapter, "title": one_line(chapter["title"])} for chapter in video.shown_chapters],
        "shown": shown_choice(video),
        "visibility": video.visibility or UNDECIDED,
        "playback": video.playback or Video.Playback.GRANT.value,
        "publish_from": video.publish_from,
        "publish_until": video.publish_until,
    }


def shown_choice(video: Video) -> str:
    """Return `SHOWN`, `HIDDEN` or `UNDECIDED`; a recording that is `SHOWN` appears at its end."""
    if video.awaits_review:
        return UNDECIDED
    if video.active is False:
        return HIDDEN
    if video.held is not False:
        return UNDECIDED
    # NULL is hidden, as it was for the predecessor.
    return HIDDEN if video.active is None and video.status == Video.Status.AVAILABLE else SHOWN


def awaits_decision(video: Video) -> bool:
    """Return whether the video stays hidden until a person decides, whatever its publication dates are."""
    if video.status != Video.Status.AVAILABLE or shown_choice(video) != UNDECIDED:
        return False
    # An unlisted video that awaits review opens by its address; a later check releases what a check held.
    return not video.active or (video.held is not False and not video.held_by_check)


def versions_of(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """Return a digest of each of these values; times are compared to the second, as pages show them."""

    def seconds(time: datetime) -> float:
        return time.replace(microsecond=0).timestamp()

    texts = {name: json.dumps(values[name], default=seconds).encode("utf-8", "surrogatepass") for name in names}
    return {name: sha256(text).hexdigest()[:16] for name, text in texts.items()}


def version_text(versions: Mapping[str, str]) -> str:
    """Return the versions as text for a form field."""
    return " ".join(f"{name}={version}" for name, version in versions.items())


def versions_from(text: str) -> dict[str, str]:
    """Return the versions in a text of `version_text`; any other text gives versions that match nothing."""
    return {name: version for name, _, version in (item.partition("=") for item in text.split())}


def one_line(text: str) -> str:
    """Return the text with spaces for line ends, which a browser would drop."""
    return " ".join(text.splitlines()).strip()


def plain_text(text: str) -> str:
    """Return the text with `\\n` as line ends, as the API stores them; browsers send `\\r\\n`."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def tags_of(texts: Iterable[Any]) -> list[str]:
    """Return the tags in their order without duplicates, each on one line; NULL and empty tags are dropped."""
    lines = (" ".join(str(text).split()) for text in texts if text)
    return list(dict.fromkeys(line for line in lines if line))
