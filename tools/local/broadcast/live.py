"""A channel that is live while the demo runs: its encoder, and the playlists by which IVS would serve its stream."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone
from werkzeug.wrappers import Response

from channels_app.models import Channel
from tools.local.broadcast.encoder import CONTENT_TYPES, BroadcastRun
from tools.local.broadcast.plan import (
    UNTIL_RECORDING_START,
    UNTIL_STREAM_END,
    UNTIL_STREAM_START,
    BroadcastPlan,
    Sent,
    StreamPlan,
    steps,
)
from tools.local.broadcast.recording import HLS_PATH, MULTIVARIANT, VARIANT, live_playlist
from tools.local.broadcast.studio import deliver
from tools.local.ivs import IvsStore
from tools.local.ivs.store import random_id
from tools.local.ivs.viewers import ViewerRefusedError, viewer_admit
from tools.local.s3 import CORS_HEADERS

VIEWERS = 17
# `/eu-west-1.111122223333.channel.AbCd.m3u8`, and below it the files of each rendition.
_MULTIVARIANT = re.compile(r"/(?P<channel>[\w.-]+)\.m3u8", re.ASCII)
_FILE = re.compile(r"/(?P<channel>[\w.-]+)/(?P<rendition>\w+)/(?P<file>playlist\.m3u8|\d+\.ts)", re.ASCII)


class LiveEncoder:
    """The encoder of a channel that is not recorded. It connects again when its stream was stopped, as real ones do."""

    def __init__(self, store: IvsStore, channel: Channel) -> None:
        self.store = store
        self.key = channel.reveal_stream_key()
        self.run = BroadcastRun(store, None, channel.arn, None)

    def connect(self) -> None:
        """Go live unless the channel is. A stream that a killed process left goes on."""
        channel, running = self.store.channel_by_key(self.key), self.store.stream_of(self.run.channel_arn)
        if self.run.live and (running is None or running["streamId"] != self.run.live.stream_id):
            self.disconnect()
        if running:
            started_at = datetime.fromisoformat(running["startTime"])
            self.run.live = StreamPlan(running["streamId"], started_at - UNTIL_STREAM_START, 0)
        # Without a channel the key was replaced, and IVS refuses the encoder.
        elif channel:
            stream = StreamPlan(f"st-{random_id(23)}", timezone.now().replace(microsecond=0) - UNTIL_STREAM_START, 0)
            self._play(channel, stream, lambda at: at <= stream.started_at)
            self.store.set_viewers(self.run.channel_arn, VIEWERS)

    def disconnect(self) -> None:
        """End the stream if there is one."""
        if stream := self.run.live:
            lasted = timezone.now() - UNTIL_STREAM_END - UNTIL_RECORDING_START - stream.started_at
            milliseconds = max(0, lasted // timedelta(milliseconds=1))
            ended = StreamPlan(stream.stream_id, stream.connected_at, milliseconds)
            with self.store.transaction(write=False) as records:
                channel = records.get("channel", self.run.channel_arn)
            self.run.live = ended
            self._play(channel, ended, lambda at: at > ended.started_at)

    def _play(self, channel: dict[str, Any], stream: StreamPlan, chosen: Callable[[datetime], bool]) -> None:
        """Carry out and deliver the steps of the stream at the chosen times."""
        plan = BroadcastPlan((channel["arn"], channel["name"]), (), (stream,), (), frozenset())
        for step in steps(plan):
            if chosen(step.at):
                self.run.do(step)
                if isinstance(step, Sent):
                    deliver([step.envelope])


class LivePlayback:
    """WSGI: the playlists and segments of each channel that is live. All streams show one clip again and again.

    As IVS does, it checks the token of a private channel where the multivariant playlist is requested.
    """

    def __init__(self, store: IvsStore, clip: Path) -> None:
        self.store = store
        self.clip = clip / HLS_PATH

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        response = self._answer(environ)
        response.headers.extend(CORS_HEADERS)
        return response(environ, start_response)

    def _answer(self, environ: dict[str, Any]) -> Response:
        path = environ["PATH_INFO"]
        found = _MULTIVARIANT.fullmatch(path) or _FILE.fullmatch(path)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or not found:
            return Response(status=404)
        region, account, kind, channel_id = f"{found['channel']}....".split(".")[:4]
        stream = self.store.stream_of(f"arn:aws:ivs:{region}:{account}:{kind}/{channel_id}")
        names = found.groupdict()
        folder = self.clip / names.get("rendition", "")
        if not stream or not folder.is_dir():
            return Response(status=404)
        if "file" not in names:
            try:
                viewer_admit(
                    self.store,
                    f"{stream['playbackUrl']}?{environ.get('QUERY_STRING', '')}",
                    at=timezone.now(),
                    origin=environ.get("HTTP_ORIGIN", ""),
                )
            except ViewerRefusedError:
                return Response(status=403)
            text = (folder / MULTIVARIANT).read_text()
            return _playlist(re.sub(r"^(?=\w+/playlist)", f"{found['channel']}/", text, flags=re.MULTILINE))
        playlist = (folder / VARIANT).read_text()
        if names["file"] == VARIANT:
            elapsed = timezone.now() - datetime.fromisoformat(stream["startTime"])
            return _playlist(live_playlist(playlist, elapsed=elapsed.total_seconds()))
        number = int(names["file"].partition(".")[0]) % playlist.count("#EXTINF")
        return Response((folder / f"{number}.ts").read_bytes(), content_type=CONTENT_TYPES[".ts"])


def _playlist(text: str) -> Response:
    return Response(text, content_type=CONTENT_TYPES[".m3u8"], headers={"Cache-Control": "no-store"})
