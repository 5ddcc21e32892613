"""Filters and tags for the templates of admin lists."""

from collections.abc import Iterator
from typing import Any

from django import template
from django.contrib.admin.views.main import PAGE_VAR
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def labelled(cells: list[SafeString], headers: list[dict[str, Any]]) -> Iterator[SafeString]:
    """Yield the cells of a row, each with the name of its column, which a narrow screen shows beside it."""
    for cell, header in zip(cells, headers, strict=False):
        # The header of the first column is a checkbox, as its cells are.
        if "action-checkbox-column" in header.get("class_attrib", ""):
            yield cell
            continue
        start, space, rest = cell.partition(" ")
        label = format_html(' data-label="{}"', capfirst(header["text"]))
        yield mark_safe(f"{start}{label}{space}{rest}")  # noqa: S308  (the stock admin has escaped the cell)


@register.simple_tag
def page_address(cl: Any, page: int) -> str:
    """Return the address of a page of the filtered list."""
    return str(cl.get_query_string({PAGE_VAR: page}))


@register.filter
def page_name(page: int | str) -> str:
    """Return the label of a page; pages from the end are `last`, `last −1`, and so on."""  # noqa: RUF002
    if not isinstance(page, int) or page > 0:
        return str(page)
    return _("last") if page == -1 else _("last −{number}").format(number=-1 - page)  # noqa: RUF001
