"""The actor of a change and its way in: set for each transaction that writes, for the triggers of the audit log.

Triggers of the database (`audit.sql`) write the log. So no write is left out, whichever code
made it, and each entry is committed or rolled back with its change.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, models, transaction
from django.db.models import Func, TextField, Value
from django.utils.translation import gettext_lazy as _

from common.rest.compiled import Parameter


class Way(models.TextChoices):
    """The entry point of a change."""

    ADMIN = "admin", _("admin")
    API = "api", _("API")
    COMMAND = "command", _("command")
    EVENT = "event", _("event")
    # A program that writes to the database without this code: the predecessor, or psql.
    DATABASE = "database", _("another program")


@dataclass(frozen=True)
class Actor:
    """The author of writes. `name` is a user name, the name of a token, or a command; never a secret.

    `account` is the primary key of an account, if any. `operation` is common to all entries of one request, command,
    event or bulk change.
    """

    way: Way
    name: str
    account: UUID | None = None
    operation: str = ""


# A function, for the actor of a request is only known after its authentication.
_acting: ContextVar[Callable[[], Actor | None]] = ContextVar("acting", default=lambda: None)


@contextmanager
def acting(actor: Actor | Callable[[], Actor | None]) -> Iterator[None]:
    """Record everything that is written inside as done by the actor."""
    token = _acting.set(actor if callable(actor) else lambda: actor)
    try:
        yield
    finally:
        _acting.reset(token)


def command_acting(name: str) -> Any:
    """Record everything that is written inside as done by the command."""
    return acting(Actor(Way.COMMAND, name, operation=uuid4().hex))


def acting_within(operation: str, *, command: str) -> Any:
    """Record everything that is written inside as one operation of the current actor, or of the command if none."""
    return acting(replace(_acting.get()() or Actor(Way.COMMAND, command), operation=operation))


@contextmanager
def audited() -> Iterator[None]:
    """Open a transaction for which the actor is set; also a decorator, as `transaction.atomic` is."""
    with transaction.atomic():
        set_actor()
        yield


def set_actor() -> None:
    """Set the current actor in the database, until the end of the transaction that the caller has opened."""
    if setting := actor_setting():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('ivsvod.actor', %s, true)", [setting])


def with_actor(rows: Any) -> Any:
    """Annotate the rows so that reading them sets the actor, as `set_actor` does. Run with `actor=actor_setting()`."""
    values = (Value("ivsvod.actor"), Parameter("actor", TextField()), Value(True))
    return rows.annotate(set_actor=Func(*values, function="set_config", output_field=TextField()))


def actor_name() -> str:
    """Return the name of the current actor; empty if nobody is acting."""
    actor = _acting.get()()
    return actor.name if actor else ""


def actor_operation() -> str:
    """Return the operation of what is written now; empty if nobody is acting."""
    actor = _acting.get()()
    return actor.operation if actor else ""


def actor_setting() -> str | None:
    """Return the JSON that the triggers read, or None if nobody is acting."""
    actor = _acting.get()()
    if actor is None:
        return None
    return json.dumps({**vars(actor), "account": str(actor.account) if actor.account else None})


@audited()
def audit_note(*, model: str, pk: object, name: str = "", changes: dict[str, list[str]] | None = None) -> None:
    """Record what was done to a row of this app and changed no row: in Amazon IVS, or that a secret was shown.

    `changes` maps names to the values before and after; None records that something was shown.
    """
    values = [model, str(pk), name, None if changes is None else json.dumps(changes)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT ivsvod_audit_note('channels_app', %s, %s, %s, %s::jsonb)", values)
