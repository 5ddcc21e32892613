"""Requests over HTTP: this service and the bare application under gunicorn with two workers each."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from time import perf_counter

from django.conf import settings

from ivsvod.accounts.services import api_token_create
from tools.bench.databases import conninfo, name_of, using
from tools.bench.figures import Figure
from tools.bench.rows import BUCKET, channel_uuid

_CONNECTIONS = 4
_numbers = count()


@contextmanager
def _gunicorn(module: str, environment: dict[str, str]) -> Iterator[int]:
    """Serve a module on a free port, and return that."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fd, port = listener.fileno(), listener.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", module, "--workers", "2", "--no-control-socket"]
        server = subprocess.Popen(
            [*command, "--bind", f"fd://{fd}", "--log-level", "error"], pass_fds=[fd], env=os.environ | environment
        )
        try:
            yield port
        finally:
            server.terminate()
            server.wait()


def _request(port: int, path: str, headers: str = "") -> tuple[str, bytes]:
    """Return the status line with the headers, and the body."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{headers}\r\n".encode())
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    head, _, body = b"".join(parts).partition(b"\r\n\r\n")
    return head.decode(), body


def _load(send: Callable[[], str], status: str, seconds: float) -> Figure:
    """Send requests over some connections for some time."""

    def one(_number: int) -> list[float]:
        taken = []
        while (began := perf_counter()) < end:
            answer = send()
            taken.append(perf_counter() - began)
            if not answer.startswith(f"HTTP/1.1 {status}"):
                raise RuntimeError(f"instead of {status}: {answer}")
        return taken

    start = perf_counter()
    end = start + seconds
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        all_taken = [taken for part in pool.map(one, range(_CONNECTIONS)) for taken in part]
    return Figure(all_taken, per_second=round(len(all_taken) / (perf_counter() - start), 1))


def _unique_path() -> str:
    """Return a list of the same videos, by a value of a filter that no request had before."""
    before = datetime(2090, 1, 1, tzinfo=UTC) + timedelta(milliseconds=next(_numbers))
    return f"/on-demand?started_before={before:%Y-%m-%dT%H:%M:%S.%f}Z"


def http_measure(rows: int, *, seconds: float, rounds: int) -> dict[str, Figure]:
    """Return the figures of the requests over HTTP, which take turns."""
    with using(name_of(rows)):
        _, token = api_token_create(name="bench", account="bench-reader", scopes=["read"])
    media = settings.PLAYBACK_BASE_URL or f"https://{BUCKET}.s3.amazonaws.com"
    # Answers are stored as in production.
    environment = {"PG_DATABASE": name_of(rows), "ANSWER_CACHE": "true"}
    environment |= {"BENCH_CONNINFO": conninfo(name_of(rows)), "BENCH_MEDIA": media}
    with ExitStack() as stack:
        own, bare = (
            stack.enter_context(_gunicorn(f"tools.bench.{module}", environment)) for module in ("served", "bare")
        )
        path = _unique_path()
        documents = [json.loads(_request(port, path)[1])["data"] for port in (own, bare)]
        if documents[0] != documents[1]:
            raise RuntimeError("the bare application answers with other videos")
        tag = next(line for line in _request(own, "/on-demand")[0].split("\r\n") if line.startswith("ETag: "))
        cases: dict[str, tuple[Callable[[], str], str]] = {
            "bare": (lambda: _request(bare, _unique_path())[0], "200"),
            "list": (lambda: _request(own, _unique_path())[0], "200"),
            "list with token": (
                lambda: _request(own, _unique_path(), f"Authorization: Bearer {token}\r\n")[0],
                "200",
            ),
            "list again": (lambda: _request(own, "/on-demand")[0], "200"),
            "304": (lambda: _request(own, "/on-demand", f"If-None-Match: {tag[6:]}\r\n")[0], "304"),
            "live": (lambda: _request(own, f"/channels/{channel_uuid(1)}/live")[0], "200"),
            "stored": (lambda: _request(own, "/bench/stored")[0], "200"),
        }
        figures: dict[str, list[Figure]] = {name: [] for name in cases}
        for _ in range(rounds):
            for name, (send, status) in cases.items():
                figures[name].append(_load(send, status, seconds))
    return {
        f"HTTP: {name}": Figure(
            [taken for figure in found for taken in figure.seconds],
            per_second=round(sum(figure.per_second or 0 for figure in found) / rounds, 1),
        )
        for name, found in figures.items()
    }
