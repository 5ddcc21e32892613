"""`manage.py demo`: the whole service on this machine, from nothing to a catalogue that plays."""

import json
import logging
import os
import secrets
import signal
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connections
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from channels_app.admin import list_address
from channels_app.channels.provisioning import channel_create
from channels_app.channels.updates import channel_update
from channels_app.models import Channel, NewVideoState
from channels_app.reconcile.differences import Scope
from channels_app.reconcile.lease import LeaseTakenError
from channels_app.reconcile.runner import run
from common.audit import audited
from common.aws import clients
from ivsvod.accounts.models import ApiToken, User
from ivsvod.accounts.services import api_token_create
from ondemand.models import Video
from ondemand.reconcile.phases import all_phases
from ondemand.videos.files import is_signed
from ondemand.videos.services import video_update
from tools.local import launch
from tools.local.aws import LocalAws, install_in_process
from tools.local.broadcast.clips import clips_make
from tools.local.broadcast.live import LiveEncoder
from tools.local.broadcast.recording import Recording
from tools.local.broadcast.studio import DeliveryFailedError
from tools.local.samples import BOARD, LISTED, MAIN, SAMPLES, WORKSHOP, samples_play
from tools.local.serving import MOUNT, served, with_local_aws
from tools.local.terminal import ProgressLine, logged_to

logger = logging.getLogger(__name__)

ADMIN = "admin"
CURATOR = "curator"
# What a search finds by title, by description and by tag.
SEARCH = "encore"
_ENDING = (signal.SIGINT, signal.SIGTERM)


class Command(BaseCommand):
    """Start everything, play the sample recordings that are missing, and serve until Ctrl-C."""

    help = (
        "Run the whole service on this machine, with a local AWS, until Ctrl-C. PORT and IVSVOD_HOME change its place, "
        "and with PROTECTED=1 recordings are served by signed URLs alone."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Start the parts one after the other, each with a line."""
        self.began = monotonic()
        self.home = launch.refuse_real_services()
        self.url = f"http://127.0.0.1:{launch.port()}"
        log = self.home / "demo.log"
        if log.exists():
            log.replace(log.with_suffix(".log.old"))
        for number in _ENDING:
            signal.signal(number, _leave)
        with ExitStack() as ending:
            ending.callback(connections.close_all)
            ending.enter_context(logged_to(log))
            # One at a time, because making the tables needs the other core.
            pool = ThreadPoolExecutor(1)
            ending.callback(pool.shutdown, cancel_futures=True)
            clips = clips_make(self.home, pool)
            self.step("PostgreSQL runs; making the tables")
            call_command("migrate", verbosity=0, interactive=False)
            self.step("Collecting static files")
            call_command("collectstatic", verbosity=0, interactive=False)
            # WhiteNoise lists the static files when the application is made. `ivsvod.wsgi` would set up logging again.
            application = WSGIHandler()
            admin.site.index_template = "tools/index.html"
            aws = LocalAws(self.home, launch.trusted_keys(os.environ))
            install_in_process(aws, f"{self.url}{MOUNT}")
            aws.s3.create_bucket(settings.RECORDING_BUCKET)
            aws.ivs.store.serve_playback(f"{self.url}{MOUNT}/live")
            ending.enter_context(served(with_local_aws(application, aws), launch.port()))
            self.step(f"Serving on {self.url}" + (", recordings by signed URLs alone" if aws.trusted_keys else ""))
            demo = self.prepare(clips)
            self.reconcile()
            self.step(f"Going live on {WORKSHOP}")
            encoder = LiveEncoder(aws.ivs.store, Channel.objects.get(pk=demo["live_channel_uuid"]))
            encoder.connect()
            ending.callback(encoder.disconnect)
            self.print_summary(demo, log)
            while True:
                sleep(1)
                try:
                    encoder.connect()
                except DeliveryFailedError:
                    logger.exception("the events of the live stream were not processed")

    def prepare(self, clips: Mapping[str, Future[Recording]]) -> dict[str, Any]:
        """Make accounts, channels and recordings unless they exist; return the content of demo.json."""
        path = self.home / "demo.json"
        previous = json.loads(path.read_text()) if path.is_file() else {}
        password = previous.get("admin_password") or secrets.token_urlsafe(12)
        _staff(ADMIN, password, superuser=True)
        _staff(CURATOR, password, superuser=False)
        token = previous.get("api_token") or ""
        tokens = ApiToken.objects.valid(timezone.now()).filter(token_key=token[:15], name="demo")
        if not token or not tokens.exists():
            _, token = api_token_create(name="demo", account="demo", scopes=list(settings.API_SCOPES))
        owner = User.objects.get(username=ADMIN).uuid
        channels = {
            MAIN: self.channel(MAIN, owner),
            # People look at its recordings before anyone else does.
            WORKSHOP: self.channel(WORKSHOP, owner, new_video_state=NewVideoState.HIDDEN),
            BOARD: self.channel(BOARD, owner, private=True),
        }
        made = previous.get("videos", {})
        found = {str(pk) for pk in Video.objects.filter(pk__in=made.values()).values_list("pk", flat=True)}
        document: dict[str, Any] = {
            "url": self.url,
            "admin_user": ADMIN,
            "admin_password": password,
            "api_token": token,
            "owner_uuid": str(owner),
            "channel_uuid": str(channels[MAIN].uuid),
            "live_channel_uuid": str(channels[WORKSHOP].uuid),
            "private_channel_uuid": str(channels[BOARD].uuid),
            "videos": {name: uuid for name, uuid in made.items() if uuid in found},
        }
        # Written before the recordings too, so that an interrupted run keeps its password, its token and those it made.
        launch.write_private(path, document)
        self.play(document, channels, clips, path)
        videos = document["videos"]
        document |= {"video_uuid": videos["opening"], "private_video_uuid": videos["board-q3"]}
        if is_signed() and not Video.objects.filter(pk=videos["board-q3"], active=True).exists():
            # It plays with a grant, which the last line of curl makes.
            video_update(video_uuid=UUID(videos["board-q3"]), by=owner, values=LISTED)
        document |= {"links": self.links(videos), "curl": self.curl(document)}
        launch.write_private(path, document)
        return document

    def play(
        self,
        document: dict[str, Any],
        channels: Mapping[str, Channel],
        clips: Mapping[str, Future[Recording]],
        path: Path,
    ) -> None:
        """Play the recordings that are missing, note each in demo.json, and leave the channel for the live stream."""
        if missing := len(SAMPLES) - len(document["videos"]):
            line = ProgressLine(self.stdout, self.timed(f"Playing {missing} recordings of the last 30 days"))

            def played(name: str, video: UUID) -> None:
                document["videos"][name] = str(video)
                launch.write_private(path, document)
                line.advance(len(document["videos"]) - len(SAMPLES) + missing, missing)

            samples_play(
                document["videos"],
                home=self.home,
                channels=channels,
                clip_of=lambda name: clips[name].result(),
                by=User.objects.get(username=CURATOR).uuid,
                now=timezone.now(),
                played=played,
            )
            line.end(f"done at {monotonic() - self.began:.1f} s")
        if channels[WORKSHOP].record:
            # The stream that lasts as long as the demo is not recorded.
            channel_update(channel=channels[WORKSHOP], values={"record": False})

    def links(self, videos: Mapping[str, str]) -> dict[str, str]:
        """Return the pages to begin with, by their names."""
        paths = {
            "Catalogue": reverse("catalogue:start"),
            "To review": list_address(Video, review="yes"),
            "Two streams in one": reverse("catalogue:watch", args=[videos["reconnected"]]),
            "API reference": "/docs",
            "A search": f"{reverse('catalogue:start')}?{urlencode({'search': SEARCH})}",
        }
        return {name: f"{self.url}{path}" for name, path in paths.items()}

    def curl(self, document: Mapping[str, Any]) -> list[str]:
        """Return the requests to try, with a grant for a private recording where there are grants."""
        sent = f"curl -H 'Authorization: Bearer {document['api_token']}' -H 'Content-Type: application/json' -d"
        channel, viewer = (
            json.dumps({"name": "Studio", "userId": document["owner_uuid"]}),
            json.dumps({"viewer": "you"}),
        )
        grants = f"{self.url}/on-demand/{document['private_video_uuid']}/playback-grants"
        return [
            f"curl {self.url}/on-demand",
            f"curl {self.url}/channels/{document['channel_uuid']}/live",
            f"{sent} '{channel}' {self.url}/channels",
            *([f"{sent} '{viewer}' {grants}"] if is_signed() else []),
        ]

    def reconcile(self) -> None:
        """Run `reconcile` as the schedule of a deployment does; the start page of the admin shows its time."""
        self.step("Comparing the database with the local AWS")
        # The local IVS has no quota of calls.
        clients.CALLS_PER_SECOND = 1_000
        try:
            run(all_phases(), scope=Scope(), apply=True, resume=True)
        except LeaseTakenError:
            self.step("Another reconcile is running, or was killed less than two minutes ago")

    def channel(self, name: str, owner: UUID, *, new_video_state: str | None = None, **options: Any) -> Channel:
        """Return the channel of this name, made unless there is one."""
        found = Channel.objects.filter(name=name, owner=owner).order_by("created_at").first()
        if found is not None:
            return found
        self.step(f"Creating the channel {name}")
        made = channel_create(name=name, owner=owner, **options)
        return channel_update(channel=made, values={"new_video_state": new_video_state}) if new_video_state else made

    def timed(self, text: str) -> str:
        """Return a line of progress."""
        return f"[{monotonic() - self.began:5.1f} s] {text}"

    def step(self, text: str) -> None:
        """Print a line of progress."""
        self.stdout.write(self.timed(text))
        self.stdout.flush()

    def print_summary(self, demo: dict[str, Any], log: Path) -> None:
        """Print URL, sign-in, token, log, the pages to begin with, and the requests to try."""
        links = "\n".join(f"{name:20} {url}" for name, url in demo["links"].items())
        curl = "\n".join(demo["curl"])
        self.stdout.write(f"""
ivsvod runs at       {demo["url"]}/admin/
Sign in as           {ADMIN} or {CURATOR}, password {demo["admin_password"]}
API token            {demo["api_token"]}
The log              {log}

{links}

{curl}

Ctrl-C ends everything; the data stays for the next time.""")
        self.stdout.flush()


def _leave(*_: Any) -> None:
    """End everything by an exception; a second Ctrl-C does not interrupt that."""
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
    raise SystemExit(0)


@audited()
def _staff(name: str, password: str, *, superuser: bool) -> None:
    user, is_new = User.objects.get_or_create(username=name, defaults={"is_staff": True, "is_superuser": superuser})
    if is_new or not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    if not superuser:
        user.groups.set([Group.objects.get(name="Curators")])
