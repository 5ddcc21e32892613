"""The URLs of the files and pages of a video that a caller may have."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import unquote, urlsplit

from django.conf import settings

from ondemand.models import Video, evenly_spread
from ondemand.models.publication import Listing
from ondemand.models.videos import files_url, quoted

SHOWN_THUMBNAILS = 12
# The listings of videos whose public page opens.
_OPEN = frozenset({Listing.LISTED, Listing.UNLISTED})
# Pixels; `ondemand/videos/small_pictures.py` makes them.
SMALL_WIDTHS = (320, 640)
# The folder of uploaded pictures in the bucket.
UPLOADED = "thumbnails"
_UPLOADED = re.compile(rf"{UPLOADED}/([0-9a-f]{{64}}\.jpg)")
# The name under which the service serves the multivariant playlist of any video.
MASTER = "master.m3u8"
# Curators find that of the whole recording of an edited video here.
RECORDING = "recording.m3u8"


def is_signed() -> bool:
    """Return whether no file can be fetched without a signature: this service then serves playlists and pictures."""
    return bool(settings.CLOUDFRONT_KEY_ID)


def is_served(video: Video) -> bool:
    """Return whether this service serves the playlists of a video: an edited one is served in both deliveries."""
    return is_signed() or video.edit is not None


def served_url(video: Video, origin: str) -> str:
    """Return the URL below which this service serves the files of a video, without a slash at its end."""
    return f"{origin}play/{video.uuid}"


def middle_of(pictures: Sequence[str]) -> str | None:
    """Return the automatic thumbnail: the middle one of the pictures that IVS made."""
    return pictures[len(pictures) // 2] if pictures else None


def uploaded_name(path: str) -> str | None:
    """Return the name of an uploaded picture by its path in the bucket; None for the path of another file."""
    found = _UPLOADED.fullmatch(path)
    return found[1] if found else None


def shown_path(video: Video) -> str | None:
    """Return the path of the chosen picture, else of the automatic one; None if it is no file of this service.

    Uploaded picture: path in the bucket. IVS picture: path relative to the recording.
    """
    content = video.shown_content
    url = content.shown_thumbnail if content else ""
    if not url:
        return middle_of(evenly_spread(video.picture_paths, SHOWN_THUMBNAILS))
    folder = files_url(settings.RECORDING_BUCKET, UPLOADED)
    uploaded = f"{UPLOADED}/{url.removeprefix(f'{folder}/')}"
    if uploaded_name(uploaded):
        return uploaded
    path = video.path_of(url)
    return path if path in video.picture_paths or path in video.recorded_pictures else None


@dataclass(frozen=True)
class CatalogueReader:
    """A caller who reads videos, and the origin of this service, `https://vod.example.com/`; `/` on its own pages."""

    is_curator: bool
    origin: str = "/"
    sees_all_channels: bool = False
    # The URL of each kind of page, with `{uuid}` for that of a video: to make it anew took a fifteenth of a list.
    _pages: dict[Callable[[str, str], str | None], str | None] = field(default_factory=dict, compare=False, repr=False)

    def sees_files(self, video: Video) -> bool:
        """Return whether the caller may know where the files are; those of a `grant` video need the scope `curate`.

        The one rule for `location`, `thumbnails`, `renditions` and all else that leads to the files.
        """
        return self.is_curator or not video.needs_grant

    def channel_name(self, video: Video) -> str | None:
        """Return the name of the channel; None if the caller may not see that, or it is missing."""
        return video.channel_name if self.sees_all_channels or video.has_public_channel else None

    def page(self, video: Video, at: datetime, url_of: Callable[[str, str], str | None]) -> str | None:
        """Return the URL of a public page of the video; None if there is none, or it does not show the video then."""
        if video.listing_at(at) not in _OPEN:
            return None
        if url_of not in self._pages:
            self._pages[url_of] = url_of("{uuid}", self.origin)
        url = self._pages[url_of]
        return url and url.replace("{uuid}", str(video.uuid))

    def location(self, video: Video) -> str | None:
        """Return the URL of the multivariant playlist; None if there is nothing to play, or it may not be known."""
        if not video.is_playable or not self.sees_files(video):
            return None
        return f"{served_url(video, self.origin)}/{MASTER}" if is_served(video) else video.url_of(video.playlist)

    def pictures(self, video: Video) -> dict[str, str]:
        """Return the URL of each picture that IVS made, by its path; none if they may not be known."""
        return self.urls(video, video.picture_paths)

    def thumbnails(self, video: Video) -> list[str]:
        """Return the URLs of at most `SHOWN_THUMBNAILS` of these pictures, at even intervals."""
        return list(self.urls(video, evenly_spread(video.picture_paths, SHOWN_THUMBNAILS)).values())

    def chosen_picture(self, video: Video) -> str:
        """Return the URL of the picture that people chose; empty if there is none, or if it leads to hidden files."""
        content = video.shown_content
        url = content.shown_thumbnail if content else ""
        if not url:
            return ""
        if self.sees_files(video):
            path = video.path_of(url) if is_signed() else None
            return f"{served_url(video, self.origin)}/{quoted(path)}" if path else url
        text = unquote(url).lower()
        media_host = urlsplit(settings.PLAYBACK_BASE_URL).netloc
        prefixes = (video.prefix, *(part["prefix"] for part in video.parts))
        places = (media_host, *prefixes, video.files_bucket, *settings.RECORDING_BUCKETS)
        leads_to_files = any(place.lower() in text for place in places if place)
        return "" if leads_to_files else url

    def small_pictures(self, video: Video) -> dict[str, str] | None:
        """Return the URLs of the small versions of the picture that the video shows, by their width in pixels.

        None if they may not be known, and for a picture that is not in the bucket.
        """
        path = shown_path(video) if video.is_playable and self.sees_files(video) else None
        if path is None:
            return None
        base, name = served_url(video, self.origin), quoted(path)
        return {str(width): f"{base}/small/{width}/{name}" for width in SMALL_WIDTHS}

    def urls(self, video: Video, paths: list[str]) -> dict[str, str]:
        """Return the URL of each of these pictures, by its path; none if they may not be known."""
        if not paths or not self.sees_files(video):
            return {}
        if video.edit is not None and not is_signed():
            return {path: url for path in paths if (url := video.url_of(path))}
        base = served_url(video, self.origin) if is_signed() else video.files_url
        return {path: f"{base}/{quoted(path)}" for path in paths} if base else {}
