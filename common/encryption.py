"""Encryption of stream keys and SRT passphrases: Fernet with rotation, in columns that may also hold plain text."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.errors import ServiceError

if TYPE_CHECKING:
    # Loaded on first use: few requests and no events need it.
    from cryptography.fernet import MultiFernet

PREFIX = "enc:1:"


class UnreadableSecretError(ServiceError):
    """No key of FIELD_ENCRYPTION_KEYS decrypts a stored secret."""

    status_code = 502
    code = "secret_unreadable"
    sentence = "no key of FIELD_ENCRYPTION_KEYS opens a stored secret"
    staff_sentence = _(
        "The stream key cannot be read: its key is no longer in FIELD_ENCRYPTION_KEYS. Replace the stream key."
    )


def _fernet() -> "MultiFernet":
    from cryptography.fernet import Fernet, MultiFernet

    return MultiFernet([Fernet(key) for key in settings.FIELD_ENCRYPTION_KEYS])


def encrypt(text: str) -> str:
    """Return the encrypted text; an empty one stays empty."""
    return PREFIX + _fernet().encrypt(text.encode()).decode() if text else text


def decrypt(stored: str) -> str:
    """Return the plain text of a stored text; raise UnreadableSecretError if its key is no longer set."""
    if not stored.startswith(PREFIX):
        return stored
    from cryptography.fernet import InvalidToken

    try:
        return _fernet().decrypt(stored.removeprefix(PREFIX)).decode()
    except InvalidToken:
        raise UnreadableSecretError from None


def encrypt_anew(stored: str) -> str:
    """Return the stored text encrypted with the first key; raise UnreadableSecretError if its key is no longer set."""
    from cryptography.fernet import Fernet, InvalidToken

    if not stored.startswith(PREFIX):
        return encrypt(stored)
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(stored.removeprefix(PREFIX))
    except InvalidToken:
        return encrypt(decrypt(stored))
    return stored


class EncryptedTextField(models.TextField):
    """A text that is encrypted when written. Reading returns the stored text: `decrypt` it when it is needed."""

    # So a lost key breaks only the page that reveals the secret, not every page that lists its row.
    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        return text if text is None or text.startswith(PREFIX) else encrypt(text)
