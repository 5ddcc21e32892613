"""What the template of lists needs for their cells."""

from collections.abc import Iterator
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

register = template.Library()


@register.filter
def labelled(cells: list[SafeString], headers: list[dict[str, Any]]) -> Iterator[SafeString]:
    """The cells of a row, each with the name of its column, which a narrow screen shows beside it."""
    for cell, header in zip(cells, headers, strict=False):
        yield _labelled(cell, header)


def _labelled(cell: SafeString, header: dict[str, Any]) -> SafeString:
    # The first column holds boxes to tick, whose header is one, too.
    if "action-checkbox-column" in header.get("class_attrib", ""):
        return cell
    start, space, rest = cell.partition(" ")
    label = format_html(' data-label="{}"', capfirst(header["text"]))
    return mark_safe(f"{start}{label}{space}{rest}")  # noqa: S308  (the stock admin has escaped the cell)
