"""The public URLs of a video: its page, and its player for other websites."""

from urllib.parse import unquote, urljoin
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext

# The size of the frame, which the embedding page may change.
_WIDTH, _HEIGHT = 640, 360


def public_origin(request: HttpRequest) -> str:
    """Return the origin of the public pages, `https://vod.example.com/`: of PUBLIC_HOST, else of the request.

    A request may name any port and scheme, and caches keep the responses.
    """
    return f"https://{settings.PUBLIC_HOST}/" if settings.PUBLIC_HOST else request.build_absolute_uri("/")


def video_page_url(uuid: UUID | str, base: str) -> str | None:
    """Return the URL of the public page: VIDEO_PAGE_URL, else the catalogue at the origin `base`; None if it is off."""
    if settings.VIDEO_PAGE_URL:
        return settings.VIDEO_PAGE_URL.replace("{uuid}", str(uuid))
    return _catalogue_url("watch", uuid, base) if settings.CATALOGUE_PAGE else None


def video_embed_url(uuid: UUID | str, base: str) -> str | None:
    """Return the URL of the player alone at the origin `base`; None if the catalogue or embedding is off."""
    return _catalogue_url("embed", uuid, base) if settings.CATALOGUE_PAGE and settings.EMBED_ANCESTORS else None


def _catalogue_url(page: str, uuid: UUID | str, base: str) -> str:
    # Unquoted: the uuid may be `{uuid}`, for a template.
    return urljoin(base, unquote(reverse(f"catalogue:{page}", args=[uuid])))


def embed_code(uuid: UUID | str, title: str, base: str) -> str | None:
    """Return the HTML, as plain text, that embeds the player in another page; None as for `video_embed_url`."""
    url = video_embed_url(uuid, base)
    if url is None:
        return None
    name = escape(title.strip() or gettext("Video"))
    return (
        f'<iframe src="{escape(url)}" title="{name}" width="{_WIDTH}" height="{_HEIGHT}" loading="lazy" frameborder="0"'
        " allowfullscreen></iframe>"
    )
