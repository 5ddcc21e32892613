"""Where a video can be watched by anyone: its page, and its player for the pages of others."""

from urllib.parse import urljoin
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext

# The size of a frame until the page around it says otherwise.
_WIDTH, _HEIGHT = 640, 360


def public_origin(request: HttpRequest) -> str:
    """Return where people see the pages, `https://vod.example.com/`: PUBLIC_HOST, else the host of the request.

    Caches keep answers that hold it, and a request may name any port and scheme.
    """
    return f"https://{settings.PUBLIC_HOST}/" if settings.PUBLIC_HOST else request.build_absolute_uri("/")


def video_page_url(uuid: UUID | str, base: str) -> str | None:
    """The public page of the video: VIDEO_PAGE_URL, else the catalogue page of the origin `base`, where it is on."""
    if settings.VIDEO_PAGE_URL:
        return settings.VIDEO_PAGE_URL.replace("{uuid}", str(uuid))
    return urljoin(base, reverse("catalogue:watch", args=[uuid])) if settings.CATALOGUE_PAGE else None


def video_embed_url(uuid: UUID | str, base: str) -> str | None:
    """The player alone, on the catalogue page of the origin `base`; None where that is off or nobody may frame it."""
    if not (settings.CATALOGUE_PAGE and settings.EMBED_ANCESTORS):
        return None
    return urljoin(base, reverse("catalogue:embed", args=[uuid]))


def embed_code(uuid: UUID | str, title: str, base: str) -> str | None:
    """The HTML that shows the player in another page, as plain text; None as for `video_embed_url`."""
    url = video_embed_url(uuid, base)
    if url is None:
        return None
    name = escape(title.strip() or gettext("Video"))
    return (
        f'<iframe src="{escape(url)}" title="{name}" width="{_WIDTH}" height="{_HEIGHT}" loading="lazy" frameborder="0"'
        " allowfullscreen></iframe>"
    )
