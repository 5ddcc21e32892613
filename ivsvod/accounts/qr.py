"""Pictures that the camera of a phone reads."""

import segno
from django.utils.safestring import SafeString, mark_safe


def qr_svg(text: str) -> SafeString:
    """The text as an SVG without styles or scripts; black on white on dark pages too, as apps need it."""
    picture = segno.make(text, error="m").svg_inline(omitsize=True, svgclass="qr", lineclass=None, light="#ffffff")
    return mark_safe(picture)  # noqa: S308  (the text is in it as squares alone)
