"""What the templates of lists need for their pages."""

from typing import Any

from django import template
from django.contrib.admin.views.main import PAGE_VAR
from django.utils.translation import gettext as _

register = template.Library()


@register.simple_tag
def page_address(cl: Any, page: int) -> str:
    """The address of a page of the list as it is filtered."""
    return str(cl.get_query_string({PAGE_VAR: page}))


@register.filter
def page_name(page: int | str) -> str:
    """How people read a page: those from the end are `last`, `last -1`, and so on."""
    if not isinstance(page, int) or page > 0:
        return str(page)
    return _("last") if page == -1 else _("last −{number}").format(number=-1 - page)  # noqa: RUF001
