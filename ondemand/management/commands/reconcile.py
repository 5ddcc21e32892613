"""`manage.py reconcile`: what differs between the database, IVS and S3."""

import json
import logging
import sys
from datetime import UTC, date, datetime, time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from rest_framework.utils.encoders import JSONEncoder

from channels_app.management.lines import LinesCommand
from channels_app.metrics import STREAMS_UNHEARD, counted
from channels_app.models import Adoption, Channel
from channels_app.reconcile.differences import Kind, Scope
from channels_app.reconcile.lease import LeaseLostError, LeaseTakenError
from channels_app.reconcile.running import Listeners, run
from channels_app.times import parse_moment
from channels_app.uuids import parse_uuid
from ondemand.reconcile.phases import all_phases

logger = logging.getLogger(__name__)

DIFFERENCES = 3
NOT_ALONE = 4
# IVS told nothing of a stream that it knows, or not that it began: no event comes while a channel is live.
_UNHEARD = (Kind.STREAM_MISSING, Kind.STREAM_START_MISSING)


class Command(LinesCommand):
    """Compares, and repairs what IVS never sent."""

    help = (
        "Compare the database with Amazon IVS and S3; one JSON line for each difference. "
        "Exit 3 when differences are left, 4 when another run is at work."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to repair, and what to compare."""
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
        scope = Scope(_channel(options["channel"]), _moment(options["since"]))
        apply = options["apply"] or (options["scheduled"] and self._may_repair())
        try:
            listeners = Listeners(self._line, self._resumed)
            resume = apply or options["scheduled"]
            progress = run(all_phases(), scope=scope, apply=apply, resume=resume, tell=listeners)
        except LeaseTakenError:
            self._end("Another reconcile is at work.", NOT_ALONE)
        except LeaseLostError:
            self._end("Another reconcile took over from this one, which had stood still for too long.", NOT_ALONE)
        else:
            if apply:
                # Without repairs each run would count the same streams again.
                counted(STREAMS_UNHEARD, sum(progress.found[kind] for kind in _UNHEARD))
            if progress.has_differences:
                sys.exit(DIFFERENCES)

    def _may_repair(self) -> bool:
        """Return whether a schedule repairs; where it only reports, the log says how that is changed."""
        is_off = Adoption.objects.without_repairs().exists()
        if is_off:
            logger.warning("scheduled repairs are off: manage.py switch --enable-repairs turns them on")
        return not is_off

    def _line(self, line: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(line, cls=JSONEncoder))
        # Whoever stops it wants to know what it did.
        self.stdout.flush()

    def _resumed(self, started_at: datetime) -> None:
        self.stderr.write(f"Going on with the run that began at {started_at.isoformat(timespec='seconds')}.")

    def _end(self, message: str, status: int) -> None:
        self.stderr.write(message)
        sys.exit(status)


def _channel(text: str | None) -> Channel | None:
    if text is None:
        return None
    try:
        return Channel.objects.get(pk=parse_uuid(text))
    except ValueError:
        raise CommandError("--channel: Not a uuid.") from None
    except Channel.DoesNotExist:
        raise CommandError(f"--channel: there is no channel {text}") from None


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC) if len(text) <= 10 else parse_moment(text)
    except ValueError:
        raise CommandError("--since: not a day such as 2026-03-04, nor a time of RFC 3339") from None
