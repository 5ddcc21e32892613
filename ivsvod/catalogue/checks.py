"""System checks of the catalogue page."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def page_can_read_the_api(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """The page asks the API as anyone could: where reads need a token it would show nothing."""
    if settings.API_PUBLIC_READ or not settings.CATALOGUE_PAGE:
        return []
    return [
        Error(
            "CATALOGUE_PAGE is on and API_PUBLIC_READ is off: the catalogue page can show nothing.",
            hint="Set API_PUBLIC_READ=true to publish the catalogue, or CATALOGUE_PAGE=false.",
            id="catalogue.E001",
        )
    ]
