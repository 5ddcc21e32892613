"""`manage.py import_playback_key`: import the public half of a key for playback tokens into IVS."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from channels_app.channels.playback_keys import new_private_key_pem, playback_key_import
from common.aws import AwsError
from common.aws.secrets import secret_value, secrets_forget
from common.lines import LinesCommand


class Command(LinesCommand):
    """Import a key pair into IVS; a private key is never printed."""

    help = "Import the public half of a key for playback tokens into Amazon IVS, which takes three at most."

    def add_arguments(self, parser: ArgumentParser) -> None:
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--new-key", metavar="FILE", help="make a key, and write it to this new file (mode 0600)")
        reference = "file:/path, or the ARN of a secret, followed by #KEY if it is a JSON object"
        source.add_argument("--key-from", metavar="REFERENCE", help=f"a private or public key in PEM form: {reference}")
        parser.add_argument("--name", default="ivsvod", help="the name of the key pair in IVS (default: ivsvod)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one JSON object: the ARN, which IVS_PLAYBACK_KEY_ARN takes, name and fingerprint."""
        file = options["new_key"] and Path(options["new_key"])
        pem = _new_key(file) if file else _key_from(options["key_from"])
        try:
            key = playback_key_import(name=options["name"], pem=pem)
        except AwsError as error:
            if file and not error.kind.unknown_outcome:
                file.unlink()
            raise CommandError(str(error)) from None
        except ValueError as error:
            raise CommandError(f"--key-from: {error}") from None
        self.stdout.write(json.dumps({"arn": key.arn, "name": key.name, "fingerprint": key.fingerprint}))


def _new_key(file: Path) -> str:
    if settings.ON_LAMBDA:
        # Its files are lost with the process.
        raise CommandError("--new-key: not on Lambda; put a key into a secret and use --key-from")
    pem = new_private_key_pem()
    try:
        # Before it is imported: a public key without its private half takes one of three places.
        file.touch(mode=0o600, exist_ok=False)
        file.write_text(pem)
    except OSError as error:
        raise CommandError(f"--new-key: {file}: {error.strerror}") from None
    return pem


def _key_from(reference: str) -> str:
    if settings.ON_LAMBDA and reference.startswith("file:"):
        # Files of the package are no secret.
        raise CommandError("--key-from: on Lambda the ARN of a secret")
    # A process on Lambda may hold an older value of the secret.
    secrets_forget()
    try:
        return secret_value(reference)
    except (AwsError, ValueError) as error:
        raise CommandError(f"--key-from: {error}") from None
