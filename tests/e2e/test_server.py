"""The service under a WSGI server of its own, as in a container: gunicorn by its command line, asked by HTTP alone."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import UUID

import psutil
import pytest

from tests.support.helpers import THOROUGH
from tests.support.ports import free_port
from tests.support.processes import ROOT, Scratch, scratch_place
from tests.support.road import ARN

CHANNEL = UUID(int=7)
COMMAND = ["gunicorn", "ivsvod.wsgi", "--workers", "2", "--threads", "4", "--bind", "127.0.0.1:0"]
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
_LISTENING = re.compile(r"Listening at: (http://127\.0\.0\.1:\d+)")

pytestmark = [pytest.mark.xdist_group("server"), pytest.mark.slow]


class Server:
    """gunicorn on a port that was free."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", *COMMAND],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log: list[str] = []
        self.url = self._listening()
        self.port = int(self.url.rpartition(":")[2])
        self.reading = threading.Thread(target=self._read)
        self.reading.start()

    def _listening(self) -> str:
        assert self.process.stderr
        for line in self.process.stderr:
            self.log.append(line)
            if found := _LISTENING.search(line):
                return found[1]
        raise AssertionError("".join(self.log))

    def _read(self) -> None:
        assert self.process.stderr
        with self.process.stderr:
            self.log.extend(self.process.stderr)

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        status = self.process.wait(timeout=60)
        self.reading.join()
        return status

    def get(self, path: str) -> Any:
        return urllib.request.urlopen(f"{self.url}{path}", timeout=60)


@contextmanager
def served(scratch: Scratch) -> Iterator[Server]:
    server = Server(scratch.environment)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.end(signal.SIGQUIT)


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server keeps temporary files."""
    return tmp_path_factory.mktemp("spool")


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory, spool: Path) -> Iterator[Scratch]:
    with scratch_place(tmp_path_factory.mktemp("server"), {ARN: CHANNEL}) as made:
        made.environment["TMPDIR"] = str(spool)
        yield made


@pytest.fixture(scope="module")
def server(scratch: Scratch) -> Iterator[Server]:
    with served(scratch) as running:
        yield running


def test_healthz_says_that_the_database_answers(server: Server) -> None:
    with server.get("/healthz") as answer:
        assert (answer.status, json.load(answer)) == (200, {"status": "ok"})


def test_the_sign_in_page_has_its_style_under_a_name_that_is_kept_for_ever(server: Server) -> None:
    with server.get("/admin/login/") as answer:
        page = answer.read().decode()

    styles = re.findall(r'href="(/static/[^"]+\.css)"', page)
    assert styles
    for style in styles:
        assert re.search(r"\.[0-9a-f]{12}\.css$", style)
        with server.get(style) as answer:
            assert answer.status == 200
            assert answer.headers["Content-Type"].startswith("text/css")
            assert "immutable" in answer.headers["Cache-Control"]


def test_the_api_is_read(server: Server) -> None:
    with server.get("/channels") as answer:
        assert [channel["uuid"] for channel in json.load(answer)["data"]] == [str(CHANNEL)]


def test_an_error_has_the_shape_of_all_errors(server: Server) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        server.get("/nowhere")

    with refused.value as answer:
        assert (answer.code, json.load(answer)["code"]) == (404, "not_found")


def test_more_requests_at_once_than_there_are_threads_are_all_answered(server: Server) -> None:
    def ask(_: int) -> int:
        with server.get("/channels/live") as answer:
            return answer.status

    with ThreadPoolExecutor(24) as pool:
        assert set(pool.map(ask, range(96))) == {200}


# Bodies


@contextmanager
def begun(port: int, headers: str, body: bytes = b"") -> Iterator[socket.socket]:
    """A request to the sign-in whose body does not go on."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        # The server may close it before all is sent.
        with suppress(ConnectionError):
            connection.sendall(f"POST /admin/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n\r\n".encode() + body)
        yield connection


def status_of(connection: socket.socket) -> int:
    return int(connection.recv(65_536).split()[1])


def csrf_cookie(server: Server) -> str:
    with server.get("/admin/login/") as answer:
        return f"Cookie: {answer.headers['Set-Cookie'].partition(';')[0]}"


def test_a_gigabyte_is_refused_before_it_is_read_and_none_of_it_reaches_the_disk(server: Server, spool: Path) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\n\r\n' + bytes(40_000)
    kind = f"{csrf_cookie(server)}\r\nContent-Type: multipart/form-data; boundary=x"
    with begun(server.port, f"{kind}\r\nContent-Length: 1000000000", part) as connection:
        assert status_of(connection) == 413
    with begun(server.port, f"{kind}\r\nTransfer-Encoding: chunked") as connection:
        assert status_of(connection) == 411
    assert not list(spool.glob("*.upload*"))


@contextmanager
def behind_nginx(server: Server, folder: Path) -> Iterator[int]:
    """The port of an nginx before the server, with the lines of docs/operations.md."""
    guide = Path(ROOT, "docs", "operations.md").read_text().partition("## Slow clients")[2].partition("\n## ")[0]
    lines = "\n".join(line for line in guide.splitlines() if line.startswith("    "))
    assert "proxy_request_buffering" in lines
    places = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    port, configuration = free_port(), folder / "nginx.conf"
    configuration.write_text(f"""
        daemon off;
        pid {folder}/pid;
        events {{}}
        http {{
            access_log off;
            {places}
            {lines}
            server {{
                listen 127.0.0.1:{port};
                location / {{ proxy_pass {server.url}; }}
            }}
        }}
    """)
    process = subprocess.Popen([str(NGINX), "-e", "stderr", "-c", configuration], stderr=subprocess.DEVNULL)
    try:
        until = monotonic() + 20
        while not is_open(port) and monotonic() < until:
            sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.skipif(not NGINX, reason="nginx is not installed")
def test_64_bodies_that_do_not_arrive_wait_at_the_proxy_and_nobody_else_does(server: Server, tmp_path: Path) -> None:
    kind = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n{csrf_cookie(server)}"
    with behind_nginx(server, tmp_path) as port, ExitStack() as slow:
        for _ in range(64):
            slow.enter_context(begun(port, kind, b"us"))
        for _ in range(8):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                assert answer.status == 200


def test_the_docs_name_this_command() -> None:
    assert " ".join(COMMAND).replace("127.0.0.1:0", "0.0.0.0:8000") in Path(ROOT, "docs", "deploy.md").read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT][: 2 if THOROUGH else 1])
def test_a_signal_ends_the_server_with_all_its_processes(scratch: Scratch, server: Server, number: int) -> None:
    """The last test: it ends the server of the others too."""
    with nullcontext(server) if number == signal.SIGTERM else served(scratch) as ended:
        ended.get("/healthz").close()
        children = psutil.Process(ended.process.pid).children(recursive=True)
        assert len(children) >= 2

        assert ended.end(number) == 0

        assert not any(child.is_running() for child in children)
        assert not [line for line in ended.log if "Traceback" in line]
