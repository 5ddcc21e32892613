"""Addresses within the admin, and links from the page of a row to what else is known of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode


@dataclass(frozen=True)
class PageLink:
    """A page about a row, for whoever has the permission; the address is None where there is none."""

    permission: str
    label: Any
    address: Callable[[Any], str | None]


def links_shown(request: HttpRequest, links: Iterable[PageLink], row: Any) -> list[tuple[Any, str]]:
    """The label and address of each page that there is about a row, for whoever asks."""
    allowed = (link for link in links if request.user.has_perm(link.permission))
    return [(link.label, address) for link in allowed if (address := link.address(row))]


def list_address(model: type[Model], **query: Any) -> str:
    """The list of a model in the admin, filtered so."""
    listed = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{listed}?{urlencode(query)}" if query else listed


def row_address(model: type[Model], pk: object) -> str:
    """The page of a row in the admin."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])
