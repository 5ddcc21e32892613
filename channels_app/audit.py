"""Who is acting, and by which way: told to the database in each transaction that writes, for its audit log.

The log itself is written by triggers of the database, so that no write is left out, whichever code made it, and each
entry stands or falls with its change.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from uuid import UUID

from django.db import connection, models, transaction
from django.utils.translation import gettext_lazy as _


class Way(models.TextChoices):
    """How a change came in."""

    ADMIN = "admin", _("admin")
    API = "api", _("API")
    COMMAND = "command", _("command")
    EVENT = "event", _("event")
    # Whoever writes to the database without this code: the predecessor, or a person with psql.
    DATABASE = "database", _("another program")


@dataclass(frozen=True)
class Actor:
    """Whoever writes. `name` is what people know them by: a user name, a token, a command; never a secret.

    `operation` is what the entries of one request, command or event have in common.
    """

    way: Way
    name: str
    account: UUID | None = None
    operation: str = ""


_acting: ContextVar[Actor | None] = ContextVar("acting", default=None)


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Everything that is written inside is done by that actor."""
    token = _acting.set(actor)
    try:
        yield
    finally:
        _acting.reset(token)


@contextmanager
def audited() -> Iterator[None]:
    """A transaction of which the audit log knows whose it is; also a decorator, as `transaction.atomic` is."""
    with transaction.atomic():
        tell_actor()
        yield


def tell_actor() -> None:
    """Tell the database who acts, until the end of the transaction."""
    actor = _acting.get()
    if actor is not None:
        told = json.dumps({**asdict(actor), "account": str(actor.account) if actor.account else None})
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('ivsvod.actor', %s, true)", [told])
