"""Links of the admin's player: signed, without a row, and good for one video and one curator until they end.

So a page that shows a video writes nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core import signing
from django.core.signing import BadSignature

from common.rest.scopes import account_has_scope
from ondemand.models import Video
from ondemand.playback.grants import PlaybackGrantNotFoundError, PlaybackNotConfiguredError
from ondemand.search.rows import video_of
from ondemand.videos.files import MASTER, is_signed

_SALT = "ivsvod.playback.staff_link"
# A link lasts as long as the video and a pause, and as any grant may.
_PAUSE, _LONGEST = timedelta(minutes=30), timedelta(days=1)


@dataclass(frozen=True)
class StaffPlayback:
    """The video that a link plays, and the time at which the link ends."""

    video: Video
    expires_at: datetime


def staff_link_url(*, video: Video, account: UUID, at: datetime, origin: str) -> str:
    """Return the URL that plays the video, hidden or not, while the account is that of an active curator."""
    expires_at = at + min(video.duration + _PAUSE, _LONGEST)
    return f"{origin}play/g/{_token(video.pk, account, expires_at)}/{MASTER}"


def is_staff_link(token: str) -> bool:
    """Return whether it is the token of such a link: tokens of grants have no separator of signatures."""
    return ":" in token


def staff_link_playing(*, token: str, at: datetime) -> StaffPlayback:
    """Return what a link plays at that time.

    Raises:
        PlaybackNotConfiguredError: files would be delivered without a signature, and so without an end.
        PlaybackGrantNotFoundError: the link is not ours or has ended, its account is no active curator, or the video
            is gone.
    """
    if not is_signed():
        raise PlaybackNotConfiguredError
    try:
        video_uuid, account_uuid, end = signing.loads(token, salt=_SALT)
    except (BadSignature, ValueError):
        raise PlaybackGrantNotFoundError from None
    expires_at = datetime.fromtimestamp(end, at.tzinfo)
    account = get_user_model().objects.filter(pk=account_uuid, is_active=True).first()
    if expires_at <= at or account is None or not account_has_scope(account, "curate"):
        raise PlaybackGrantNotFoundError
    video = video_of(UUID(video_uuid), at=None)
    if video is None:
        raise PlaybackGrantNotFoundError
    return StaffPlayback(video, expires_at)


def _token(video: UUID, account: UUID, expires_at: datetime) -> str:
    # Signatures of files end at whole seconds.
    return signing.dumps([str(video), str(account), int(expires_at.timestamp())], salt=_SALT)
