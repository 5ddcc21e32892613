"""`manage.py encrypt_secrets`: encrypt secrets that are plain text, or under an old key."""

import json
import sys
from itertools import chain
from typing import Any

from channels_app.channels.reencryption import channels_encrypt, rows_encrypt
from common.encryption import encrypt_anew
from common.lines import LinesCommand
from ivsvod.accounts.models import Authenticator


class Command(LinesCommand):
    """Encrypt all secrets with the first key, after a move from the predecessor or in a rotation."""

    help = (
        "Encrypt every stream key, passphrase and secret of two-step sign-in with the first of FIELD_ENCRYPTION_KEYS, "
        "in committed batches; safe to stop and rerun. Afterwards the predecessor can read no stream key. "
        "In a rotation (OLD,NEW, then NEW,OLD, then NEW) run it when every process has NEW,OLD."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one JSON object; exit 1 if a secret cannot be read."""
        changed, unreadable = 0, []
        second_factors = rows_encrypt(Authenticator.objects.all(), lambda row: {"secret": encrypt_anew(row.secret)})
        for batch in chain(channels_encrypt(), second_factors):
            changed += batch.changed
            unreadable += batch.unreadable
        self.stdout.write(json.dumps({"changed": changed, "unreadable": unreadable}))
        if unreadable:
            sys.exit(1)
