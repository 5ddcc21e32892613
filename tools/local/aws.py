"""The local AWS: IVS, its playback, S3 and a CDN under one WSGI callable, by endpoint URL or inside the process."""

import os
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import botocore.handlers
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from common.aws.clients import Body, body_of, headers_of
from tools.local.broadcast import clips
from tools.local.ivs import IvsService, IvsStore
from tools.local.ivs.service import IN_PROCESS
from tools.local.ivs.store import REGION

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class LocalAws:
    """Serve ``/ivs/…``, ``/s3/…``, ``/media/…`` and ``/live/…``; all state is below ``home``.

    With trusted keys, PEM texts of public keys by their ids, `/media/…` needs a signature of CloudFront.
    Endpoint URLs: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """

    region = REGION

    def __init__(self, home: Path, trusted_keys: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.trusted_keys = trusted_keys or {}
        self.ivs = IvsService(IvsStore(home / "ivs.sqlite3"))

    # moto takes a second to import, and IVS alone does not need it.

    @cached_property
    def s3(self) -> Any:
        from tools.local.s3 import S3App

        return S3App(self.home)

    @cached_property
    def media(self) -> Any:
        if not self.trusted_keys:
            return self.s3.media
        from tools.local.cloudfront import SignedMedia

        return SignedMedia(self.s3.media, self.trusted_keys)

    @cached_property
    def live(self) -> Any:
        from tools.local.broadcast.live import LivePlayback

        return LivePlayback(self.ivs.store, clips.folder_of(self.home, clips.LIVE))

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        name, slash, rest = environ.get("PATH_INFO", "").removeprefix("/").partition("/")
        if name not in ("ivs", "s3", "media", "live"):
            start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "0")])
            return [b""]
        application: Application = getattr(self, name)
        # As on a host of its own: moto misreads a SCRIPT_NAME.
        return application({**environ, "SCRIPT_NAME": "", "PATH_INFO": slash + rest or "/"}, start_response)

    def environment(self, base_url: str) -> dict[str, str]:
        """Return the variables that send every boto3 client to this stack, and away from the caller's own AWS."""
        return {
            "AWS_ENDPOINT_URL_IVS": f"{base_url}/ivs",
            "AWS_ENDPOINT_URL_S3": f"{base_url}/s3",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "PLAYBACK_BASE_URL": f"{base_url}/media",
        }


_installed: dict[str, Application] = {}


def install_in_process(aws: Application, base_url: str = "http://127.0.0.1:9/_local") -> Callable[[], None]:
    """Answer every boto3 request below ``base_url`` by the WSGI callable, without a socket; call the result to stop.

    Sessions made after the first call are reached, as with moto: a session copies the handlers when it is made.
    https://botocore.amazonaws.com/v1/documentation/api/latest/topics/events.html
    """
    handler = ("before-send", _answer_in_process)
    if handler not in botocore.handlers.BUILTIN_HANDLERS:
        botocore.handlers.BUILTIN_HANDLERS.append(handler)
    _installed[base_url] = aws

    def uninstall() -> None:
        if _installed.get(base_url) is aws:
            del _installed[base_url]

    return uninstall


def _answer_in_process(request: Any, **_: Any) -> AWSResponse | None:
    base_url = next((url for url in _installed if request.url.startswith(f"{url}/")), None)
    if base_url is None:
        return None
    # Imported here, because not every command calls AWS.
    from werkzeug.test import EnvironBuilder, run_wsgi_app

    url, base = urlsplit(request.url), urlsplit(base_url)
    # The excluded headers concern the connection between client and server.
    headers = {n: v for n, v in headers_of(request).items() if n.lower() not in ("transfer-encoding", "expect")}
    path, body = url.path.removeprefix(base.path), body_of(request)
    builder = EnvironBuilder(path, base_url, url.query, request.method, headers=headers, data=body)
    environ = {**builder.get_environ(), IN_PROCESS: True}
    try:
        parts, status, reply_headers = run_wsgi_app(_installed[base_url], environ, buffered=True)
    except ConnectionResetError as error:
        raise ConnectionClosedError(endpoint_url=request.url, request=request) from error
    except TimeoutError as error:
        raise ReadTimeoutError(endpoint_url=request.url, error=error) from error

    content = b"" if request.method == "HEAD" else b"".join(parts)
    return AWSResponse(request.url, int(status.split()[0]), list(reply_headers), Body(content))
