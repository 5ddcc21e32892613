"""Two-step sign-in: the codes of an authenticator app (TOTP), and recovery codes for when it is lost."""

import hashlib
import secrets
from base64 import b32decode, b32encode
from dataclasses import dataclass
from datetime import timedelta
from time import time
from urllib.parse import quote, urlencode

from django.conf import settings
from django.utils import timezone
from django_otp.oath import TOTP

from channels_app.audit import audited
from channels_app.encryption import decrypt
from ivsvod.accounts.models import Authenticator, User

DIGITS = 6
RECOVERY_CODES = 10
# Clocks differ: the code before and the code after the one of now are taken too.
_TOLERANCE = 1
# Without those that people take for one another.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP = 4, 4


class CodeTooSoonError(Exception):
    """After wrong codes the next one is looked at only after a while, which doubles each time."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("too soon after a wrong code")
        self.seconds = wait.total_seconds()


class NotBegunError(Exception):
    """There is no secret that waits to be confirmed: it was never asked for, or two-step sign-in is on already."""


@dataclass(frozen=True)
class SetUp:
    """What an authenticator app needs; the secret for whoever cannot take the picture of it."""

    secret: str
    uri: str


def new_secret() -> str:
    """160 random bits in base32, as RFC 4226 recommends and all apps read."""
    return b32encode(secrets.token_bytes(20)).decode()


def new_recovery_codes() -> list[str]:
    """Codes of 79 random bits that people can copy from paper."""
    letters = [[secrets.choice(_ALPHABET) for _ in range(_GROUPS * _GROUP)] for _ in range(RECOVERY_CODES)]
    return ["-".join("".join(code[n : n + _GROUP]) for n in range(0, len(code), _GROUP)) for code in letters]


def plain_code(text: str) -> str:
    """A code without the spaces, dashes and capitals that apps and people put into it."""
    return "".join(character for character in text.casefold() if character.isalnum())


def recovery_digest(code: str) -> str:
    """What is stored of a recovery code: nobody finds out 79 random bits from it."""
    return hashlib.sha256(plain_code(code).encode()).hexdigest()


def set_up_of(account: User) -> SetUp | None:
    """What the account's app needs, until it is confirmed; then it is never shown again."""
    device = Authenticator.objects.filter(user=account, confirmed=False).first()
    if device is None:
        return None
    secret = decrypt(device.secret)
    # https://github.com/google/google-authenticator/wiki/Key-Uri-Format
    issuer = f"ivsvod ({settings.STAGE})"
    parameters = urlencode({"secret": secret, "issuer": issuer, "digits": DIGITS}, quote_via=quote)
    return SetUp(secret, f"otpauth://totp/{quote(f'{issuer}:{account.get_username()}')}?{parameters}")


@audited()
def authenticator_begin(*, account: User) -> None:
    """Make a secret for the account's app, which counts once a code of it was given; one that is on stays."""
    Authenticator.objects.get_or_create(user=account, defaults={"confirmed": False})
    device = Authenticator.objects.select_for_update().get(user=account)
    if not device.confirmed:
        device.secret = new_secret()
        device.last_step = -1
        device.throttle_reset(commit=False)
        device.save()


@audited()
def authenticator_confirm(*, account: User, code: str) -> list[str] | None:
    """Turn two-step sign-in on where the code is one of the new app; the recovery codes, which are not stored as such.

    None where the code is wrong.

    Raises:
        CodeTooSoonError: there was a wrong one a short time ago.
        NotBegunError: no secret waits to be confirmed.
    """
    device = Authenticator.objects.select_for_update().filter(user=account, confirmed=False).first()
    if device is None:
        raise NotBegunError
    if not _check(device, code):
        return None
    device.confirmed = True
    return _renew(device)


def code_check(*, account: User, code: str) -> bool:
    """Whether it is the code of the account's app, or one of its recovery codes; neither counts twice.

    Raises:
        CodeTooSoonError: there was a wrong one a short time ago.
        UnreadableSecretError: it is no recovery code, and the secret of the app cannot be read any more.
    """
    with audited():
        device = Authenticator.objects.select_for_update().of(account)
        return device is not None and _check(device, code)


@audited()
def recovery_codes_renew(*, account: User) -> list[str] | None:
    """New recovery codes; the old ones open nothing any more. None where two-step sign-in is off."""
    device = Authenticator.objects.select_for_update().of(account)
    return None if device is None else _renew(device)


@audited()
def authenticator_remove(*, account: User) -> bool:
    """Turn two-step sign-in off; whether it was on."""
    removed = Authenticator.objects.on().filter(user=account).delete()[0]
    return removed > 0


def _renew(device: Authenticator) -> list[str]:
    codes = new_recovery_codes()
    device.recovery_digests = [recovery_digest(code) for code in codes]
    device.save()
    return codes


def _check(device: Authenticator, code: str) -> bool:
    allowed, facts = device.verify_is_allowed()
    if not allowed:
        raise CodeTooSoonError(facts["locked_until"] - timezone.now())
    is_right = _use_recovery_code(device, code) or _use_app_code(device, code)
    if is_right:
        device.throttle_reset(commit=False)
        device.set_last_used_timestamp(commit=False)
    else:
        device.throttle_increment(commit=False)
    device.save()
    return is_right


def _use_recovery_code(device: Authenticator, code: str) -> bool:
    digest = recovery_digest(code)
    if digest not in device.recovery_digests:
        return False
    device.recovery_digests = [known for known in device.recovery_digests if known != digest]
    return True


def _use_app_code(device: Authenticator, code: str) -> bool:
    digits = plain_code(code)
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        return False
    totp = TOTP(b32decode(decrypt(device.secret)), digits=DIGITS)
    totp.time = time()
    # A code that somebody looked over a shoulder is worth nothing once it was used.
    if not totp.verify(int(digits), tolerance=_TOLERANCE, min_t=device.last_step + 1):
        return False
    device.last_step = totp.t()
    return True
