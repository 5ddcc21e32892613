"""System checks: what is missing, by id and hint. A missing name of AWS is a warning, so that `migrate` runs."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register

_AWS_NAMES = {
    "RECORDING_BUCKET": "recordings are not read and the live-state file is not written",
    "RECORDING_CONFIG_ARN": "channels are made without recording",
    "AWS_REGION": "channels cannot be made",
}


@register()
def aws_names_are_set(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warns of each missing variable that names something in AWS."""
    return [
        checks.Warning(f"{name} is not set: {consequence}.", hint=f"Set {name}.", id=f"ivsvod.W00{number}")
        for number, (name, consequence) in enumerate(_AWS_NAMES.items(), 1)
        if not getattr(settings, name)
    ]


@register(deploy=True)
def dead_letter_queue_is_named(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Nothing else needs it: the Lambda is handed its messages."""
    if settings.DEAD_LETTER_QUEUE_URL:
        return []
    return [
        checks.Warning(
            "DEAD_LETTER_QUEUE_URL is not set: redrive cannot bring messages back.",
            hint="Set DEAD_LETTER_QUEUE_URL.",
            id="ivsvod.W004",
        )
    ]


@register(Tags.security)
def field_encryption_keys_are_fernet_keys(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """An unusable key would fail only when the first channel is made."""
    return [
        Error(
            f"Key {number} of FIELD_ENCRYPTION_KEYS is not a Fernet key.",
            hint="Make one: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'",
            id="ivsvod.E001",
        )
        for number, key in enumerate(settings.FIELD_ENCRYPTION_KEYS, 1)
        if not _is_fernet_key(key)
    ]


def _is_fernet_key(key: str) -> bool:
    from cryptography.fernet import Fernet

    try:
        Fernet(key)
    except ValueError:
        return False
    return True
