"""`Idempotency-Key`: a repeated request to create a channel creates no second channel.

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

from channels_app.channels.provisioning import STILL_CREATING, channel_make, channel_recover, channel_reserve
from channels_app.models import Channel, IdempotencyKey
from common import errors

LONGEST_KEY = 255
# A creation ends or fails sooner than this, with its look-ups. A crashed request holds its key until then.
CLAIM = STILL_CREATING
_REMOVED_AT_ONCE = 100
_TRIES = 3


def body_digest(body: Any) -> str:
    """Return the digest of a parsed body; the order of names and white space do not matter."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class KeyedChannel:
    """The channel of a key; `is_repeated` if an earlier request created it and answered with it."""

    channel: Channel
    is_repeated: bool = False


def channel_create_once(*, caller: UUID, key: str, digest: str, values: dict[str, Any]) -> KeyedChannel:
    """Return the channel of this key of the caller: created now, or by an earlier request with the same body.

    A creation that an earlier request left unfinished is completed, or undone and repeated.

    Raises:
        IdempotencyKeyReusedError: the key came with another body.
        IdempotencyKeyInFlightError: another request with it is active, or IVS may still be creating the channel.
        ChannelDeletedError: the channel of the key was deleted since.
        AwsError, ChannelLeftBehindError, RecordingNotConfiguredError: as `channel_create` does.
    """
    # Each request with a key removes some that have expired.
    expired = IdempotencyKey.objects.filter(created_at__lte=timezone.now() - IdempotencyKey.MAX_AGE)
    old = expired.order_by("created_at").values("pk")[:_REMOVED_AT_ONCE]
    IdempotencyKey.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
    for _ in range(_TRIES):
        try:
            # The row of the channel and the key: both or neither.
            with transaction.atomic():
                channel = channel_reserve(**values)
                IdempotencyKey.objects.create(
                    caller=caller, key=key, body_digest=digest, channel=channel, claimed_until=timezone.now() + CLAIM
                )
        except IntegrityError:
            earlier = IdempotencyKey.objects.select_related("channel").filter(caller=caller, key=key).first()
            made = _earlier_channel(earlier, digest) if earlier else None
            if made is not None:
                return made
        else:
            try:
                return KeyedChannel(channel_make(channel=channel))
            finally:
                _release(channel)
    # Other requests completed or undid it at each try.
    raise errors.IdempotencyKeyInFlightError


def _earlier_channel(earlier: IdempotencyKey, digest: str) -> KeyedChannel | None:
    """Return the channel of an earlier key; None if the key or its unfinished creation was removed."""
    now = timezone.now()
    if earlier.created_at <= now - IdempotencyKey.MAX_AGE:
        earlier.delete()
        return None
    if earlier.body_digest != digest:
        raise errors.IdempotencyKeyReusedError
    if earlier.channel.status == Channel.Status.DELETED:
        raise errors.ChannelDeletedError
    if earlier.channel.status != Channel.Status.PROVISIONING:
        return KeyedChannel(earlier.channel, is_repeated=True)
    free = IdempotencyKey.objects.filter(pk=earlier.pk, claimed_until__lte=now)
    if not free.update(claimed_until=now + CLAIM):
        # Read again: another request may have claimed the key meanwhile.
        claims = IdempotencyKey.objects.filter(pk=earlier.pk).values_list("claimed_until", flat=True)
        raise errors.IdempotencyKeyInFlightError(_seconds_until(claims.first() or now))
    try:
        recovered = channel_recover(channel=earlier.channel)
        return KeyedChannel(recovered) if recovered else None
    except errors.ChannelUnfinishedError as error:
        settled_at = (earlier.channel.created_at or now) + STILL_CREATING
        raise errors.IdempotencyKeyInFlightError(_seconds_until(settled_at)) from error
    finally:
        _release(earlier.channel)


def _seconds_until(time: datetime) -> int:
    """Return the whole seconds until a time, at least 1."""
    return max(1, ceil((time - timezone.now()).total_seconds()))


def _release(channel: Channel) -> None:
    IdempotencyKey.objects.filter(channel=channel.pk).update(claimed_until=timezone.now())
