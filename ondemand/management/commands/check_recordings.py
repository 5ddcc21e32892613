"""`manage.py check_recordings`: whether the recordings of the catalogue play."""

import json
import sys
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from channels_app.management.lines import LinesCommand
from channels_app.management.options import limit_add, limit_of, moment_value, uuid_value
from ondemand.catalogue import VideoQuerySet
from ondemand.models import Video
from ondemand.rechecks import Recheck, videos_recheck

# An S3 that gives no answer so often in a row gives none to the next ones either, after a minute for each.
PATIENCE = 5


class Command(LinesCommand):
    """Reads metadata that is missing, and looks at playlists and segments."""

    help = "Check the files of recordings that are not verified yet, the oldest first; safe to stop and to run again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which recordings, and how many of them."""
        parser.add_argument("--all", action="store_true", help="also those that were checked before")
        parser.add_argument("--video", type=uuid_value, metavar="UUID", help="this one, checked before or not")
        parser.add_argument("--channel", type=uuid_value, metavar="UUID")
        parser.add_argument("--since", type=moment_value, metavar="DATE", help="those that began then or later")
        limit_add(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """One JSON line for each video; exit 1 when S3 could not be asked at all."""
        answered, silent = 0, 0
        for recheck in videos_recheck(_videos(options), limit_of(options)):
            self.stdout.write(json.dumps(_line(recheck)))
            answered += not recheck.unanswered
            silent = silent + 1 if recheck.unanswered else 0
            if silent == PATIENCE:
                break
        if silent == PATIENCE or (silent and not answered):
            self.stderr.write("S3 cannot be asked")
            sys.exit(1)


def _videos(options: dict[str, Any]) -> VideoQuerySet:
    videos = Video.objects.with_files()
    if options["video"]:
        return _the_one(videos, options["video"])
    if not options["all"]:
        videos = videos.filter(qa=Video.Qa.UNVERIFIED)
    if options["channel"]:
        videos = videos.filter(channel_id=options["channel"])
    return videos.filter(started_at__gte=options["since"]) if options["since"] else videos


def _the_one(videos: VideoQuerySet, uuid: UUID) -> VideoQuerySet:
    if not Video.objects.filter(pk=uuid).exists():
        raise CommandError(f"no such video: {uuid}")
    if not videos.filter(pk=uuid).exists():
        raise CommandError(f"{uuid} is not available, or its files are in no bucket that may be read")
    return videos.filter(pk=uuid)


def _line(recheck: Recheck) -> dict[str, Any]:
    video = recheck.video
    return {"uuid": str(video.pk), "qa": video.qa, "reasons": video.qa_reasons or []}
