"""Broadcasts on the local stack: an encoder whose events are handed to the Lambda entry."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from channels_app.models import Channel
from common.aws.clients import RETRIED, client
from ivsvod.lambda_entry import lambda_handler
from tools.local.broadcast.encoder import Broadcast, play_broadcasts
from tools.local.broadcast.events import sqs_batch
from tools.local.ivs import IvsStore

logger = logging.getLogger(__name__)

# The attempts for each event; the queue of a deployment makes five before the dead-letter queue.
_RECEIVES = 3
# Between the last event of an existing broadcast and the first of a new one, besides the reconnect window.
_APART = timedelta(seconds=10)


class DeliveryFailedError(Exception):
    """The Lambda entry failed to process an event at each attempt."""


def broadcasts(
    *, home: Path, channel: Channel, seconds: float = 8, before: datetime | None = None, **options: Any
) -> list[Broadcast]:
    """Play broadcasts in the latest time in which the channel was free, with the `options` of `play_broadcasts`.

    They end before that time, by default now.

    Raises what `play_broadcasts` raises, and:
        DeliveryFailedError: an event could not be processed.
    """
    store = IvsStore(home / "ivs.sqlite3")
    apart = _APART + store.reconnect_window(channel.arn)
    latest = before or timezone.now()

    def begin(length: timedelta) -> datetime:
        return free_before(latest, length, store.session_times(channel.arn), apart)

    key, s3_client = channel.reveal_stream_key(), client("s3", RETRIED)
    return play_broadcasts(store, s3_client, key, seconds=seconds, begin=begin, deliver=deliver, **options)


def free_before(
    now: datetime, length: timedelta, streams: Iterable[tuple[datetime, datetime | None]], apart: timedelta
) -> datetime:
    """Return the latest start of a run of this length that ends before `now`, at least `apart` from all streams.

    A channel has one stream at a time. `streams` are starts and ends, the newest start first.
    """
    end = now
    for started_at, ended_at in streams:
        if ended_at is not None and ended_at + apart <= end - length:
            break
        end = min(end, started_at - apart)
    return end - length


def deliver(envelopes: list[dict[str, Any]]) -> None:
    """Deliver a batch to the Lambda entry as SQS does: failed items are delivered again, three times in all.

    Raises:
        DeliveryFailedError: an item failed each time.
    """
    records = sqs_batch(envelopes)["Records"]
    for _ in range(_RECEIVES):
        answer = lambda_handler({"Records": records}, None)
        failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
        records = [record for record in records if record["messageId"] in failed]
        if not records:
            logger.info("delivered events=%d bucket=%s", len(envelopes), settings.RECORDING_BUCKET)
            return
    raise DeliveryFailedError(f"{len(records)} of {len(envelopes)} events failed; see the admin's events")
