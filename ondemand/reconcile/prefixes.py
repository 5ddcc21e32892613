"""The recordings in a bucket, found by its listing: one or two calls each, however many segments they have.

Below a recording the `events/` come before the `media/` in the order of keys, so that what is of interest is seen
first and the rest is jumped over. Prefixes are taken from keys and never made: their parts are not padded with zeros,
and do not sort by time. https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from channels_app import aws
from channels_app.reconcile.asking import ask

STARTED = "started"
ENDED = "ended"
FAILED = "failed"

# The last character there is: no key of a recording comes after it.
_LAST = "\U0010ffff"
_PARTS = re.compile(r"(?P<prefix>.+?)/(?:events/recording-(?P<name>started|ended|failed)\.json|media/.*)", re.DOTALL)
# Recordings of a stage of IVS Real-Time, of all its participants together or of one: they are of no channel.
# https://docs.aws.amazon.com/ivs/latest/RealTimeUserGuide/rt-composite-recording.html
# https://docs.aws.amazon.com/ivs/latest/RealTimeUserGuide/rt-individual-participant-recording.html
_OF_STAGE = re.compile(
    r"(?:.+/)?[a-zA-Z0-9-]+/[a-zA-Z0-9-]+/[a-zA-Z0-9-]+/(?:composite|\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)", re.ASCII
)
# Among other keys, and behind a recording that was jumped over: another recording is expected there.
_LONG_PAGE = 1000
_SHORT_PAGE = 10


@dataclass(frozen=True)
class FoundRecording:
    """A recording as the listing shows it. `names` are those of its metadata: `started`, `ended`, `failed`.

    `behind` is where the listing goes on after it.
    """

    bucket: str
    prefix: str
    names: frozenset[str]
    modified_at: datetime

    @property
    def last(self) -> str:
        """The metadata that tell most."""
        return next(name for name in (ENDED, FAILED, STARTED) if name in self.names)

    @property
    def behind(self) -> str:
        """A key after all keys of the recording, and before all others that follow."""
        return f"{self.prefix}/{_LAST}"


@dataclass(frozen=True)
class PageRead:
    """A page of the listing was read. `behind` is where the listing can go on; empty in the midst of a recording."""

    behind: str


@dataclass
class _Building:
    """A recording of which keys are still coming."""

    prefix: str
    names: set[str] = field(default_factory=set)
    modified_at: datetime | None = None
    has_media: bool = False

    def add(self, name: str | None, modified_at: datetime) -> None:
        if name is None:
            self.has_media = True
            return
        self.names.add(name)
        self.modified_at = max(self.modified_at or modified_at, modified_at)

    def found(self, bucket: str) -> Iterator[FoundRecording]:
        """Media alone tell nothing: neither whose they are nor when they were made. Stages are left out."""
        if self.modified_at is not None and not _OF_STAGE.fullmatch(self.prefix):
            yield FoundRecording(bucket, self.prefix, frozenset(self.names), self.modified_at)


def recordings_in(bucket: str, *, folder: str = "", after: str = "") -> Iterator[FoundRecording | PageRead]:
    """Every recording below `folder` that comes after a key, in the order of keys; and each page that was read.

    Raises:
        AwsError: S3 could not be asked.
    """
    building: _Building | None = None
    most = _LONG_PAGE
    while True:
        listed = ask(aws.objects_list, bucket=bucket, prefix=folder, after=after, most=most)
        for item in listed.objects:
            after = item.key
            if building is not None and item.key.startswith(f"{building.prefix}/"):
                _add(building, item)
                continue
            if building is not None:
                yield from building.found(bucket)
            building = _begin(item)
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


def _begin(item: aws.S3Object) -> _Building | None:
    parts = _PARTS.fullmatch(item.key)
    if parts is None:
        return None
    building = _Building(parts["prefix"])
    _add(building, item)
    return building


def _add(building: _Building, item: aws.S3Object) -> None:
    """A key of the recording; those that are neither metadata nor media say nothing."""
    parts = _PARTS.fullmatch(item.key)
    if parts is not None and parts["prefix"] == building.prefix:
        building.add(parts["name"], item.modified_at)
