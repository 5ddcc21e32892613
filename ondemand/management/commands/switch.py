"""`manage.py switch`: check the database of the predecessor before its adoption by `migrate`, or enable repairs."""

import json
import sys
from argparse import ArgumentParser
from itertools import chain
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import ProgrammingError
from django.utils import timezone

from channels_app.models import Adoption
from common.lines import LinesCommand
from ondemand.adoption.checks import Configured, Severity
from ondemand.adoption.queries import database_check, recordings_check

BLOCKED = 3


class Command(LinesCommand):
    help = "Check the database of the predecessor, read-only; a JSON line for each finding; exit 3 if one blocks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        chosen = parser.add_mutually_exclusive_group(required=True)
        chosen.add_argument("--check", action="store_true", help="check, and change nothing")
        chosen.add_argument(
            "--enable-repairs",
            action="store_true",
            help="from now on let scheduled runs of reconcile repair, which on adopted tables only report",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the findings as they are found; or one line with the time since which schedules repair."""
        if options["enable_repairs"]:
            try:
                Adoption.objects.filter(repairs_enabled_at=None).update(repairs_enabled_at=timezone.now())
            except ProgrammingError:
                raise CommandError("The tables are not adopted yet: run migrate first.") from None
            adoption = Adoption.objects.first()
            since = adoption and adoption.repairs_enabled_at
            details = f" at {since.isoformat(timespec='seconds')}" if since else ": no tables were adopted here"
            self.stdout.write(json.dumps({"check": "repairs", "result": "ok", "details": f"enabled{details}"}))
            return
        # arn:aws:ivs:REGION:ACCOUNT:recording-configuration/ID
        parts = settings.RECORDING_CONFIG_ARN.split(":")
        configured = Configured(region=settings.AWS_REGION, account=parts[4] if len(parts) > 5 else "")
        is_blocked = False
        for finding in chain(database_check(configured), recordings_check()):
            self.stdout.write(json.dumps(finding.line))
            is_blocked |= finding.result == Severity.BLOCKER
        if is_blocked:
            sys.exit(BLOCKED)
