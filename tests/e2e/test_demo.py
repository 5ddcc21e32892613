"""The demo as a newcomer meets it: a process of its own in a checkout of its own, asked by HTTP alone."""

import errno
import html
import http.cookiejar
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import imageio_ffmpeg
import m3u8
import psutil
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ondemand.playback.signing import UrlSigner
from tests.support.documentation import blocks
from tests.support.ports import free_port
from tools.local import postgres
from tools.local.launch import is_disk_full
from tools.local.postgres import PostgresUnavailable
from tools.local.postgres.processes import wait_until

# One demo serves all tests here.
pytestmark = pytest.mark.xdist_group("demo")

CHECKOUT = Path(__file__).parents[2]
TYPESCRIPT = CHECKOUT / "tests" / "e2e" / "typescript"
TYPESCRIPT_IS_INSTALLED = bool(shutil.which("node")) and (TYPESCRIPT / "node_modules" / ".bin" / "tsc").exists()
OWNER = "00000000-0000-0000-0000-00000000000a"
READY = "Ctrl-C ends everything"


class Listener:
    """A port of the test's own that counts who connects, and hangs up."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()


def hostile_variables(port: int) -> dict[str, str]:
    """Everything that could lead the demo to something real, pointing at the listener."""
    address = f"http://127.0.0.1:{port}"
    return {
        "DATABASE_URL": f"postgres://someone:secret@127.0.0.1:{port}/real",
        "PG_HOST": "127.0.0.1",
        "PG_PORT": str(port),
        "PG_USER": "someone",
        "PG_PASSWORD": "secret",
        "PG_DATABASE": "real",
        "PGHOSTADDR": "127.0.0.1",
        "PGPORT": str(port),
        "AWS_ENDPOINT_URL": address,
        "AWS_ENDPOINT_URL_IVS": address,
        "AWS_ENDPOINT_URL_S3": address,
        "AWS_ACCESS_KEY_ID": "real",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_PROFILE": "real",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": address,
        "AWS_REGION": "us-east-1",
        "RECORDING_BUCKET": "a-real-bucket",
        "RECORDING_CONFIG_ARN": "arn:aws:ivs:us-east-1:999999999999:recording-configuration/real",
        "SECRET_KEY": "real",
    }


@dataclass
class Demo:
    """A demo in a folder of its own."""

    folder: Path
    port: int
    environment: dict[str, str]
    listener: Listener
    lines: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def home(self) -> Path:
        return self.folder / ".local"

    @property
    def known(self) -> dict[str, Any]:
        return json.loads((self.home / "demo.json").read_text())

    def start(self) -> None:
        self.lines.clear()
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "demo"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line)
            if READY in line:
                break
        else:
            raise AssertionError("the demo ended:\n" + "".join(self.lines))
        threading.Thread(target=self._drain, args=[self.process], daemon=True).start()

    def _drain(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        with process.stdout:
            self.lines.extend(process.stdout)

    def interrupt(self) -> int:
        assert self.process
        # Twice, as impatient people do.
        self.process.send_signal(signal.SIGINT)
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=check,
        )

    def get(self, path: str, **headers: str) -> Any:
        with urllib.request.urlopen(urllib.request.Request(urljoin(self.url, path), headers=headers)) as answer:
            return json.load(answer)

    def with_token(self, path: str) -> Any:
        return self.get(path, Authorization=f"Bearer {self.known['api_token']}")

    def signed_in(self) -> urllib.request.OpenerDirector:
        """Return what opens pages of the admin as the curator."""
        cookies = http.cookiejar.CookieJar()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
        page = urljoin(self.url, "/admin/login/")
        opener.open(page).close()
        [token] = (cookie.value for cookie in cookies if cookie.name == "csrftoken")
        form = {"username": "curator", "password": self.known["admin_password"], "csrfmiddlewaretoken": token}
        opener.open(page, urllib.parse.urlencode(form).encode()).close()
        return opener


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("a newcomer's") / "check out"
    for name in ("common", "tools", "ivsvod", "channels_app", "ondemand", "templates"):
        shutil.copytree(CHECKOUT / name, folder / name)
    for name in ("manage.py", "openapi.json"):
        shutil.copy(CHECKOUT / name, folder)
    listener = Listener()
    hostile = hostile_variables(listener.port)
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in hostile.items()))
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    demo = Demo(folder, free_port(), {}, listener)
    demo.environment = {**environment, **hostile, "PORT": str(demo.port)}
    demo.start()
    yield demo
    if demo.process and demo.process.poll() is None:
        demo.interrupt()
    listener.socket.close()


@pytest.fixture
def running(demo: Demo) -> Demo:
    if demo.process is None or demo.process.poll() is not None:
        demo.start()
    return demo


def fetch(url: str) -> tuple[str, bytes]:
    with urllib.request.urlopen(url) as answer:
        return answer.headers["Content-Type"], answer.read()


def main_video(demo: Demo) -> dict[str, Any]:
    return demo.get(f"/on-demand/{demo.known['video_uuid']}")


def test_the_demo_says_what_it_ignored_and_connects_to_nothing_real(running: Demo) -> None:
    said = "".join(running.lines)
    assert "ignored" in said
    for name in ("DATABASE_URL", "PG_HOST", "AWS_ENDPOINT_URL"):
        assert name in said
    assert "secret" not in said
    assert running.listener.connections == 0


def test_demo_json_holds_the_sign_in_and_is_for_its_owner_alone(running: Demo) -> None:
    path = running.home / "demo.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(running.known) == {
        *("url", "admin_user", "admin_password", "api_token"),
        *("owner_uuid", "channel_uuid", "video_uuid", "curl", "links", "videos"),
        *("live_channel_uuid", "private_channel_uuid", "private_video_uuid"),
    }
    assert running.known["url"] == running.url
    channel = running.with_token(f"/channels/{running.known['channel_uuid']}")
    assert channel["owner"] == running.known["owner_uuid"]
    video = running.get(f"/on-demand/{running.known['video_uuid']}")
    assert (video["channel"], video["content"]["title"]) == (channel["uuid"], "Opening show")


def test_the_log_is_a_file_of_its_own_and_the_progress_has_lines_of_progress_alone(running: Demo) -> None:
    log = running.home / "demo.log"
    assert f"The log              {log}\n" in running.lines
    running.get("/on-demand")
    # The line is written once the answer is sent.
    assert wait_until(lambda: "GET /on-demand " in log.read_text(), 30)
    until_ready = running.lines[: next(n for n, line in enumerate(running.lines) if line.startswith("ivsvod runs at"))]
    others = [line for line in until_ready if line.strip() and not re.match(r"\[ *[\d.]+ s\] ", line)]
    assert [line.partition(":")[0] for line in others] == ["Local stack"]


def test_the_catalogue_holds_a_recording_of_each_kind(running: Demo) -> None:
    names = {uuid: name for name, uuid in running.known["videos"].items()}
    kinds = ("listed", "unlisted", "scheduled", "hidden", "failed", "recording")
    found = {kind: running.with_token(f"/on-demand?listing={kind}&pageSize=100")["data"] for kind in kinds}
    by_name = {names[v["uuid"]]: v for videos in found.values() for v in videos if v["uuid"] in names}
    assert len(by_name) == len(names) == 24
    assert {kind: len([v for v in videos if v["uuid"] in names]) for kind, videos in found.items()} == {
        **{"listed": 15, "unlisted": 1, "scheduled": 1, "hidden": 6, "failed": 1, "recording": 0}
    }
    listed = [video for video in found["listed"] if video["uuid"] in names]
    assert all(video["content"]["title"] and video["content"]["tags"] for video in listed)
    assert sum(bool(video["chapters"]) for video in listed) > 5
    assert len({video["duration_seconds"] for video in listed}) > 10
    assert len({fetch(video["thumbnails"][len(video["thumbnails"]) // 2])[1] for video in listed}) == len(listed)
    now = datetime.now(UTC)
    assert all(timedelta() < now - datetime.fromisoformat(v["started_at"]) < timedelta(30) for v in by_name.values())
    assert {video["qa"] for name, video in by_name.items() if name != "failed"} == {"ok"}
    # The end of one was lost, and `reconcile` found it.
    assert len(by_name["reconnected"]["stream_ids"]) == 2
    assert by_name["lost-end"]["status"] == "available"
    assert by_name["board-q3"]["channel"] == running.known["private_channel_uuid"]
    assert by_name["board-q3"]["playback"] == "grant"


def test_a_recording_of_two_streams_plays_across_the_cut(running: Demo) -> None:
    video = running.get(f"/on-demand/{running.known['videos']['reconnected']}")
    url = m3u8.loads(fetch(video["location"])[1].decode(), uri=video["location"]).playlists[0].absolute_uri
    segments = m3u8.loads(fetch(url)[1].decode(), uri=url).segments
    cut = len(segments) // 2
    assert segments[cut].discontinuity
    assert fetch(segments[cut].absolute_uri)[1] == fetch(segments[0].absolute_uri)[1]


def live_channel(demo: Demo) -> Any:
    return demo.get(f"/channels/{demo.known['live_channel_uuid']}")


def test_a_channel_is_live_plays_on_and_comes_back_when_it_was_stopped(running: Demo) -> None:
    channel = live_channel(running)
    assert channel["live"]["state"] == "live"

    def playlist() -> m3u8.M3U8:
        variant = m3u8.loads(fetch(channel["playback_url"])[1].decode(), uri=channel["playback_url"]).playlists[0]
        return m3u8.loads(fetch(variant.absolute_uri)[1].decode(), uri=variant.absolute_uri)

    begun = playlist()
    assert not begun.is_endlist
    kind, body = fetch(begun.segments[-1].absolute_uri)
    assert (kind, body[0], body[188]) == ("video/mp2t", 0x47, 0x47)
    assert wait_until(lambda: playlist().media_sequence > begun.media_sequence, 60)
    headers = {"Authorization": f"Bearer {running.known['api_token']}", "Content-Type": "application/json"}
    stop = urllib.request.Request(f"{running.url}/channels/{channel['uuid']}/stop", b"{}", headers)
    urllib.request.urlopen(stop).close()
    stopped = channel["live"]["stream_id"]
    assert wait_until(lambda: live_channel(running)["live"]["stream_id"] not in (stopped, None), 60)
    assert live_channel(running)["live"]["state"] == "live"
    streams = running.get(f"/channels/{channel['uuid']}/streams")["data"]
    assert next(stream for stream in streams if stream["stream_id"] == stopped)["ended_at"]


def test_the_five_links_lead_somewhere(running: Demo) -> None:
    links = running.known["links"]
    assert len(links) == 5
    browser = running.signed_in()
    for name, url in links.items():
        assert f"{name:20} {url}\n" in running.lines
        with browser.open(url) as answer:
            assert answer.status == 200
            assert answer.url == url
    assert "Encore" in fetch(links["A search"])[1].decode()


def test_the_commands_of_the_start_page_lose_an_event_and_repair_what_it_left(running: Demo) -> None:
    with running.signed_in().open(f"{running.url}/admin/") as answer:
        page = answer.read().decode()
    lose, repair = (html.unescape(each) for each in re.findall(r'<code id="try-[^>]*>(.*)</code>', page))

    def typed(line: str) -> str:
        environment = running.environment | {"PYTHONDONTWRITEBYTECODE": "1"}
        options = {"cwd": running.folder, "env": environment, "capture_output": True, "text": True, "check": True}
        return subprocess.run(line, shell=True, **options).stdout  # noqa: S602

    stream_id = json.loads(typed(lose))["stream_id"]
    live = f"/channels/{running.known['channel_uuid']}/live"
    state = running.get(live)
    assert (state["state"], state["stream_id"]) == ("live", stream_id)
    assert stream_id in typed(repair)
    assert running.get(live)["state"] == "offline"


def test_on_a_full_disk_the_demo_ends_with_one_line(tmp_path: Path) -> None:
    # What may be written to a file ends as a disk does, and needs no rights of root.
    command = f"ulimit -f 64; exec '{sys.executable}' manage.py demo"
    environment = {"PATH": os.environ["PATH"], "IVSVOD_HOME": str(tmp_path / "home"), "PORT": str(free_port())}
    # What Python compiles is cut off there too, and would be read by the next process.
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert f"The disk of {tmp_path / 'home'} is full" in line


def test_a_database_of_another_version_ends_the_command_with_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "IVSVOD_HOME": str(tmp_path / "home"), "PORT": str(free_port())}
    place = postgres.start(tmp_path / "home", durable=False).environment()
    try:
        with psycopg.connect(
            host=place["PG_HOST"],
            port=place["PG_PORT"],
            user=place["PG_USER"],
            password=place["PG_PASSWORD"],
            dbname=place["PG_DATABASE"],
        ) as connection:
            connection.execute(
                "CREATE TABLE django_migrations (id bigserial, app text, name text, applied timestamptz)"
            )
            connection.execute(
                "INSERT INTO django_migrations (app, name, applied) VALUES ('channels_app', '0019_open_events', now())"
            )
        ended = subprocess.run(
            [sys.executable, "manage.py", "demo"],
            cwd=CHECKOUT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    finally:
        postgres.stop(tmp_path / "home")
    assert ended.returncode == 1
    (line,) = (line for line in ended.stderr.splitlines() if "acts on" not in line)
    assert line.startswith("CommandError: The database in ")
    assert "run `make clean`" in line


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (OSError(errno.EFBIG, "File too large"), True),
        (
            PostgresUnavailable(
                'FATAL: could not extend file "base/1": wrote only 4096 of 8192 bytes\nCheck free disk space.'
            ),
            True,
        ),
        (sqlite3.OperationalError("database or disk is full"), True),
        (OSError(errno.EACCES, "Permission denied"), False),
        (PostgresUnavailable("initdb could not make data"), False),
    ],
)
def test_a_full_disk_is_known_by_the_error_or_by_its_cause(error: Exception, expected: bool, tmp_path: Path) -> None:
    wrapped = RuntimeError("the command failed")
    wrapped.__cause__ = error
    assert [is_disk_full(one, tmp_path / "missing") for one in (error, wrapped)] == [expected, expected]


def test_a_broadcast_can_be_followed_by_http_alone_to_the_bytes_of_a_segment(running: Demo) -> None:
    video = main_video(running)
    assert video["status"] == "available"
    kind, master = fetch(video["location"])
    assert kind == "application/vnd.apple.mpegurl"
    variants = m3u8.loads(master.decode(), uri=video["location"]).playlists
    assert variants
    for variant in variants:
        kind, text = fetch(variant.absolute_uri)
        assert kind == "application/vnd.apple.mpegurl"
        playlist = m3u8.loads(text.decode(), uri=variant.absolute_uri)
        for segment in (playlist.segments[0], playlist.segments[-1]):
            kind, body = fetch(segment.absolute_uri)
            assert kind == "video/mp2t"
            # MPEG-TS: a packet of 188 bytes begins with this byte.
            assert body[0] == body[188] == 0x47
        assert abs(sum(s.duration for s in playlist.segments) - video["duration_seconds"]) < 0.5
    assert video["thumbnails"]
    for url in video["thumbnails"]:
        kind, body = fetch(url)
        assert kind == "image/jpeg"
        assert body.startswith(b"\xff\xd8")


def test_a_player_reads_the_duration_that_the_catalogue_tells(running: Demo) -> None:
    video = main_video(running)
    # The static ffmpeg loads the system's iconv modules and crashes on some machines.
    environment = {**os.environ, "GCONV_PATH": os.devnull}
    report = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", video["location"]],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    ).stderr
    found = re.search(r"Duration: (\d+):(\d+):([\d.]+)", report)
    assert found, report
    hours, minutes, seconds = map(float, found.groups())
    assert abs(hours * 3600 + minutes * 60 + seconds - video["duration_seconds"]) < 0.5


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_three_curl_lines_work(running: Demo) -> None:
    lines = [line.strip() for line in running.lines if line.startswith("curl ")]
    assert len(lines) == 3
    assert lines == running.known["curl"]
    for line in lines:
        answer = subprocess.run(f"{line} --silent --fail", shell=True, capture_output=True, check=True)  # noqa: S602
        assert json.loads(answer.stdout)


@pytest.mark.skipif(not TYPESCRIPT_IS_INSTALLED, reason="npm could not install tests/e2e/typescript")
def test_a_typescript_client_generated_from_the_description_compiles_and_runs(running: Demo, tmp_path: Path) -> None:
    for name in ("client.ts", "process.d.ts", "tsconfig.json", "package.json"):
        shutil.copy(TYPESCRIPT / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(TYPESCRIPT / "node_modules")
    tools = tmp_path / "node_modules" / ".bin"

    def run(*command: str | Path) -> str:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(tools / "openapi-typescript", f"{running.url}/schema", "-o", "schema.d.ts", "--default-non-nullable=false")
    run(tools / "tsc", "-p", ".")
    answers = json.loads(run("node", "client.js", running.url, running.known["api_token"], OWNER))
    video = running.get(f"/on-demand/{answers['video']}")
    assert answers["location"] == video["location"]
    assert answers["title"] == video["content"]["title"] == "Opening show"
    assert answers["video"] in answers["found"]
    assert "demo" in answers["tags"]
    assert answers["state"] == running.get(f"/channels/{answers['channel']}/live")["state"] == "offline"
    assert answers["refused"] == {"min_duration": ["Not a number of seconds."]}


@pytest.mark.skipif(not all(map(shutil.which, ("curl", "make", "node"))), reason="needs curl, make and Node")
@pytest.mark.parametrize("page", ["README.md", "docs/api.md"])
def test_the_examples_of_the_documentation_run_against_the_demo(running: Demo, page: str) -> None:
    environment = {"PATH": os.environ["PATH"], "IVSVOD_HOME": str(running.home), "PYTHON": sys.executable}
    found = blocks((CHECKOUT / page).read_text())
    # Pasted into one shell, in their order.
    shell = "".join(code for language, code in found if language == "sh")
    assert shell.count("curl ") == shell.count("curl -sS --fail-with-body ") > 0
    examples = [["bash", "-euo", "pipefail", "-c", shell]]
    interpreters = {"python": [sys.executable, "-c"], "js": ["node", "--input-type=module", "-e"]}
    for language, code in found:
        if language in interpreters:
            examples.append(["bash", "-ec", 'eval "$(make env)"; "$@"', "bash", *interpreters[language], code])
    for command in examples:
        done = subprocess.run(
            command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        assert done.stdout.strip(), command


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_without_a_demo_make_env_says_so_and_exports_nothing(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "IVSVOD_HOME": str(tmp_path / "no demo"), "PYTHON": sys.executable}
    done = subprocess.run(["make", "env"], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"No demo with {tmp_path}/no demo/demo.json is ready: run `make demo`")


def test_commands_beside_the_demo_act_on_its_database_and_its_aws(running: Demo) -> None:
    # Without `.env`, as in any checkout: with it a named database would be used, as it says.
    (running.folder / ".env").rename(running.folder / "env.aside")
    environment = running.environment
    running.environment = {n: v for n, v in environment.items() if n not in hostile_variables(0)}
    try:
        channel = running.known["channel_uuid"]
        played = running.manage("simulate_broadcast", channel, "--seconds", "1")
    finally:
        running.environment = environment
        (running.folder / "env.aside").rename(running.folder / ".env")
    # Nobody reads it as it is written: a line at the start, one at the end, and JSON. The log is that of the demo.
    assert [line for line in played.stderr.splitlines() if "ignored" not in line] == [
        *("Main stage: broadcast 1 of 1", "Main stage: broadcast 1 of 1: done")
    ]
    played = json.loads(played.stdout)
    assert played["prefix"] in (running.home / "demo.log").read_text()
    videos = running.get("/on-demand")["data"]
    video = next(video for video in videos if video["stream_ids"] == [played["stream_id"]])
    assert video["channel"] == channel
    assert fetch(video["location"])[1].startswith(b"#EXTM3U")
    assert running.get(f"/channels/{channel}/live")["state"] == "offline"


def test_nothing_listens_on_tcp_but_the_printed_port(running: Demo) -> None:
    assert running.process
    processes = [running.process.pid, *postgres_pids(running)]
    listening = {
        connection.laddr
        for pid in processes
        for connection in psutil.Process(pid).net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {("127.0.0.1", running.port)}


def postgres_pids(demo: Demo) -> list[int]:
    data = str(demo.home / "postgres" / "data")
    return [p.pid for p in psutil.process_iter(["cmdline"]) if data in (p.info["cmdline"] or [])]


def test_a_second_demo_of_the_same_home_says_where_the_first_one_is(running: Demo) -> None:
    refused = running.manage("demo", check=False)
    assert refused.returncode == 1
    assert str(running.port) in refused.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment = {**running.environment, "PORT": str(taken.getsockname()[1]), "IVSVOD_HOME": "elsewhere"}
        command = [sys.executable, "manage.py", "demo"]
        refused = subprocess.run(
            command, cwd=running.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert refused.returncode == 1
        assert f"Port {taken.getsockname()[1]}" in refused.stderr
        assert not (running.folder / "elsewhere" / "postgres").exists()


def test_ctrl_c_ends_everything_and_the_next_run_keeps_the_data(running: Demo) -> None:
    before, known = main_video(running), running.known
    assert postgres_pids(running)
    assert running.interrupt() == 0
    assert postgres_pids(running) == []
    with pytest.raises(urllib.error.URLError):
        running.get("/healthz")
    running.start()
    assert main_video(running) == before
    assert running.known == known
    assert fetch(before["location"])[1].startswith(b"#EXTM3U")
    assert not any("recordings of the last 30 days" in line for line in running.lines)
    assert live_channel(running)["live"]["state"] == "live"
    ended = running.get(f"/channels/{known['live_channel_uuid']}/streams")["data"][1]
    assert ended["ended_at"]
    assert running.listener.connections == 0


def test_with_protected_the_demo_serves_the_files_of_recordings_by_signed_urls_alone(running: Demo) -> None:
    url = main_video(running)["location"]
    assert fetch(url)[1].startswith(b"#EXTM3U")
    running.interrupt()
    running.environment["PROTECTED"] = "1"
    try:
        running.start()
        key = json.loads((running.home / "signing.json").read_text())
        private_key = load_pem_private_key(key["CLOUDFRONT_PRIVATE_KEY"].encode(), None)
        assert isinstance(private_key, EllipticCurvePrivateKey)
        signer = UrlSigner(key["CLOUDFRONT_KEY_ID"], private_key)
        below = f"{url.removesuffix('/media/hls/master.m3u8')}/*"
        query = signer.query(below, datetime.now(UTC) + timedelta(minutes=1))
        assert fetch(f"{url}?{query}")[1].startswith(b"#EXTM3U")
        for refused in (url, f"{url}?{query.replace('Signature=', 'Signature=A')}"):
            with pytest.raises(urllib.error.HTTPError, match="403") as error:
                fetch(refused)
            error.value.close()
        # The last line makes a grant for a recording of the private channel.
        line = running.known["curl"][-1]
        answer = subprocess.run(f"{line} --silent --fail", shell=True, capture_output=True, check=True)  # noqa: S602
        assert fetch(json.loads(answer.stdout)["url"])[1].startswith(b"#EXTM3U")
    finally:
        running.interrupt()
        del running.environment["PROTECTED"]
