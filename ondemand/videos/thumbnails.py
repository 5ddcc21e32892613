"""The thumbnail of a video, limited to the origins of the Content-Security-Policy, and the choices for it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from common.rest.times import clock
from ondemand.models import Video, evenly_spread
from ondemand.videos.files import SMALL_WIDTHS, CatalogueReader, middle_of

# The other pictures are added by a script, from `more_pictures`.
SAMPLE = 11
# The pictures of a seek bar: one for each few pixels of it.
PREVIEWS = 120


def video_picture(video: Video, reader: CatalogueReader) -> str | None:
    """Return the URL of the chosen thumbnail, else of the automatic one; None if neither may be shown."""
    candidates = [reader.chosen_picture(video), middle_of(reader.thumbnails(video))]
    return next((url for url in candidates if url and picture_allowed(url, reader.origin)), None)


def row_picture(video: Video, reader: CatalogueReader) -> str | None:
    """Return the URL of the picture for a row of a list of the admin: the small one if this reader may load it."""
    picture = video_picture(video, reader)
    # Only curators may load small pictures of hidden videos.
    small = reader.small_pictures(video) if reader.is_curator else None
    return small[str(SMALL_WIDTHS[0])] if picture and small else picture


def storyboard(urls: Sequence[str], origin: str = "/") -> list[str]:
    """Return at most `PREVIEWS` pictures of IVS for a seek bar; none if a page of this origin may not load them."""
    return evenly_spread(urls, PREVIEWS) if urls and picture_allowed(urls[0], origin) else []


def picture_allowed(url: str, origin: str = "/") -> bool:
    """Return whether the Content-Security-Policy allows a page of this origin to load the picture.

    https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy#host-source
    """
    if url.startswith(f"{origin}play/"):
        return True
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return False
    netloc = parts.netloc.lower()
    sources: list[str] = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["img-src"]
    # The local stack serves recordings from the origin of its pages, which the policy calls 'self'.
    for source in [*sources, settings.PLAYBACK_BASE_URL]:
        scheme, _separator, rest = source.rpartition("://")
        host = rest.partition("/")[0].lower()
        is_host = netloc.endswith(host[1:]) if host.startswith("*.") else netloc == host
        if host and is_host and parts.scheme == (scheme or "https"):
            return True
    return False


def picture_choices(
    video: Video, chosen: str, reader: CatalogueReader
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the automatic picture, a picture from elsewhere if it is chosen, and some of the pictures of IVS.

    The second list has all pictures of IVS, for the script; empty if all are shown already, or may not be shown.
    `chosen` is a URL or a path. The `url` of a choice is None if it may not be shown.
    """

    def choice(value: str, url: str | None, label: str, caption: str, *, is_chosen: bool) -> dict[str, Any]:
        shown = url if url and picture_allowed(url) else None
        return {"value": value, "url": shown, "label": label, "caption": caption, "chosen": is_chosen}

    stored, pictures = video.pictures, reader.pictures(video)
    url = stored.get(chosen, chosen)
    paths = {address: path for path, address in stored.items()}
    automatic, given = _("None: the one that Amazon IVS made"), _("The picture from elsewhere")
    choices = [choice("", middle_of(reader.thumbnails(video)), automatic, _("Automatic"), is_chosen=not url)]
    if url and url not in paths:
        choices.append(choice(url, url, given, _("Given"), is_chosen=True))
    made = []
    times = dict(video.timed_pictures)
    for path, address in pictures.items():
        at = clock(timedelta(milliseconds=times[path])) if video.length_ms else ""
        label = _("Picture at about {time}").format(time=at) if at else _("Picture {name}").format(name=path)
        made.append(choice(path, address, label, at or path.rpartition("/")[2], is_chosen=path == paths.get(url)))
    kept = {*evenly_spread(list(pictures), SAMPLE), paths.get(url)}
    more = made if len(made) > SAMPLE and made[0]["url"] else []
    return [*choices, *(each for each in made if each["value"] in kept)], more
