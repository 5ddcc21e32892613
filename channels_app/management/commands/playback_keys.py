"""`manage.py playback_keys`: list the key pairs of playback tokens in IVS, or delete one."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from channels_app.channels.playback_keys import playback_key_delete
from common import aws
from common.errors import ServiceError
from common.lines import LinesCommand


class Command(LinesCommand):
    """List the key pairs, or delete one at the end of a rotation."""

    help = "List the key pairs of Amazon IVS that verify playback tokens, or delete one that is not in use."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--delete", metavar="ARN", help="delete this one, and its tokens with it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one JSON line for each key pair, or the one that was deleted."""
        try:
            if options["delete"] is not None:
                playback_key_delete(arn=options["delete"])
                self.stdout.write(json.dumps({"arn": options["delete"], "deleted": True}))
                return
            for key in aws.playback_keys():
                in_use = key.arn == settings.IVS_PLAYBACK_KEY_ARN
                self.stdout.write(json.dumps({"arn": key.arn, "name": key.name, "in_use": in_use}))
        except ServiceError as error:
            raise CommandError(str(error)) from None
