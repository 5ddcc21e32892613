"""Which picture stands for a video, on a page whose Content-Security-Policy names where pictures may come from."""

from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from ondemand.models import Video


def middle_of(made: Sequence[str]) -> str | None:
    """Of the pictures that IVS made the one that stands for all: the middle one."""
    return made[len(made) // 2] if made else None


def video_picture(video: Video, *, to_curator: bool) -> str | None:
    """The URL of the picture that people chose, else of the middle one that IVS made; None where none may be shown."""
    made = video.thumbnails if video.shows_files(to_curator=to_curator) else []
    candidates = [video.shown_thumbnail(to_curator=to_curator), middle_of(made)]
    return next((url for url in candidates if url and picture_allowed(url)), None)


def picture_allowed(url: str) -> bool:
    """Whether the policy lets a page load the picture."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return False
    sources: list[str] = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["img-src"]
    # The local stack serves recordings from the pages' own origin, which the policy calls 'self'.
    return any(_matches(parts, source) for source in [*sources, settings.PLAYBACK_BASE_URL])


def _matches(url: SplitResult, source: str) -> bool:
    """https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy#host-source"""
    scheme, _, rest = source.rpartition("://")
    host = rest.partition("/")[0].lower()
    if not host or url.scheme != (scheme or "https"):
        return False
    return url.netloc.lower().endswith(host[1:]) if host.startswith("*.") else url.netloc.lower() == host
