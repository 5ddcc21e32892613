"""`manage.py check_recordings`: read missing metadata, and check the playlists and segments of recordings."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from common.lines import LinesCommand, limit_add, limit_of, time_value, uuid_value
from ondemand.models import Video
from ondemand.models.querysets import VideoQuerySet
from ondemand.recordings.inspection import videos_recheck

# The number of unanswered calls in a row after which S3 counts as unavailable; each takes a minute to time out.
PATIENCE = 5


class Command(LinesCommand):
    help = "Check the files of recordings that are not verified yet, the oldest first; safe to stop and to run again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="also those that were checked before")
        parser.add_argument("--video", type=uuid_value, metavar="UUID", help="this one, checked before or not")
        parser.add_argument("--channel", type=uuid_value, metavar="UUID")
        parser.add_argument("--since", type=time_value, metavar="DATE", help="those that began then or later")
        limit_add(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one JSON line for each video; exit 1 if S3 did not answer at all."""
        answered, silent = 0, 0
        for recheck in videos_recheck(_videos(options), limit_of(options)):
            video = recheck.video
            self.stdout.write(json.dumps({"uuid": str(video.pk), "qa": video.qa, "reasons": video.qa_reasons or []}))
            answered += not recheck.unanswered
            silent = silent + 1 if recheck.unanswered else 0
            if silent == PATIENCE:
                break
        if silent == PATIENCE or (silent and not answered):
            self.stderr.write("S3 does not answer")
            sys.exit(1)


def _videos(options: dict[str, Any]) -> VideoQuerySet:
    videos = Video.objects.with_files()
    if uuid := options["video"]:
        if not Video.objects.filter(pk=uuid).exists():
            raise CommandError(f"no such video: {uuid}")
        if not videos.filter(pk=uuid).exists():
            raise CommandError(f"{uuid} is not available, or its files are in no bucket that may be read")
        return videos.filter(pk=uuid)
    if not options["all"]:
        videos = videos.filter(qa=Video.Qa.UNVERIFIED)
    if options["channel"]:
        videos = videos.filter(channel_id=options["channel"])
    return videos.filter(started_at__gte=options["since"]) if options["since"] else videos
