"""`manage.py demo`: the whole service on this machine, from nothing to a recording that plays."""

import json
import logging
import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connections
from django.utils import timezone

from channels_app.audit import audited
from channels_app.channels.provisioning import channel_create
from channels_app.channels.updates import channel_update
from channels_app.models import Channel
from channels_app.reconcile.differences import Scope
from channels_app.reconcile.lease import LeaseTakenError
from channels_app.reconcile.runner import run
from ivsvod.accounts.models import ApiToken, User
from ivsvod.accounts.services import api_token_create
from ivsvod.local import launch
from ivsvod.local.aws import LocalAws, install_in_process
from ivsvod.local.broadcast.studio import broadcasts
from ivsvod.local.serving import MOUNT, served, with_local_aws
from ondemand.models import Video
from ondemand.reconcile.phases import all_phases
from ondemand.videos.files import is_signed
from ondemand.videos.services import content_replace

ADMIN = "admin"
CURATOR = "curator"
SECONDS = 12


class Command(BaseCommand):
    """Start everything, play one broadcast unless there is one, and serve until Ctrl-C."""

    help = (
        "Run the whole service on this machine, with a local AWS, until Ctrl-C. PORT and IVSVOD_HOME change its place, "
        "and with PROTECTED=1 recordings are served by signed URLs alone."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Start the parts one after the other, each with a line."""
        self.began = monotonic()
        home = launch.refuse_real_services()
        url = f"http://127.0.0.1:{launch.port()}"
        log = home / "demo.log"
        # Ctrl-C and SIGTERM end everything by an exception.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _leave)
        with ExitStack() as ending:
            ending.callback(connections.close_all)
            ending.enter_context(_logged_to(log))
            self.step("PostgreSQL runs; making the tables")
            call_command("migrate", verbosity=0, interactive=False)
            self.step("Collecting static files")
            call_command("collectstatic", verbosity=0, interactive=False)
            # WhiteNoise lists the static files when the application is made. `ivsvod.wsgi` would set up logging again.
            application = WSGIHandler()
            aws = LocalAws(home, launch.trusted_keys(os.environ))
            install_in_process(aws, f"{url}{MOUNT}")
            aws.s3.create_bucket(settings.RECORDING_BUCKET)
            with served(with_local_aws(application, aws), launch.port()):
                self.step(f"Serving on {url}" + (", recordings by signed URLs alone" if aws.trusted_keys else ""))
                self.print_summary(self.prepare(home, url), log)
                signal.pause()

    def prepare(self, home: Path, url: str) -> dict[str, Any]:
        """Make accounts, channels and the first broadcast unless they exist; return the content of demo.json."""
        path = home / "demo.json"
        previous = json.loads(path.read_text()) if path.is_file() else {}
        password = previous.get("admin_password") or secrets.token_urlsafe(12)
        _staff(ADMIN, password, superuser=True)
        _staff(CURATOR, password, superuser=False)
        token = previous.get("api_token") or ""
        tokens = ApiToken.objects.valid(timezone.now()).filter(token_key=token[:15], name="demo")
        if not token or not tokens.exists():
            _, token = api_token_create(name="demo", account="demo", scopes=list(settings.API_SCOPES))
        channel = self.channels()
        body = json.dumps({"name": "Studio", "userId": str(channel.owner)})
        document: dict[str, Any] = {
            "url": url,
            "admin_user": ADMIN,
            "admin_password": password,
            "api_token": token,
            "owner_uuid": str(channel.owner),
            "channel_uuid": str(channel.uuid),
            "curl": [
                f"curl {url}/on-demand",
                f"curl {url}/channels/{channel.uuid}/live",
                f"curl -H 'Authorization: Bearer {token}' -d '{body}' {url}/channels",
            ],
        }
        # Written before the broadcast too, so that an interrupted run keeps its password and its token.
        launch.write_private(path, document)
        document["video_uuid"] = self.video(home, channel, "Opening show")
        if is_signed():
            private = self.channel("Board room", channel.owner, private=True)
            if private.new_video_state is None:
                private = channel_update(channel=private, values={"new_video_state": "listed"})
            video = self.video(home, private, "Board meeting")
            grants = f"curl -H 'Authorization: Bearer {token}' -d '{{\"viewer\": \"you\"}}'"
            document |= {"private_channel_uuid": str(private.uuid), "private_video_uuid": video}
            document["curl"].append(f"{grants} {url}/on-demand/{video}/playback-grants")
        launch.write_private(path, document)
        self.reconcile()
        return document

    def reconcile(self) -> None:
        """Run `reconcile` as the schedule of a deployment does; the start page of the admin shows its time."""
        self.step("Comparing the database with the local AWS")
        try:
            run(all_phases(), scope=Scope(), apply=True, resume=True)
        except LeaseTakenError:
            self.step("Another reconcile is running, or was killed less than two minutes ago")

    def channels(self) -> Channel:
        """Make two channels and return the one with the broadcast."""
        owner = User.objects.get(username=ADMIN).uuid
        channel, _ = (self.channel(name, owner) for name in ("Main stage", "Workshop room"))
        return channel

    def channel(self, name: str, owner: UUID, **options: Any) -> Channel:
        """Return the channel of this name, made unless there is one."""
        found = Channel.objects.filter(name=name, owner=owner).order_by("created_at").first()
        if found is not None:
            return found
        self.step(f"Creating the channel {name}")
        return channel_create(name=name, owner=owner, **options)

    def video(self, home: Path, channel: Channel, title: str) -> str:
        """Return the uuid of the first video of the channel; play a broadcast unless there is one."""
        videos = Video.objects.filter(channel=channel).order_by("created_at")
        if not videos.exists():
            self.step(f"Playing a broadcast of {SECONDS} seconds on {channel.name}")
            broadcasts(home=home, channel=channel, seconds=SECONDS)
            # So that the catalogue and its search have content.
            text = "A test picture, broadcast by the local encoder."
            values = {"title": title, "description": text, "tags": ["demo", channel.name], "thumbnail": ""}
            content_replace(video_uuid=videos[0].pk, by=User.objects.get(username=CURATOR).uuid, values=values)
        return str(videos[0].pk)

    def step(self, text: str) -> None:
        """Print a line of progress."""
        self.stdout.write(f"[{monotonic() - self.began:5.1f} s] {text}")
        self.stdout.flush()

    def print_summary(self, demo: dict[str, Any], log: Path) -> None:
        """Print URL, sign-in, token, log, and the requests to try."""
        curl = "\n".join(demo["curl"])
        self.stdout.write(f"""
ivsvod runs at   {demo["url"]}/admin/
The catalogue    {demo["url"]}/
Sign in as       {ADMIN} or {CURATOR}, password {demo["admin_password"]}
API token        {demo["api_token"]}
The log          {log}

{curl}

Ctrl-C ends everything; the data stays for the next time.""")
        self.stdout.flush()


def _leave(*_: Any) -> None:
    raise SystemExit(0)


@contextmanager
def _logged_to(path: Path) -> Iterator[None]:
    """Write the log to a file, not to the terminal; the file of the previous run is kept beside it."""
    if path.exists():
        path.replace(path.with_suffix(".log.old"))
    handlers = [handler for handler in logging.getLogger().handlers if isinstance(handler, logging.StreamHandler)]
    file = path.open("w")
    streams = {handler: handler.setStream(file) for handler in handlers}
    # A full disk must not fill the terminal with a traceback for each line.
    logging.raiseExceptions = False
    try:
        yield
    finally:
        for handler, stream in streams.items():
            handler.setStream(stream)
        with suppress(OSError):
            file.close()


@audited()
def _staff(name: str, password: str, *, superuser: bool) -> None:
    user, is_new = User.objects.get_or_create(username=name, defaults={"is_staff": True, "is_superuser": superuser})
    if is_new or not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    if not superuser:
        user.groups.set([Group.objects.get(name="Curators")])
