"""A lease, so that one run at a time is active. Its times are those of the database: clocks of machines may differ."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from channels_app.models import Lease

RECONCILE = "reconcile"
# Longer than any one step takes. After a crash the next run waits until it is over.
MAX_AGE = timedelta(minutes=2)


class LeaseTakenError(Exception):
    """Another process holds the lease."""


class LeaseLostError(Exception):
    """The lease expired during a slow step, and another process took it."""


def lease_take(*, name: str) -> Lease:
    """Take the lease and return its row; raise LeaseTakenError if another process holds it."""
    Lease.objects.get_or_create(name=name)
    holder = uuid4()
    free = Lease.objects.filter(Q(holder=None) | Q(expires_at__lt=Now()), name=name)
    if not free.update(holder=holder, expires_at=Now() + MAX_AGE):
        raise LeaseTakenError
    return Lease.objects.get(name=name, holder=holder)


def lease_keep(*, lease: Lease, **columns: Any) -> None:
    """Renew the lease and write other columns of its row; raise LeaseLostError if another process holds it."""
    if not _held(lease).update(expires_at=Now() + MAX_AGE, **columns):
        raise LeaseLostError


def lease_release(*, lease: Lease) -> None:
    """Release the lease; a lost one stays with its new holder."""
    _held(lease).update(holder=None, expires_at=None)


def _held(lease: Lease) -> QuerySet[Lease]:
    """Return the row of a lease that this process took; none if it was lost."""
    return Lease.objects.filter(name=lease.name, holder=lease.holder)
