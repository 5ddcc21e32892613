"""What pages may poll without the database: one small file a channel in the recording bucket."""

import logging
from typing import Any
from uuid import UUID

from django.conf import settings

from channels_app import aws
from channels_app.models import Channel

logger = logging.getLogger(__name__)

LIVE_STATE_MAX_AGE = 2
_TRIES = 5


class LiveStateUnsettledError(Exception):
    """The live state changed under every try to write it; the next delivery writes it again."""


def live_state_document(channel_uuid: UUID) -> dict[str, Any]:
    """What the file says: `state`, `timestamp` in ms, `stream_id`."""
    state = Channel.objects.with_live_state().get(pk=channel_uuid).live_state
    return {"state": state.state, "timestamp": state.timestamp, "stream_id": state.stream_id}


def live_state_publish(*, channel_uuid: UUID, legacy: bool) -> None:
    """Write `live/<uuid>.json` until the state read afterwards is what was written.

    With `legacy` also the predecessor's single file, as it does at every start and end.

    Two workers may write in either order; whoever writes last has read the state after both committed.

    Raises:
        AwsError: S3 could not be written.
        LiveStateUnsettledError: the state went on changing.
    """
    if not settings.RECORDING_BUCKET:
        logger.warning("RECORDING_BUCKET is not set: no live-state file channel=%s", channel_uuid)
        return
    document = live_state_document(channel_uuid)
    for _ in range(_TRIES):
        _write(f"live/{channel_uuid}.json", document)
        if legacy and settings.LIVE_STATE_LEGACY_KEY:
            _write(settings.LIVE_STATE_LEGACY_KEY, {"state": document["state"]})
        written, document = document, live_state_document(channel_uuid)
        if document == written:
            return
    raise LiveStateUnsettledError(f"the live state of {channel_uuid} changed {_TRIES} times while it was written")


def _write(key: str, document: dict[str, Any]) -> None:
    aws.json_write(bucket=settings.RECORDING_BUCKET, key=key, document=document, max_age=LIVE_STATE_MAX_AGE)
