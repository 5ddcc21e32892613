"""`Idempotency-Key`: a request to create a channel that is sent again makes no second channel.

https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from channels_app.errors import (
    ChannelDeletedError,
    ChannelUnfinishedError,
    IdempotencyKeyInFlightError,
    IdempotencyKeyReusedError,
)
from channels_app.models import Channel, IdempotencyKey
from channels_app.services import STILL_CREATING, channel_make, channel_recover, channel_reserve

LONGEST_KEY = 255
# A creation ends, or fails, sooner than this, its look-ups included. A crashed request holds its key no longer.
CLAIM = STILL_CREATING
_REMOVED_AT_ONCE = 100
_TRIES = 3


def body_digest(body: Any) -> str:
    """The digest of a parsed body: order of names and white space do not matter."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Made:
    """The channel of a key; `is_repeated` where an earlier request made it, and answered with it."""

    channel: Channel
    is_repeated: bool = False


def channel_create_once(*, caller: UUID, key: str, digest: str, values: dict[str, Any]) -> Made:
    """The channel that this key of the caller makes: created now, or by an earlier request with the same body.

    What an earlier request left unfinished is finished, or undone and made anew.

    Raises:
        IdempotencyKeyReusedError: the key came with another body.
        IdempotencyKeyInFlightError: another request with it is at work, or IVS may be at work for one it left.
        ChannelDeletedError: the channel of the key was deleted since.
        AwsError, ChannelLeftBehindError, RecordingNotConfiguredError: as `channel_create` does.
    """
    _remove_expired()
    for _ in range(_TRIES):
        try:
            channel = _reserve(caller, key, digest, values)
        except IntegrityError:
            known = IdempotencyKey.objects.select_related("channel").filter(caller=caller, key=key).first()
            made = _by_known_key(known, digest) if known else None
            if made is not None:
                return made
        else:
            try:
                return Made(channel_make(channel=channel))
            finally:
                _release(channel)
    # Others finished or undid it each time it was looked at.
    raise IdempotencyKeyInFlightError


@transaction.atomic
def _reserve(caller: UUID, key: str, digest: str, values: dict[str, Any]) -> Channel:
    """The row of a new channel and the key that stands for it, both or neither."""
    channel = channel_reserve(**values)
    IdempotencyKey.objects.create(
        caller=caller, key=key, body_digest=digest, channel=channel, claimed_until=timezone.now() + CLAIM
    )
    return channel


def _by_known_key(known: IdempotencyKey, digest: str) -> Made | None:
    """The channel of a key that came before; None where nothing is left of it, and the request begins anew."""
    now = timezone.now()
    if known.created_at <= now - IdempotencyKey.LIFE:
        known.delete()
        return None
    if known.body_digest != digest:
        raise IdempotencyKeyReusedError
    if known.channel.status == Channel.Status.DELETED:
        raise ChannelDeletedError
    if known.channel.status != Channel.Status.PROVISIONING:
        return Made(known.channel, is_repeated=True)
    free = IdempotencyKey.objects.filter(pk=known.pk, claimed_until__lte=now)
    if not free.update(claimed_until=now + CLAIM):
        # As it is now: another request may have claimed the key since it was read.
        claims = IdempotencyKey.objects.filter(pk=known.pk).values_list("claimed_until", flat=True)
        raise IdempotencyKeyInFlightError(_seconds_until(claims.first() or now))
    try:
        recovered = channel_recover(channel=known.channel)
        return Made(recovered) if recovered else None
    except ChannelUnfinishedError as error:
        settled_at = (known.channel.created_at or now) + STILL_CREATING
        raise IdempotencyKeyInFlightError(_seconds_until(settled_at)) from error
    finally:
        _release(known.channel)


def _seconds_until(moment: datetime) -> int:
    """Return the whole seconds until a moment, at least 1."""
    return max(1, ceil((moment - timezone.now()).total_seconds()))


def _release(channel: Channel) -> None:
    IdempotencyKey.objects.filter(channel=channel.pk).update(claimed_until=timezone.now())


def _remove_expired() -> None:
    """A bounded number of keys that are no longer honoured; each request that uses a key removes some."""
    old = IdempotencyKey.objects.expired(timezone.now()).order_by("created_at").values("pk")[:_REMOVED_AT_ONCE]
    IdempotencyKey.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
