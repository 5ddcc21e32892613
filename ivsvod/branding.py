"""Branding of the pages by the settings SITE_*: name, logo, colour and footer links."""

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

_Rgb = tuple[float, float, float]
_WHITE, _BLACK = (255.0, 255.0, 255.0), (0.0, 0.0, 0.0)
# The backgrounds of catalogue and admin on which a link has the least contrast, in the light and in the dark scheme.
_LIGHT, _DARK = "#e3edfb", "#1d3357"
# WCAG 2.2, 1.4.3: https://www.w3.org/TR/WCAG22/#contrast-minimum
_CONTRAST = 4.5
_MAX_AGE = 24 * 3600
_STYLESHEET = """:root, html[data-theme] {{
  --link: light-dark({light}, {dark});
  --strong: light-dark({light}, {dark});
  --on-strong: light-dark(#ffffff, #10151c);
  --primary: {light};
  --secondary: {light};
  --header-color: #ffffff;
  --breadcrumbs-bg: color-mix(in srgb, {light} 80%, #000000);
  --breadcrumbs-fg: #ffffff;
  --link-fg: light-dark({light}, {dark});
  --link-hover-color: light-dark(color-mix(in srgb, {light} 70%, #000000), {dark});
  --button-bg: {light};
  --button-hover-bg: color-mix(in srgb, {light} 80%, #000000);
  --default-button-bg: color-mix(in srgb, {light} 80%, #000000);
  --default-button-hover-bg: color-mix(in srgb, {light} 65%, #000000);
}}
/* Any colour may be close to that of the text. */
#content p a:not(.button) {{ text-decoration: underline; }}
"""


def brand() -> dict[str, Any]:
    """Return `name`, `logo`, `links` and `stylesheet` for templates; empty where the operator has set nothing."""
    return {
        "name": settings.SITE_NAME,
        "logo": settings.SITE_LOGO,
        "links": [{"label": label, "url": url} for label, url in settings.SITE_FOOTER],
        "stylesheet": _stylesheet_url(settings.SITE_COLOUR) if settings.SITE_COLOUR else "",
    }


@require_safe
def stylesheet(request: HttpRequest) -> HttpResponse:
    """Return the style sheet with the colour: the Content-Security-Policy allows no style in a page."""
    if not settings.SITE_COLOUR:
        raise Http404
    response = HttpResponse(colour_style(settings.SITE_COLOUR), content_type="text/css")
    response["Cache-Control"] = f"public, max-age={_MAX_AGE}"
    return response


def _stylesheet_url(colour: str) -> str:
    # Its version: caches keep it for a day.
    return f"{reverse('brand')}?v={hashlib.sha256(colour_style(colour).encode()).hexdigest()[:8]}"


@lru_cache(maxsize=8)
def colour_style(colour: str) -> str:
    """Return the style sheet: the colour darkened (light scheme) or lightened (dark scheme) to a contrast of 4.5."""
    return _STYLESHEET.format(light=_readable(colour, _LIGHT, _BLACK), dark=_readable(colour, _DARK, _WHITE))


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    darker, lighter = sorted((_luminance(_rgb(one)), _luminance(_rgb(other))))
    return (lighter + 0.05) / (darker + 0.05)


def _readable(colour: str, background: str, end: _Rgb) -> str:
    """Return the colour, mixed with as much of `end` as texts on the background need."""
    return next(mixed for mixed in _mixed(_rgb(colour), end) if contrast(mixed, background) >= _CONTRAST)


def _mixed(colour: _Rgb, end: _Rgb) -> Iterator[str]:
    for percent in range(101):
        parts = (round(a + (b - a) * percent / 100) for a, b in zip(colour, end, strict=True))
        yield "#" + "".join(f"{part:02x}" for part in parts)


def _rgb(colour: str) -> _Rgb:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def _luminance(colour: _Rgb) -> float:
    parts = (part / 255 for part in colour)
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
