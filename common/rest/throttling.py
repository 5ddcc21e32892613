"""Request limits: counts in windows of time, kept in the cache."""

import hashlib
import logging
import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from time import monotonic, time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from rest_framework.exceptions import Throttled

from common.rest.rates import Rate

logger = logging.getLogger(__name__)

# How long a credential is remembered as valid.
_VALID_SECONDS = 24 * 3600
# Limit of a network, as a multiple of the limit of an address.
_NETWORK_FACTOR = 10
_WITH_PORT = re.compile(r"\[([^]]*)\](?::[0-9]+)?|([0-9.]+):[0-9]+")
# Pause after a failure of the cache: each try may wait for its timeout.
_REST_SECONDS = 10


class TooManyRequestsError(Throttled):
    """429, with the seconds to wait."""

    default_detail = "Too many requests"

    def __init__(self, wait: float) -> None:
        super().__init__()
        self.wait = wait


def count_by_address(request: HttpRequest) -> None:
    """Count a request without a valid credential; raise TooManyRequestsError beyond THROTTLE_ADDRESS."""
    _count("address", client_address(request), settings.THROTTLE_ADDRESS)


def count_by_credential(credential: str) -> None:
    """Count a request of this token, account or identity; raise TooManyRequestsError beyond THROTTLE_TOKEN."""
    _count("credential", credential, settings.THROTTLE_TOKEN)


def count_grants(caller: str) -> None:
    """Count a grant that this caller asks for; raise TooManyRequestsError beyond THROTTLE_GRANTS."""
    _count("grant", caller, settings.THROTTLE_GRANTS)


def refuse_guesses(request: HttpRequest, credential: str = "") -> None:
    """Raise TooManyRequestsError, before a credential is checked, if its address or network sent too many bad ones.

    A recently valid credential passes, so that a neighbour cannot lock its owner out.
    """
    rate: Rate | None = settings.THROTTLE_FAILURES
    if rate is None:
        return
    limits = {_window_key("failure", who, allowed): allowed.count for who, allowed in _failure_limits(request, rate)}
    failures = careful(lambda: cache.get_many(limits)) or {}
    too_many = any(failures.get(key, 0) >= count for key, count in limits.items())
    if too_many and not careful(lambda: cache.get(_valid_key(credential))):
        raise TooManyRequestsError(rate.seconds_left(time()))


def note_failure(request: HttpRequest) -> None:
    """Count a credential or a password that was refused."""
    if settings.THROTTLE_FAILURES is not None:
        for who, allowed in _failure_limits(request, settings.THROTTLE_FAILURES):
            _increment("failure", who, allowed)


def note_success(credential: str) -> None:
    """Remember, by a digest, that this credential is valid."""
    if settings.THROTTLE_FAILURES is not None:
        careful(lambda: cache.add(_valid_key(credential), 1, _VALID_SECONDS))


def client_address(request: HttpRequest) -> str:
    """Return the client's address, behind TRUSTED_PROXIES proxies; an IPv6 network of 64 bits is one client.

    Entries further left in X-Forwarded-For are claims of the client. If the client's entry is not an address, use the
    proxy that added it, so clients do not share one counter.
    """
    chain = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")[-16:] if part.strip()]
    # On Lambda REMOTE_ADDR is taken from this header too (zappa 0.63), and AWS appends who connected to it.
    if "lambda.event" not in request.META or not chain:
        chain.append(request.META.get("REMOTE_ADDR", ""))
    client_first = map(_address, chain[max(0, len(chain) - 1 - settings.TRUSTED_PROXIES) :])
    address = next(filter(None, client_first), None)
    if address is None:
        return "unknown"
    return str(ip_network((int(address), 64), strict=False)[0] if isinstance(address, IPv6Address) else address)


def wider_network(address: IPv4Address | IPv6Address) -> str:
    """Return the network that a provider may give to one customer: a /48 of IPv6, or a /24 of IPv4."""
    return str(ip_network((int(address), 48 if isinstance(address, IPv6Address) else 24), strict=False))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address, without the port, the brackets and the zone that some proxies write; None if it is none."""
    found = _WITH_PORT.fullmatch(text)
    try:
        address = ip_address(found[1] or found[2] if found else text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _failure_limits(request: HttpRequest, rate: Rate) -> list[tuple[str, Rate]]:
    """Return the counters for bad credentials and their limits: address and network."""
    address = client_address(request)
    if address == "unknown":
        return [(address, rate)]
    network = wider_network(ip_address(address))
    return [(address, rate), (network, Rate(rate.count * _NETWORK_FACTOR, rate.seconds))]


def _count(kind: str, who: str, rate: Rate | None) -> None:
    if rate is not None and _increment(kind, who, rate) > rate.count:
        raise TooManyRequestsError(rate.seconds_left(time()))


def _increment(kind: str, who: str, rate: Rate) -> int:
    key = _window_key(kind, who, rate)

    def increment() -> int:
        if cache.add(key, 1, rate.seconds * 2):
            return 1
        try:
            return cache.incr(key)
        except ValueError:
            # The cache dropped it between the two calls.
            return 1

    return careful(increment) or 0


def _window_key(kind: str, who: str, rate: Rate) -> str:
    return f"throttle:{kind}:{who}:{rate.window(time())}"


def _valid_key(credential: str) -> str:
    text = f"{settings.SECRET_KEY}:{credential}"
    return f"known:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


_rests_until = 0.0


def careful(use_cache: Callable[[], Any]) -> Any:
    """Return the answer of the cache; None while it fails: requests are not counted then."""
    global _rests_until
    if monotonic() < _rests_until:
        return None
    try:
        return use_cache()
    # Each cache backend raises other exceptions.
    except Exception as error:
        _rests_until = monotonic() + _REST_SECONDS
        logger.error("the cache cannot be used, requests are not counted: %s", type(error).__name__)
        return None
