"""Broadcasts on the local stack: an encoder whose events take the road of the Lambda."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
from django.conf import settings
from django.utils import timezone

from channels_app.models import Channel
from ivsvod.lambda_entry import lambda_handler
from ivsvod.local.encoder import Broadcast, Encoder
from ivsvod.local.events import sqs_batch
from ivsvod.local.ivs import IvsStore

logger = logging.getLogger(__name__)

# From the encoder's first connection to Recording End, beside the broadcast itself.
_AROUND = timedelta(seconds=20)


class DeliveryFailedError(Exception):
    """The Lambda entry asked for events to come again."""


def broadcast(*, home: Path, channel: Channel, seconds: float, record: Path | None = None) -> Broadcast:
    """Play a broadcast that ended just now into the channel.

    Raises:
        DeliveryFailedError: an event could not be processed.
        StreamKeyRefused: the local IVS does not know the channel's key.
    """
    account, region = channel.arn.split(":")[4], channel.arn.split(":")[3]
    store = IvsStore(home / "ivs.sqlite3", region=region, account=account)
    encoder = Encoder(store, boto3.session.Session().client("s3"), region=region, account=account)
    return encoder.broadcast(
        channel.reveal_stream_key(),
        seconds=seconds,
        started_at=timezone.now() - timedelta(seconds=seconds) - _AROUND,
        deliver=deliver,
        record=record,
    )


def deliver(envelopes: list[dict[str, Any]]) -> None:
    """Hand a batch to the Lambda entry as SQS would.

    Raises:
        DeliveryFailedError: an item of it must come again.
    """
    failed = lambda_handler(sqs_batch(envelopes), None)["batchItemFailures"]
    if failed:
        raise DeliveryFailedError(f"{len(failed)} of {len(envelopes)} events failed; see the admin's events")
    logger.info("delivered events=%d bucket=%s", len(envelopes), settings.RECORDING_BUCKET)
