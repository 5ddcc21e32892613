"""A lease, so that one run at a time is active. Its times are those of the database: clocks of machines may differ."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from channels_app.models import Lease

RECONCILE = "reconcile"
# Longer than any one step takes. After a crash the next run must wait so long.
MAX_AGE = timedelta(minutes=2)


class LeaseTakenError(Exception):
    """Another process holds the lease."""


class LeaseLostError(Exception):
    """The lease expired during a slow step, and another process took it."""


@dataclass(frozen=True)
class HeldLease:
    """A lease that this process holds, with the row as it was when it was taken."""

    row: Lease
    holder: UUID

    @property
    def rows(self) -> QuerySet[Lease]:
        """Return the row, or none if the lease was lost."""
        return Lease.objects.filter(name=self.row.name, holder=self.holder)


def lease_take(*, name: str) -> HeldLease:
    """Take the lease.

    Raises:
        LeaseTakenError: another process holds it.
    """
    Lease.objects.get_or_create(name=name)
    holder = uuid4()
    free = Lease.objects.filter(Q(holder=None) | Q(expires_at__lt=Now()), name=name)
    if not free.update(holder=holder, expires_at=Now() + MAX_AGE):
        raise LeaseTakenError
    return HeldLease(Lease.objects.get(name=name), holder)


def lease_keep(*, lease: HeldLease, **columns: Any) -> None:
    """Renew the lease and write other columns of its row.

    Raises:
        LeaseLostError: another process holds it.
    """
    if not lease.rows.update(expires_at=Now() + MAX_AGE, **columns):
        raise LeaseLostError


def lease_release(*, lease: HeldLease) -> None:
    """Release the lease; a lost one stays with its new holder."""
    lease.rows.update(holder=None, expires_at=None)
