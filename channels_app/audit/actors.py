"""Who is acting, and by which way: told to the database in each transaction that writes, for its audit log.

The log itself is written by triggers of the database (`channels_app/sql/current/audit.sql`), so that no write is left
out, whichever code made it, and each entry stands or falls with its change.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, models, transaction
from django.db.models import Func, TextField, Value
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

    `account` is the key of a row of accounts, where there is one. `operation` is what all entries of one request,
    command, event or bulk change have in common.
    """

    way: Way
    name: str
    account: UUID | None = None
    operation: str = ""

    @property
    def as_json(self) -> str:
        """As the triggers read it."""
        return json.dumps({**asdict(self), "account": str(self.account) if self.account else None})


# Of a request it is known only once somebody has looked who asks.
_acting: ContextVar[Callable[[], Actor | None]] = ContextVar("acting", default=lambda: None)
_SET = "set_config"
_NAME = "ivsvod.actor"


@contextmanager
def acting(actor: Actor | Callable[[], Actor | None]) -> Iterator[None]:
    """Everything that is written inside is done by that actor."""
    token = _acting.set(actor if callable(actor) else lambda: actor)
    try:
        yield
    finally:
        _acting.reset(token)


def command_acting(name: str) -> Any:
    """Everything that is written inside is done by that command."""
    return acting(Actor(Way.COMMAND, name, operation=uuid4().hex))


def acting_within(operation: str, *, command: str) -> Any:
    """Write all inside as one operation, by the actor of the moment, or as that command where there is none."""
    return acting(replace(_acting.get()() or Actor(Way.COMMAND, command), operation=operation))


@contextmanager
def audited() -> Iterator[None]:
    """A transaction of which the audit log knows whose it is; also a decorator, as `transaction.atomic` is."""
    with transaction.atomic():
        actor_tell()
        yield


def actor_tell() -> None:
    """Tell the database who acts, inside a transaction that somebody else has opened, until its end."""
    actor = _acting.get()()
    if actor is not None:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {_SET}(%s, %s, true)", [_NAME, actor.as_json])


def telling_actor(rows: Any) -> Any:
    """Rows whose reading tells the database who acts until the transaction ends, without a statement of its own."""
    actor = _acting.get()()
    if actor is None:
        return rows
    told = Func(Value(_NAME), Value(actor.as_json), Value(True), function=_SET, output_field=TextField())
    return rows.annotate(told_actor=told)


@audited()
def audit_note(*, model: str, pk: object, name: str = "", changes: dict[str, list[str]] | None = None) -> None:
    """Note what was done about a row of this app and changed no row: in Amazon IVS, or that a secret was shown.

    `changes` names what it was with before and after; None is for what was shown.
    """
    told = None if changes is None else json.dumps(changes)
    with connection.cursor() as cursor:
        cursor.execute("SELECT ivsvod_audit_note('channels_app', %s, %s, %s, %s::jsonb)", [model, str(pk), name, told])
