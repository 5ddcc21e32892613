"""`manage.py reconcile`: compare the database with IVS and S3, and repair it with events that IVS did not send."""

import json
import logging
import sys
from argparse import ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from rest_framework.utils.encoders import JSONEncoder

from channels_app.models import Adoption, Channel
from channels_app.reconcile.differences import DifferenceKind, Scope
from channels_app.reconcile.lease import LeaseLostError, LeaseTakenError
from channels_app.reconcile.runner import run
from common.lines import LinesCommand, time_value
from common.metrics import STREAMS_UNHEARD, counted
from common.rest.uuids import parse_uuid
from ondemand.reconcile.phases import all_phases

logger = logging.getLogger(__name__)

DIFFERENCES = 3
NOT_ALONE = 4
# IVS sent no start of these streams: their channels would have been shown as offline.
_WITHOUT_START = (DifferenceKind.STREAM_MISSING, DifferenceKind.STREAM_START_MISSING)


class Command(LinesCommand):
    help = (
        "Compare the database with Amazon IVS and S3; one JSON line for each difference. "
        "Exit 3 when differences are left, 4 when another run is at work."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        repairs = parser.add_mutually_exclusive_group()
        repairs.add_argument("--apply", action="store_true", help="repair; without it nothing is changed anywhere")
        repairs.add_argument(
            "--scheduled",
            action="store_true",
            help="for schedules: repair; on adopted tables only report until `switch --enable-repairs` was run",
        )
        parser.add_argument("--channel", metavar="UUID", help="this channel alone")
        parser.add_argument("--since", metavar="DATE", help="streams and recordings since a day (UTC) or a time")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the differences as they are found."""
        scope = _scope(options["channel"], options["since"])
        apply = options["apply"]
        if options["scheduled"]:
            apply = not Adoption.objects.filter(repairs_enabled_at=None).exists()
            if not apply:
                logger.warning("scheduled repairs are off: manage.py switch --enable-repairs turns them on")
        resume = apply or options["scheduled"]

        def resumed(started_at: datetime) -> None:
            self.stderr.write(f"Going on with the run that began at {started_at.isoformat(timespec='seconds')}.")

        try:
            progress = run(
                all_phases(), scope=scope, apply=apply, resume=resume, on_line=self._line, on_resumed=resumed
            )
        except LeaseTakenError:
            self.stderr.write("Another reconcile is running.")
            sys.exit(NOT_ALONE)
        except LeaseLostError:
            self.stderr.write("Another reconcile took over from this one, which had paused for too long.")
            sys.exit(NOT_ALONE)
        if apply:
            # Without repairs each run would count the same streams again.
            counted(STREAMS_UNHEARD, sum(progress.found[kind] for kind in _WITHOUT_START))
        if progress.left.total():
            sys.exit(DIFFERENCES)

    def _line(self, line: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(line, cls=JSONEncoder))
        # If the run is stopped, its reader has every line.
        self.stdout.flush()


def _scope(channel_text: str | None, since_text: str | None) -> Scope:
    try:
        channel = None if channel_text is None else Channel.objects.get(pk=parse_uuid(channel_text))
        since = None if since_text is None else time_value(since_text)
    except ValueError:
        raise CommandError("--channel: Not a uuid.") from None
    except Channel.DoesNotExist:
        raise CommandError(f"--channel: there is no channel {channel_text}") from None
    except ArgumentTypeError:
        raise CommandError("--since: not a day such as 2026-03-04, nor a time of RFC 3339") from None
    return Scope(channel, since)
