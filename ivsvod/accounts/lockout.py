"""Count wrong passwords for an account by network, besides django-axes' count by address."""

from ipaddress import ip_address, ip_network
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import QuerySet, Sum
from django.http import HttpRequest

from ivsvod.api.throttling import wider_network


class NetworkLockout(AxesDatabaseHandler):
    """The library's handler, which also counts all addresses of a network for an account.

    One customer of a provider has a /48 of IPv6, 65,536 networks that each count as a client of their own.
    """

    def is_locked(self, request: Any, credentials: dict[str, Any] | None = None) -> bool:
        """Return whether the account is locked for the address, or for its whole network."""
        if super().is_locked(request, credentials):
            return True
        failures = network_attempts(request, credentials).aggregate(Sum("failures_since_start"))
        return (failures["failures_since_start__sum"] or 0) >= settings.SIGN_IN_NETWORK_LIMIT


def network_attempts(request: HttpRequest, credentials: dict[str, Any] | None) -> QuerySet[AccessAttempt]:
    """Return the wrong passwords for the account from the network of the request that are young enough to count."""
    network = ip_network(wider_network(ip_address(request.axes_ip_address)))  # type: ignore[attr-defined]
    return AccessAttempt.objects.filter(
        username=get_client_username(request, credentials),
        ip_address__range=(str(network[0]), str(network[-1])),
        attempt_time__gte=get_cool_off_threshold(request),
    )
