"""ffmpeg as a viewer: it loads playlists from this service and segments from the media host, over HTTP."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import imageio_ffmpeg
from django.test import Client

from tools.local.aws import LocalAws
from tools.local.broadcast.recording import FRAME_RATE

# Reading MPEG-TS makes ffmpeg call iconv, and its static build crashes where iconv loads the system's modules.
_ENVIRONMENT = {**os.environ, "GCONV_PATH": os.devnull}


class _Quiet(WSGIRequestHandler):
    def get_environ(self) -> dict[str, Any]:
        # The signature is of the URL as it was sent.
        return {**super().get_environ(), "RAW_URI": self.path}

    def log_message(self, *_: Any) -> None:
        pass


@dataclass
class HttpPlayer:
    """Both hosts on one port. Requests are answered in the thread of the test, which has its transaction."""

    server: WSGIServer
    # The path of each file that ffmpeg has loaded from the media host.
    loaded: list[str]

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def video_seconds(self, location: str) -> float:
        """Decode the video, and count its frames."""
        progress = self._decode(location, "-map", "0:v:0", "-progress", "-", "-f", "null", "-")
        return int(re.findall(rb"^frame=(\d+)", progress, re.MULTILINE)[-1]) / FRAME_RATE

    def audio_seconds(self, location: str) -> float:
        """Decode the audio, and count its samples."""
        return len(self._decode(location, "-map", "0:a:0", "-ac", "1", "-ar", "8000", "-f", "u8", "-")) / 8000

    def _decode(self, location: str, *output: str) -> bytes:
        url = self.origin + urlsplit(location).path
        command = [
            imageio_ffmpeg.get_ffmpeg_exe(),
            "-hide_banner",
            "-nostdin",
            "-loglevel",
            "error",
            "-i",
            url,
            *output,
        ]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, env=_ENVIRONMENT, **pipes) as process:  # type: ignore[call-overload]
            output_bytes = b""
            os.set_blocking(process.stdout.fileno(), False)
            while process.poll() is None:
                self.server.handle_request()
                output_bytes += process.stdout.read() or b""
            output_bytes += process.stdout.read() or b""
            assert (process.returncode, process.stderr.read()) == (0, b"")
        return output_bytes


@contextmanager
def http_player(aws: LocalAws, settings: Any) -> Iterator[HttpPlayer]:
    """Serve this service, and the media host from PLAYBACK_BASE_URL."""
    loaded: list[str] = []

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"].startswith("/play/"):
            answer = Client().get(environ["PATH_INFO"])
            start_response(f"{answer.status_code} {answer.reason_phrase}", [("Content-Type", answer["Content-Type"])])
            return [answer.content]
        loaded.append(environ["PATH_INFO"])
        return aws.media(environ, start_response)

    server = make_server("127.0.0.1", 0, application, handler_class=_Quiet)
    server.timeout = 0.05
    player = HttpPlayer(server, loaded)
    settings.PLAYBACK_BASE_URL = player.origin
    try:
        yield player
    finally:
        server.server_close()
