"""Who a request is from, as the audit log names them."""

from typing import Any

from django.http import HttpRequest

from channels_app.audit import Actor, Way
from ivsvod.accounts.models import ApiToken, User
from ivsvod.api.authentication import SharedKeyCaller
from ivsvod.api.request_ids import request_id


def is_admin_page(request: HttpRequest) -> bool:
    """Whether the request is for a page of the admin."""
    return request.path_info.startswith("/admin/")


def actor_of(request: HttpRequest) -> Actor:
    """Whoever asks, by the admin or by the API."""
    caller: Any = getattr(request, "user", None)
    way = Way.ADMIN if is_admin_page(request) else Way.API
    account = caller.pk if isinstance(caller, User) else None
    return Actor(way, _name(caller, getattr(request, "auth", None)), account, request_id.get())


def _name(caller: Any, credential: Any) -> str:
    if isinstance(credential, ApiToken):
        return f"{caller.get_username()}, token {credential.name}"
    if isinstance(caller, User):
        return caller.get_username()
    if isinstance(caller, SharedKeyCaller):
        return "the shared key"
    if caller is None or not caller.is_authenticated:
        return "nobody who is signed in"
    # Whoever an identity provider vouches for has no name here.
    return f"identity {caller.pk}"
