"""Stream keys and SRT passphrases at rest: Fernet with rotation, in the column that holds plain text elsewhere."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from channels_app.errors import ServiceError

if TYPE_CHECKING:
    # Loaded where there is something to open or to close: few requests and no events.
    from cryptography.fernet import MultiFernet

PREFIX = "enc:1:"


class UnreadableSecretError(ServiceError):
    """No key of FIELD_ENCRYPTION_KEYS opens a stored secret."""

    status_code = 502
    code = "secret_unreadable"
    sentence = "no key of FIELD_ENCRYPTION_KEYS opens a stored secret"
    staff_sentence = _(
        "The stream key cannot be read: the key that encrypted it is no longer in FIELD_ENCRYPTION_KEYS. Replace the "
        "stream key, or ask whoever runs this service to add that key again."
    )


def _fernet() -> "MultiFernet":
    from cryptography.fernet import Fernet, MultiFernet

    return MultiFernet([Fernet(key) for key in settings.FIELD_ENCRYPTION_KEYS])


def encrypt(text: str) -> str:
    """The text as it is stored; an empty one stays empty."""
    return PREFIX + _fernet().encrypt(text.encode()).decode() if text else text


def decrypt(stored: str) -> str:
    """The text that was stored, encrypted or plain.

    Raises:
        UnreadableSecretError: it was encrypted with a key that is no longer set.
    """
    if not stored.startswith(PREFIX):
        return stored
    from cryptography.fernet import InvalidToken

    try:
        return _fernet().decrypt(stored.removeprefix(PREFIX)).decode()
    except InvalidToken:
        raise UnreadableSecretError from None


def encrypt_anew(stored: str) -> str:
    """What is stored, under the first key; as it is where it is so already, or empty.

    Raises:
        UnreadableSecretError: it was encrypted with a key that is no longer set.
    """
    from cryptography.fernet import Fernet, InvalidToken

    if stored.startswith(PREFIX):
        try:
            Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(stored.removeprefix(PREFIX))
        except InvalidToken:
            return encrypt(decrypt(stored))
        return stored
    return encrypt(stored)


class EncryptedTextField(models.TextField):
    """A text that is encrypted when written. Reading gives what is stored: `decrypt` it where it is needed.

    So that a lost key breaks the one page that reveals a secret, not every page that lists its row.
    """

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt what is not encrypted yet."""
        text = super().get_prep_value(value)
        return text if text is None or text.startswith(PREFIX) else encrypt(text)
