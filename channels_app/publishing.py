"""What pages may poll without the database: one small file a channel in the recording bucket."""

import logging
from typing import Any
from uuid import UUID

from django.conf import settings

from channels_app import aws
from channels_app.livestate import LiveState
from channels_app.models import Channel

logger = logging.getLogger(__name__)

LIVE_STATE_MAX_AGE = 2
_TRIES = 5


class LiveStateUnsettledError(Exception):
    """The live state changed under every try to write it; the next delivery writes it again."""


def live_state_of(channel_uuid: UUID) -> LiveState | None:
    """The live state as the database has it now; None where the channel never streamed."""
    channel = Channel.objects.with_live_state().get(pk=channel_uuid)
    return channel.live_state if channel.has_streamed else None


def live_state_publish(*, channel_uuid: UUID, state: LiveState | None, legacy: bool) -> None:
    """Write `live/<uuid>.json` until the state read afterwards is what was written; nothing before the first stream.

    `state` is what the channel's lock showed, None where it was not taken. With `legacy` also the predecessor's single
    file, as it does at every start and end.

    Two workers may write in either order; whoever writes last has read the state after both committed.

    Raises:
        AwsError: S3 could not be written.
        LiveStateUnsettledError: the state went on changing.
    """
    if not settings.RECORDING_BUCKET:
        logger.warning("RECORDING_BUCKET is not set: no live-state file channel=%s", channel_uuid)
        return
    state = state or live_state_of(channel_uuid)
    for _ in range(_TRIES):
        if state is None:
            return
        _write(f"live/{channel_uuid}.json", state.document)
        if legacy and settings.LIVE_STATE_LEGACY_KEY:
            _write(settings.LIVE_STATE_LEGACY_KEY, {"state": state.state})
        written, state = state, live_state_of(channel_uuid)
        if state and state.document == written.document:
            return
    raise LiveStateUnsettledError(f"the live state of {channel_uuid} changed {_TRIES} times while it was written")


def _write(key: str, document: dict[str, Any]) -> None:
    aws.json_write(bucket=settings.RECORDING_BUCKET, key=key, document=document, max_age=LIVE_STATE_MAX_AGE)
