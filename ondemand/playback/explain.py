"""The rules that decide who finds and who plays a video, each with its result and a sentence.

Each rule has its owner elsewhere, which the routes use too; this module asks them all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from ondemand.models import PlaybackGrant, Video
from ondemand.models.publication import Reasons, Rule, opens, reasons_of
from ondemand.playback.grants import PlaybackNotConfiguredError, grant_refusal
from ondemand.videos.files import CatalogueReader, is_signed


class Playing(TextChoices):
    """The results in their order of precedence: a video has the first one whose rule it breaks."""

    NO_FILES = "no_files", pgettext_lazy("playing", "nothing to play")
    UNREADABLE = "unreadable", pgettext_lazy("playing", "files not readable")
    CLOSED = "closed", pgettext_lazy("playing", "for curators alone")
    NOT_CONFIGURED = "not_configured", pgettext_lazy("playing", "no grant possible")
    GRANT = "grant", pgettext_lazy("playing", "with a grant")
    PUBLIC = "public", pgettext_lazy("playing", "for everyone")


@dataclass(frozen=True)
class Access:
    """The answers that callers with these scopes get: `opens` and `location` by `GET /on-demand/{uuid}`.

    `plays`: `/play/{uuid}/master.m3u8` is served; `grants`: a grant can be made, and its URL returned.
    """

    caller: str
    scopes: tuple[str, ...]
    opens: bool
    location: bool
    plays: bool
    grants: bool
    sentence: str


@dataclass(frozen=True)
class Explanation:
    """The rules that decide who finds and who plays a video, and the answers that callers get."""

    listing: Reasons
    playing: Reasons
    is_signed: bool
    lasting_grants: int
    callers: tuple[Access, ...]


_CALLERS: dict[str, tuple[str, ...]] = {
    "anonymous": (),
    "read": ("read",),
    "playback": ("read", "playback"),
    "curate": ("read", "curate"),
}


def explanation(video: Video, at: datetime) -> Explanation:
    """Return what decides about a video at that time: in the time zone and language of the reader."""
    lasting = PlaybackGrant.objects.filter(video=video).lasting(at).count()
    callers = tuple(_access(video, at, caller, scopes) for caller, scopes in _CALLERS.items())
    return Explanation(video.listing_reasons_at(at), playing_reasons(video, at), is_signed(), lasting, callers)


def playing_reasons(video: Video, at: datetime) -> Reasons:
    """Return who plays a video, and its rules."""
    return reasons_of(Playing.PUBLIC, _rules(video, at))


def _rules(video: Video, at: datetime) -> Iterator[Rule]:
    no_files = _("Its recording is unfinished, failed, or has no known location.")
    if video.edit is not None and not video.parts:
        no_files = _("A recording that it shows was deleted.")
    yield _rule(Playing.NO_FILES, video.is_playable, _("It has files that play."), no_files)
    foreign = _("Its bucket is none that this service may read (RECORDING_BUCKETS).")
    yield _rule(Playing.UNREADABLE, video.has_readable_bucket, _("This service may read its bucket."), foreign)
    closed = _("It does not open by its address: only curators see it.")
    if video.duplicate_of_id is not None:
        closed = _("It does not open by its address, or the video that it duplicates does not: only curators see it.")
    elif video.part_of_id is not None:
        closed = _("It does not open by its address, or the video that shows it does not: only curators see it.")
    yield _rule(Playing.CLOSED, opens(video, at), _("It opens by its address."), closed)
    direct = _("Files are delivered directly, by URLs without a signature.")
    delivered = _("Files are delivered by signed URLs.") if is_signed() else direct
    # Files that anyone can fetch need no grant, and can be given none that ends.
    can_grant = grant_refusal(video) is not PlaybackNotConfiguredError
    missing = _("It needs a grant, and grants need signed delivery, which is not configured.")
    yield _rule(Playing.NOT_CONFIGURED, can_grant, delivered, missing)
    alone = _("It is played with a grant alone.")
    yield _rule(Playing.GRANT, not video.needs_grant, _("Anyone who opens it may play it."), alone)


def _rule(name: Playing, is_kept: bool, kept: str, broken: str) -> Rule:
    return Rule(name, is_kept, kept if is_kept else broken)


def _access(video: Video, at: datetime, caller: str, scopes: tuple[str, ...]) -> Access:
    is_curator, opens_now = "curate" in scopes, opens(video, at)
    may_read = settings.API_PUBLIC_READ or "read" in scopes
    is_opened = may_read and (is_curator or opens_now)
    has_location = is_opened and CatalogueReader(is_curator).location(video) is not None
    has_files = video.is_playable and video.has_readable_bucket
    plays = has_files and (is_curator or (opens_now and not video.needs_grant))
    grants = "playback" in scopes and opens_now and grant_refusal(video) is None
    if not may_read:
        sentence = _("Is refused: reads need a token.")
    elif not is_opened:
        sentence = _("Is told that there is no such video.")
    elif has_location:
        sentence = _("Opens it, and gets its location.")
    else:
        sentence = _("Opens it, and gets no location.")
    if grants:
        sentence = f"{sentence} {_('May grant playback to others.')}"
    return Access(caller, scopes, is_opened, has_location, plays, grants, sentence)
