"""One at a time: a row that is taken by one statement, renewed as the work goes on, and given back.

Time is that of the database, so that clocks of machines do not matter.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db.models import Q
from django.db.models.functions import Now

from channels_app.models import Lease

# Longer than any one step takes; so long a run that died keeps the next one from beginning.
LIFE = timedelta(minutes=2)


class LeaseTakenError(Exception):
    """Another holds it."""


class LeaseLostError(Exception):
    """It ran out while something took too long, and another has taken it."""


@dataclass(frozen=True)
class HeldLease:
    """A lease that is held, with the row as it was when it was taken."""

    row: Lease
    holder: UUID


def lease_take(*, name: str) -> HeldLease:
    """Take the lease.

    Raises:
        LeaseTakenError: another holds it.
    """
    Lease.objects.get_or_create(name=name)
    holder = uuid4()
    free = Lease.objects.filter(Q(holder=None) | Q(expires_at__lt=Now()), name=name)
    if not free.update(holder=holder, expires_at=Now() + LIFE):
        raise LeaseTakenError
    return HeldLease(Lease.objects.get(name=name), holder)


def lease_keep(*, lease: HeldLease, **columns: Any) -> None:
    """Renew it, and write what else the row says.

    Raises:
        LeaseLostError: another holds it.
    """
    if not _held(lease).update(expires_at=Now() + LIFE, **columns):
        raise LeaseLostError


def lease_release(*, lease: HeldLease) -> None:
    """Give it back; one that was lost stays with whoever has it."""
    _held(lease).update(holder=None, expires_at=None)


def _held(lease: HeldLease) -> Any:
    return Lease.objects.filter(name=lease.row.name, holder=lease.holder)
