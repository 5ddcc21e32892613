"""Two-step sign-in: codes of an authenticator app (TOTP), and recovery codes for a lost one."""

import hashlib
import secrets
from base64 import b32decode, b32encode
from datetime import timedelta
from time import time
from urllib.parse import quote, urlencode

from django.conf import settings
from django.utils import timezone
from django_otp.oath import TOTP

from common.audit import audited
from common.encryption import decrypt
from ivsvod.accounts.models import Authenticator, User

DIGITS = 6
RECOVERY_CODES = 10
# Without letters and digits that look alike.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


class CodeTooSoonError(Exception):
    """A code came too soon after a wrong one; the wait doubles each time."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("too soon after a wrong code")
        self.seconds = wait.total_seconds()


class NotBegunError(Exception):
    """No secret waits for its first code: the set-up was never begun, or is complete."""


def plain_code(text: str) -> str:
    """Return a code without the spaces, dashes and capitals that apps and people add."""
    return "".join(character for character in text.casefold() if character.isalnum())


def recovery_digest(code: str) -> str:
    """Return the digest of a recovery code, which alone is stored; 79 random bits cannot be guessed from it."""
    return hashlib.sha256(plain_code(code).encode()).hexdigest()


def set_up_of(account: User) -> tuple[str, str] | None:
    """Return the secret and the `otpauth` URI of an app that is not confirmed yet; None otherwise: it is shown once."""
    device = Authenticator.objects.filter(user=account, confirmed=False).first()
    if device is None:
        return None
    secret = decrypt(device.secret)
    # https://github.com/google/google-authenticator/wiki/Key-Uri-Format
    issuer = f"ivsvod ({settings.STAGE})"
    parameters = urlencode({"secret": secret, "issuer": issuer, "digits": DIGITS}, quote_via=quote)
    return secret, f"otpauth://totp/{quote(f'{issuer}:{account.get_username()}')}?{parameters}"


@audited()
def authenticator_begin(*, account: User) -> None:
    """Make a secret for an app of the account; it counts after its first code. A confirmed one stays."""
    Authenticator.objects.get_or_create(user=account, defaults={"confirmed": False})
    device = Authenticator.objects.select_for_update().get(user=account)
    if not device.confirmed:
        # 160 random bits, as RFC 4226 recommends.
        device.secret = b32encode(secrets.token_bytes(20)).decode()
        device.last_step = -1
        device.throttle_reset(commit=False)
        device.save()


@audited()
def authenticator_confirm(*, account: User, code: str) -> list[str] | None:
    """Turn two-step sign-in on if the code is right. Return the recovery codes; None if the code is wrong.

    Raises:
        CodeTooSoonError: a wrong code came a short time ago.
        NotBegunError: no secret waits for its first code.
    """
    device = Authenticator.objects.select_for_update().filter(user=account, confirmed=False).first()
    if device is None:
        raise NotBegunError
    if not _check(device, code):
        return None
    device.confirmed = True
    return _renew(device)


def code_check(*, account: User, code: str) -> bool:
    """Return whether it is a code of the app, or a recovery code, of the account. Each is accepted once.

    Raises:
        CodeTooSoonError: a wrong code came a short time ago.
        UnreadableSecretError: it is no recovery code, and the secret of the app cannot be decrypted.
    """
    with audited():
        device = Authenticator.objects.select_for_update().of(account)
        return device is not None and _check(device, code)


@audited()
def recovery_codes_renew(*, account: User) -> list[str] | None:
    """Return new recovery codes, which replace the old ones; None if two-step sign-in is off."""
    device = Authenticator.objects.select_for_update().of(account)
    return None if device is None else _renew(device)


@audited()
def authenticator_remove(*, account: User) -> bool:
    """Turn two-step sign-in off; return whether it was on."""
    return Authenticator.objects.filter(user=account, confirmed=True).delete()[0] > 0


def _renew(device: Authenticator) -> list[str]:
    # Each has 79 random bits, in groups that people can copy from paper.
    codes = [
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4)) for _ in range(RECOVERY_CODES)
    ]
    device.recovery_digests = [recovery_digest(code) for code in codes]
    device.save()
    return codes


def _check(device: Authenticator, code: str) -> bool:
    is_allowed, details = device.verify_is_allowed()
    if not is_allowed:
        raise CodeTooSoonError(details["locked_until"] - timezone.now())
    digest, digits = recovery_digest(code), plain_code(code)
    is_right = digest in device.recovery_digests
    if is_right:
        device.recovery_digests = [other for other in device.recovery_digests if other != digest]
    elif len(digits) == DIGITS and digits.isascii() and digits.isdigit():
        totp = TOTP(b32decode(decrypt(device.secret)), digits=DIGITS)
        totp.time = time()
        # Clocks differ: the codes before and after the present one are accepted too, but each only once.
        is_right = totp.verify(int(digits), tolerance=1, min_t=device.last_step + 1)
        if is_right:
            device.last_step = totp.t()
    if is_right:
        device.throttle_reset(commit=False)
        device.set_last_used_timestamp(commit=False)
    else:
        device.throttle_increment(commit=False)
    device.save()
    return is_right
