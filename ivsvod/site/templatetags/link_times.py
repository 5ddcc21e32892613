"""Links to times in descriptions."""

import re

from django import template
from django.utils.html import format_html, urlize
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
# `1:02:03` or `2:03` as a word of its own, so never within an address.
_TIME = re.compile(r"(?<![^\s(\[])((?:([0-9]{1,3}):)?([0-9]{1,2}):([0-5][0-9]))(?![^\s)\].,;\u2013-])", re.ASCII)


@register.filter
def link_times(text: str, seconds: int) -> SafeString:
    """Return the text as HTML with links: of addresses, and of times below the length, which seek in the player."""
    # Each match has four groups; the pieces between two matches stand before them.
    pieces = _TIME.split(text)
    html = [urlize(pieces[0], autoescape=True)]
    for shown, hours, minutes, rest, after in zip(*(pieces[start::5] for start in range(1, 6)), strict=True):
        start = int(hours or 0) * 3600 + int(minutes) * 60 + int(rest)
        link = format_html('<a href="?t={}" data-seek="{}">{}</a>', start, start, shown) if start < seconds else shown
        html += [link, urlize(after, autoescape=True)]
    return mark_safe("".join(html))  # noqa: S308 - each part is escaped.
