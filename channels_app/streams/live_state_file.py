"""The live-state file of a channel: a small file in the recording bucket, which pages poll."""

import logging
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from django.conf import settings

from channels_app.models import Channel
from channels_app.models.live_state import LiveState
from common import aws
from common.rest.caching import LIVE_MAX_AGE

logger = logging.getLogger(__name__)

_TRIES = 5


class LiveStateUnsettledError(Exception):
    """The live state changed during every try to write it; the next delivery writes it again."""


@dataclass(frozen=True)
class LiveStateFile:
    """`live/<uuid>.json` of a channel, to be written after commit."""

    channel_uuid: UUID
    # The state under the lock of the channel; None: read it first.
    state: LiveState | None = None
    # Whether to write the predecessor's single file too.
    legacy: bool = False

    @property
    def key(self) -> UUID:
        return self.channel_uuid

    def followed_by(self, later: Self) -> "LiveStateFile":
        return LiveStateFile(self.channel_uuid, later.state, self.legacy or later.legacy)

    def publish(self) -> None:
        """Write the file until the written state is current; write nothing before the first stream.

        Two workers may write in either order: the last one has read the state after both committed.

        Raises:
            AwsError, LiveStateUnsettledError: S3 refused, or the state changed during every try.
        """
        if not settings.RECORDING_BUCKET:
            logger.warning("RECORDING_BUCKET is not set: no live-state file channel=%s", self.channel_uuid)
            return
        state = self.state or live_state_of(self.channel_uuid)
        for _ in range(_TRIES):
            if state is None:
                return
            _write(f"live/{self.channel_uuid}.json", state.document)
            if self.legacy and settings.LIVE_STATE_LEGACY_KEY:
                _write(settings.LIVE_STATE_LEGACY_KEY, {"state": state.state})
            written, state = state, live_state_of(self.channel_uuid)
            if state and state.document == written.document:
                return
        raise LiveStateUnsettledError(
            f"the live state of {self.channel_uuid} changed {_TRIES} times while it was written"
        )


def live_state_of(channel_uuid: UUID) -> LiveState | None:
    """Return the live state from the database; None if the channel never streamed."""
    channel = Channel.objects.with_live_state().get(pk=channel_uuid)
    return channel.live_state if channel.has_streamed else None


def _write(key: str, document: dict[str, object]) -> None:
    """Write a JSON file that may be cached for `LIVE_MAX_AGE` seconds."""
    aws.json_write(bucket=settings.RECORDING_BUCKET, key=key, document=document, max_age=LIVE_MAX_AGE)
