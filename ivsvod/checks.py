"""System checks of the settings. A missing name of AWS is a warning, so that `migrate` runs."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004  (that of the checks)
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, DatabaseError, transaction

from channels_app.models import Channel

_AWS_NAMES = {
    "RECORDING_BUCKET": "recordings are not read and the live-state file is not written",
    "RECORDING_CONFIG_ARN": "channels are made without recording",
    "AWS_REGION": "channels cannot be made",
}


@register()
def settings_are_complete(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warn of missing settings that a part of the service needs; refuse a catalogue page that would show nothing."""
    found: list[CheckMessage] = [
        Warning(f"{name} is not set: {consequence}.", hint=f"Set {name}.", id=f"ivsvod.W00{number}")
        for number, (name, consequence) in enumerate(_AWS_NAMES.items(), 1)
        if not getattr(settings, name)
    ]
    if settings.RECORDING_BUCKET and not settings.PLAYBACK_BASE_URL:
        found.append(
            Warning(
                "PLAYBACK_BASE_URL is not set: a location is a URL of the bucket, which is private, and does not play.",
                hint="Set PLAYBACK_BASE_URL to the address at which CloudFront serves the bucket.",
                id="ivsvod.W005",
            )
        )
    # The page calls the API anonymously.
    if settings.CATALOGUE_PAGE and not settings.API_PUBLIC_READ:
        found.append(
            Error(
                "CATALOGUE_PAGE is on and API_PUBLIC_READ is off: the catalogue page can show nothing.",
                hint="Set API_PUBLIC_READ=true to publish the catalogue, or CATALOGUE_PAGE=false.",
                id="catalogue.E001",
            )
        )
    return found


@register(Tags.database)
def private_channels_are_served(
    app_configs: Sequence[Any] | None, *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Warn of private channels whose recordings play for everyone who has the URL, or whose streams play for nobody."""
    found: list[CheckMessage] = []
    if settings.PLAYBACK_BASE_URL and not settings.CLOUDFRONT_KEY_ID:
        found.append(
            Warning(
                "There are private channels, and PLAYBACK_BASE_URL serves their recordings to anyone who has the URL.",
                hint="Set CLOUDFRONT_KEY_ID, which signs the URLs, or limit who reaches the distribution.",
                id="ivsvod.W006",
            )
        )
    if not settings.IVS_PLAYBACK_PRIVATE_KEY:
        found.append(
            Warning(
                "There are private channels, and no key to grant their live streams with.",
                hint="Set IVS_PLAYBACK_KEY_ARN and IVS_PLAYBACK_PRIVATE_KEY (manage.py import_playback_key).",
                id="ivsvod.W007",
            )
        )
    if DEFAULT_DB_ALIAS not in (databases or ()) or not found:
        return []
    try:
        # `migrate` runs this check before it makes the tables.
        with transaction.atomic():
            return found if Channel.objects.private().exists() else []
    except DatabaseError:
        return []


@register(deploy=True)
def dead_letter_queue_is_named(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warn if `redrive`, which alone needs the address of the queue, cannot work."""
    if settings.DEAD_LETTER_QUEUE_URL:
        return []
    return [
        Warning(
            "DEAD_LETTER_QUEUE_URL is not set: redrive cannot bring messages back.",
            hint="Set DEAD_LETTER_QUEUE_URL.",
            id="ivsvod.W004",
        )
    ]


@register(Tags.security)
def field_encryption_keys_are_fernet_keys(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse an unusable key, which would fail only with the first channel."""
    from cryptography.fernet import Fernet

    found: list[CheckMessage] = []
    for number, key in enumerate(settings.FIELD_ENCRYPTION_KEYS, 1):
        try:
            Fernet(key)
        except ValueError:
            made = "Make one: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
            message = f"Key {number} of FIELD_ENCRYPTION_KEYS is not a Fernet key."
            found.append(Error(message, hint=made, id="ivsvod.E001"))
    return found


@register(Tags.security)
def signing_key_is_usable(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse an unusable key of CloudFront, which would fail only with the first video that is played."""
    from ondemand.playback.signing import configured_signer

    try:
        configured_signer()
    except ImproperlyConfigured as error:
        made = "Make one: openssl ecparam -name prime256v1 -genkey -noout"
        return [Error(f"{error}.", hint=made, id="ivsvod.E002")]
    return []


@register(Tags.security)
def playback_key_is_usable(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse an unusable key of private channels, which would fail only with the first viewer."""
    from channels_app.channels.playback_keys import private_key_of

    if not settings.IVS_PLAYBACK_PRIVATE_KEY:
        return []
    try:
        private_key_of(settings.IVS_PLAYBACK_PRIVATE_KEY)
    except ValueError as error:
        made = "Make one: manage.py import_playback_key --new-key FILE"
        return [Error(f"IVS_PLAYBACK_PRIVATE_KEY is {error}.", hint=made, id="ivsvod.E003")]
    return []
