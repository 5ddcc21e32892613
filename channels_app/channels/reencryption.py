"""Encrypt secrets with the first key of FIELD_ENCRYPTION_KEYS: plain ones, and those of an older key."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from channels_app.models import Channel
from common.audit import audited
from common.encryption import UnreadableSecretError, encrypt_anew
from common.sql.rows import batches_of

_BATCH = 100
# Secrets in `channel_data`, where the predecessor stores answers of IVS: the key again, and a passphrase.
_IN_DATA = (("StreamKey", "Value"), ("Channel", "Srt", "Passphrase"))
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Encrypted:
    """The outcome of a batch: the number of changed rows, and the keys of rows whose secret cannot be decrypted."""

    changed: int
    unreadable: list[str]


def channels_encrypt() -> Iterator[Encrypted]:
    """Encrypt the secrets of every channel with the first key, in committed batches; a second run changes nothing."""

    def fields(channel: Channel) -> dict[str, Any]:
        data = channel.channel_data
        for path in _IN_DATA:
            data = _with_encrypted(data, path)
        return {"stream_key": encrypt_anew(channel.stream_key), "channel_data": data}

    return rows_encrypt(Channel.objects.all(), fields)


def rows_encrypt(rows: QuerySet[Row], fields: Callable[[Row], dict[str, Any]]) -> Iterator[Encrypted]:
    """Encrypt secrets of any rows in committed batches; `fields` returns the encrypted fields of a row."""
    for batch in batches_of(rows.only("pk"), size=_BATCH):
        changed, unreadable = 0, []
        with audited():
            locked = rows.filter(pk__in=[row.pk for row in batch]).order_by("pk").select_for_update(no_key=True)
            for row in locked:
                try:
                    values = {name: value for name, value in fields(row).items() if getattr(row, name) != value}
                except UnreadableSecretError:
                    unreadable.append(str(row.pk))
                    continue
                changed += rows.filter(pk=row.pk).update(**values) if values else 0
        yield Encrypted(changed, unreadable)


def _with_encrypted(data: Any, path: tuple[str, ...]) -> Any:
    """Return the document with the text at a path encrypted, or unchanged if it has no text there."""
    name, *rest = path
    if not isinstance(data, dict) or name not in data:
        return data
    if rest:
        return {**data, name: _with_encrypted(data[name], tuple(rest))}
    return {**data, name: encrypt_anew(data[name])} if isinstance(data[name], str) else data
