"""`manage.py switch --check`: whether the database of the predecessor can be taken over, and how far that has come."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from channels_app.management.lines import LinesCommand
from ondemand.switch.decisions import Ours
from ondemand.switch.findings import Result
from ondemand.switch.looks import database_look

BLOCKED = 3


class Command(LinesCommand):
    """Looks, and changes nothing: the switch itself is `migrate`."""

    help = "Look at the database of the predecessor, read-only; a JSON line for each finding; exit 3 where one blocks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """To be said, so that nobody believes that it switches anything."""
        parser.add_argument("--check", action="store_true", required=True, help="there is nothing else it does")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the findings as they are found."""
        is_blocked = False
        for finding in database_look(_ours()):
            self.stdout.write(json.dumps(finding.line))
            is_blocked |= finding.result == Result.BLOCKER
        if is_blocked:
            sys.exit(BLOCKED)


def _ours() -> Ours:
    # arn:aws:ivs:REGION:ACCOUNT:recording-configuration/ID
    parts = settings.RECORDING_CONFIG_ARN.split(":")
    return Ours(region=settings.AWS_REGION, account=parts[4] if len(parts) > 5 else "")
