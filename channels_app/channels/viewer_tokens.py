"""Playback tokens of private channels: a JWT by which one viewer may start to play. Minting makes no network call.

https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/private-channels-generate-tokens.html
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, get_args
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from channels_app.channels.playback_keys import private_key_of
from channels_app.models import Channel

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

# The longest life of a token that names a viewer or is for single use.
LONGEST_NAMED = timedelta(minutes=10)
LONGEST_VIEWER_ID = 40
# A signed integer of 64 bits; StartViewerSessionRevocation takes none below 0.
LARGEST_SESSION_VERSION = 2**63 - 1
Resolution = Literal["", "SD", "HD", "FULL_HD"]
RESOLUTIONS: tuple[Resolution, ...] = get_args(Resolution)


@dataclass(frozen=True, kw_only=True)
class ViewerClaims:
    """The claims of a token.

    Raises:
        ValueError: IVS would refuse it; the message names the field.
    """

    channel_arn: str
    # No personal data. Needed for a revocation, which ends all sessions up to a version.
    viewer_id: str = ""
    session_version: int = 0
    # Origins as `https://www.example.com`; the host may begin with `*`. They bind browsers alone: strict enforcement
    # would also refuse players without an origin, and Safari on iOS.
    allowed_origins: tuple[str, ...] = ()
    single_use: UUID | None = None
    maximum_resolution: Resolution = ""

    def __post_init__(self) -> None:
        if not self.channel_arn:
            raise ValueError("channel_arn is empty")
        if len(self.viewer_id) > LONGEST_VIEWER_ID:
            raise ValueError(f"viewer_id is longer than {LONGEST_VIEWER_ID} characters")
        if not 0 <= self.session_version <= LARGEST_SESSION_VERSION:
            raise ValueError(f"session_version is not a number from 0 to {LARGEST_SESSION_VERSION}")
        if self.session_version and not self.viewer_id:
            raise ValueError("session_version needs a viewer_id")
        if any(not origin or "," in origin or origin.split() != [origin] for origin in self.allowed_origins):
            raise ValueError("allowed_origins has an empty text, a comma or a space")
        if self.maximum_resolution not in RESOLUTIONS:
            raise ValueError(f"maximum_resolution is none of {', '.join(RESOLUTIONS[1:])}")


@dataclass(frozen=True)
class ViewerToken:
    """A token, and the time until which it starts playback; what plays then goes on."""

    value: str = field(repr=False)
    expires_at: datetime


def viewer_token(claims: ViewerClaims, *, private_key: str, at: datetime, ttl: timedelta) -> ViewerToken:
    """Return a token made at a time, with a private key in PEM form.

    It expires after `ttl`, cut to whole seconds, and to LONGEST_NAMED if it names a viewer or is for single use.

    Raises:
        ValueError: `ttl` is less than a second, or the key is not one on the curve P-384.
    """
    if ttl < timedelta(seconds=1):
        raise ValueError("ttl is less than a second")
    longest = LONGEST_NAMED if claims.viewer_id or claims.single_use else ttl
    # Whole seconds. A sample of AWS has milliseconds, which are thousands of years.
    expires = int((at + min(ttl, longest)).timestamp())
    payload: dict[str, Any] = {"aws:channel-arn": claims.channel_arn, "exp": expires}
    if claims.viewer_id:
        payload["aws:viewer-id"] = claims.viewer_id
        payload["aws:viewer-session-version"] = claims.session_version
    if claims.allowed_origins:
        payload["aws:access-control-allow-origin"] = ",".join(claims.allowed_origins)
    if claims.single_use:
        payload["aws:single-use-uuid"] = str(claims.single_use)
    if claims.maximum_resolution:
        payload["aws:maximum-resolution"] = claims.maximum_resolution
    # Loading it takes a tenth of a second, and few requests need it.
    import jwt

    return ViewerToken(jwt.encode(payload, _key(private_key), algorithm="ES384"), datetime.fromtimestamp(expires, UTC))


# The old and the new one, during a rotation.
@lru_cache(maxsize=2)
def _key(pem: str) -> "EllipticCurvePrivateKey":
    return private_key_of(pem)


def own_playback_url(channel: Channel, at: datetime) -> str | None:
    """Return the URL by which a page of the admin plays a live stream; None for a private one without a key to sign.

    One for a private channel starts to play for ten minutes.
    """
    if not channel.private:
        return channel.playback_url
    if not channel.playback_url or not settings.IVS_PLAYBACK_PRIVATE_KEY:
        return None
    claims = ViewerClaims(channel_arn=channel.arn)
    token = viewer_token(claims, private_key=settings.IVS_PLAYBACK_PRIVATE_KEY, at=at, ttl=LONGEST_NAMED)
    return playback_url_with_token(channel.playback_url, token.value)


def playback_url_with_token(playback_url: str, token: str) -> str:
    """Return the playback URL of a channel with the token as its one query parameter `token`."""
    parts = urlsplit(playback_url)
    others = [each for each in parts.query.split("&") if each and each.partition("=")[0] != "token"]
    return parts._replace(query="&".join([*others, f"token={token}"])).geturl()
