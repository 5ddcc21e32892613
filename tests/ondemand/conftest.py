"""Fixtures of recordings that are played. Models are imported in them: pytest loads this file before the settings."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.delivery import FACTS, put_playlists, sign_with


@pytest.fixture
def recorded(aws: Any, db: None) -> Iterator[Any]:
    """A public video whose playlists are in S3; no playlist of another test is in memory."""
    from ondemand.playback import delivery
    from tests.support.helpers import make_channel, make_video
    from tests.support.road import BUCKET, PREFIX

    put_playlists(PREFIX)
    yield make_video(channel=make_channel(), bucket=BUCKET, prefix=PREFIX, facts=FACTS, duration_ms=20_000)
    for kept in (delivery._multivariant, delivery._media):
        kept.cache_clear()  # type: ignore[attr-defined]


@pytest.fixture
def protected(recorded: Any) -> Any:
    """The same, played with a grant alone."""
    type(recorded).objects.update(playback="grant")
    recorded.refresh_from_db()
    return recorded


@pytest.fixture
def signed(settings: Any, aws: Any) -> Any:
    """Signed delivery, with a media host that checks each signature."""
    return sign_with(settings, aws, "ecdsa")
