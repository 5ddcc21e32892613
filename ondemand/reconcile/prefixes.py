"""Find the recordings in a bucket by listing it: one or two calls each, however many segments they have.

Below a recording `events/` comes before `media/` in the order of keys: the metadata are listed first and the segments
are skipped. Prefixes are taken from keys and never computed: their parts are not padded with zeros, so that they do not
sort by time. https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from channels_app.reconcile.paced_calls import call_paced
from common import aws

STARTED = "started"
ENDED = "ended"
FAILED = "failed"

# The last character of Unicode: no key of a recording comes after it.
_LAST = "\U0010ffff"
_PARTS = re.compile(r"(?P<prefix>.+?)/(?:events/recording-(?P<name>started|ended|failed)\.json|media/.*)", re.DOTALL)
# Recordings of a stage of IVS Real-Time, of all its participants together or of one: they have no channel.
# https://docs.aws.amazon.com/ivs/latest/RealTimeUserGuide/rt-composite-recording.html
# https://docs.aws.amazon.com/ivs/latest/RealTimeUserGuide/rt-individual-participant-recording.html
_OF_STAGE = re.compile(
    r"(?:.+/)?[a-zA-Z0-9-]+/[a-zA-Z0-9-]+/[a-zA-Z0-9-]+/(?:composite|\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)", re.ASCII
)
# Short behind a recording whose segments were skipped: another recording is expected there.
_LONG_PAGE = 1000
_SHORT_PAGE = 10


@dataclass(frozen=True)
class FoundRecording:
    """A recording in a bucket. `names` are those of its metadata: `started`, `ended`, `failed`.

    `behind` is where the listing continues after it.
    """

    bucket: str
    prefix: str
    names: frozenset[str]
    modified_at: datetime

    @property
    def last(self) -> str:
        """Return the name of the metadata with most facts."""
        return next(name for name in (ENDED, FAILED, STARTED) if name in self.names)

    @property
    def behind(self) -> str:
        """Return a key after all keys of the recording, and before all others that follow."""
        return f"{self.prefix}/{_LAST}"


@dataclass(frozen=True)
class PageRead:
    """A page was listed. `behind` is where the listing can continue; empty in the middle of a recording."""

    behind: str


@dataclass
class _Building:
    """A recording whose keys are being listed."""

    prefix: str
    names: set[str] = field(default_factory=set)
    modified_at: datetime | None = None
    has_media: bool = False

    def found(self, bucket: str) -> Iterator[FoundRecording]:
        """Yield the recording if it has metadata: media alone name no channel. Stages are left out."""
        if self.modified_at is not None and not _OF_STAGE.fullmatch(self.prefix):
            yield FoundRecording(bucket, self.prefix, frozenset(self.names), self.modified_at)


def recordings_in(bucket: str, *, folder: str = "", after: str = "") -> Iterator[FoundRecording | PageRead]:
    """Yield every recording below `folder` after a key, in the order of keys; and each page that was listed."""
    building: _Building | None = None
    most = _LONG_PAGE
    while True:
        listed = call_paced(aws.objects_list, bucket=bucket, prefix=folder, after=after, most=most)
        for item in listed.objects:
            after, parts = item.key, _PARTS.fullmatch(item.key)
            if building is not None and not item.key.startswith(f"{building.prefix}/"):
                yield from building.found(bucket)
                building = None
            if parts is None or (building is not None and parts["prefix"] != building.prefix):
                # Neither metadata nor media of the recording.
                continue
            building = building or _Building(parts["prefix"])
            if parts["name"] is None:
                building.has_media = True
            else:
                building.names.add(parts["name"])
                building.modified_at = max(building.modified_at or item.modified_at, item.modified_at)
        yield PageRead("" if building else after)
        if listed.is_last:
            break
        if building is not None and building.has_media:
            yield from building.found(bucket)
            after, building, most = f"{building.prefix}/{_LAST}", None, _SHORT_PAGE
        else:
            most = _LONG_PAGE
    if building is not None:
        yield from building.found(bucket)
