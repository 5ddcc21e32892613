"""Start, share and stop the embedded PostgreSQL of a home.

The server is reached by a unix socket in a folder of mode 0700 and by nothing else. It lives in `home / "postgres"`:

    data/         the database; under root it belongs to `nobody`, because PostgreSQL refuses to run as root
    socket/       the socket; if this path is too long, it is in /tmp/ivsvod-<hash of the path>/socket
    server.log    the log since the last start; server.log.old is the one before
    start.lock    locked while a process starts or stops the server
    users.lock    locked, shared, by every process that uses the server
"""

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import pq, sql
from psycopg.conninfo import make_conninfo

from tools.local.postgres.processes import end_server, is_alive, server_processes, wait_until
from tools.local.postgres.programs import PostgresUnavailable, Programs, find_programs, server_owner

PORT = 5432  # only a part of the socket's name
SOCKET_PATH_BYTES = 103  # macOS; Linux allows 107
START_SECONDS = 60.0

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
}
INITDB_OPTIONS = [
    *("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--text-search-config=english")
]
FAST_AND_LOSING_DATA_ON_POWER_LOSS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Server:
    """The connection parameters of a running server."""

    socket_dir: Path
    port: int = PORT
    user: str = "postgres"
    database: str = "ivsvod"

    def environment(self) -> dict[str, str]:
        """Return the variables by which settings.py uses this server."""
        return {
            "PG_HOST": str(self.socket_dir),
            "PG_PORT": str(self.port),
            "PG_USER": self.user,
            "PG_PASSWORD": "",
            "PG_DATABASE": self.database,
        }


class ServerFolder:
    """The folder of one server, whether it exists or not."""

    def __init__(self, home: Path) -> None:
        self.root = home.resolve() / "postgres"
        self.data = self.root / "data"
        self.log = self.root / "server.log"
        # PostgreSQL shows this name in the title of each process of the server.
        self.cluster = f"ivsvod-{hashlib.sha256(os.fsencode(self.data)).hexdigest()[:24]}"
        self.short_folder = Path("/tmp") / self.cluster  # noqa: S108  (its owner and mode are checked)
        own = self.root / "socket"
        fits = len(os.fsencode(own / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_BYTES
        # libpq takes a comma for the end of a host.
        self.socket_dir = own if fits and "," not in str(own) else self.short_folder / "socket"

    def make_socket_dir(self) -> None:
        """Make an empty folder for the socket that no other user can enter."""
        parent = self.socket_dir.parent
        if parent == self.short_folder:
            parent.mkdir(mode=0o700, exist_ok=True)
            status = parent.lstat()
            if status.st_uid != os.geteuid() or stat.filemode(status.st_mode) != "drwx------":
                raise PostgresUnavailable(f"{parent} is not a private folder of this user. Remove it.")
        # Made again each time: the lock file of an old socket has a process id that may belong to another program now.
        shutil.rmtree(self.socket_dir, ignore_errors=True)
        self.socket_dir.mkdir(mode=0o700)
        os.chown(self.socket_dir, *server_owner())


def start(home: Path, *, durable: bool = True, bin_dir: Path | None = None) -> Server:
    """Start the server of this home unless it runs, and return once a connection works.

    A running server keeps its settings. `durable=False` is for tests: faster, and a power failure may cost the data.
    `bin_dir` holds the programs of another PostgreSQL than the wheel's, for tests on that version.

    Raises:
        PostgresUnavailable: it cannot run.
    """
    with _errors_named(home):
        folder = _make_folder(home)
        server = Server(folder.socket_dir)
        with _locked(folder.root / "start.lock", fcntl.LOCK_EX):
            # A process that was killed while it started the server leaves one that does not answer yet.
            wait_until(lambda: _answers(folder) or not server_processes(folder.cluster), START_SECONDS)
            if not _answers(folder):
                _end(folder)
                _launch(folder, durable, find_programs(bin_dir))
            with psycopg.connect(_connection_string(server.socket_dir), autocommit=True) as connection:
                database_create(connection, server.database)
        return server


def database_create(connection: psycopg.Connection, name: str) -> bool:
    """Create the database unless it exists; return whether it is new."""
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        return False
    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return True


def stop(home: Path) -> bool:
    """Shut the server of this home down and wait for its end; return whether one was running.

    Raises:
        PostgresUnavailable: its folder cannot be read.
    """
    with _errors_named(home):
        folder = ServerFolder(home)
        if not folder.root.is_dir():
            return False
        with _locked(folder.root / "start.lock", fcntl.LOCK_EX):
            was_running = bool(server_processes(folder.cluster))
            _end(folder)
            shutil.rmtree(folder.short_folder, ignore_errors=True)
            return was_running


@contextmanager
def use(home: Path, *, durable: bool = True, bin_dir: Path | None = None) -> Iterator[Server]:
    """Share the server of this home with all its other users during the block; the last to leave stops it.

    A killed process is no user any more. Raises what `start` and `stop` raise.
    """
    with _errors_named(home):
        folder = _make_folder(home)
    with _locked(folder.root / "users.lock", fcntl.LOCK_SH) as users:
        try:
            yield start(home, durable=durable, bin_dir=bin_dir)
        finally:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass  # others use it
            else:
                # A new user waits at the lock meanwhile, and then starts the server again.
                stop(home)


def _make_folder(home: Path) -> ServerFolder:
    folder = ServerFolder(home)
    folder.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = folder.root.stat().st_uid
    if owner != os.geteuid():
        raise PostgresUnavailable(
            f"{folder.root} belongs to the user with id {owner}. Work as that user, or choose another IVSVOD_HOME."
        )
    folder.root.chmod(0o700)
    return folder


@contextmanager
def _errors_named(home: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, psycopg.Error) as error:
        raise PostgresUnavailable(f"The embedded PostgreSQL of {home} cannot be used: {error}") from error


@contextmanager
def _locked(path: Path, operation: int) -> Iterator[int]:
    # Closing releases the lock, also when we are killed. Python does not hand the descriptor on to the server.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, operation)
        yield descriptor
    finally:
        os.close(descriptor)


def _connection_string(socket_dir: Path) -> str:
    parameters = "user=postgres dbname=postgres connect_timeout=2"
    # An empty hostaddr overrides PGHOSTADDR of the environment.
    return make_conninfo(parameters, host=str(socket_dir), hostaddr="", port=PORT)


def _answers(folder: ServerFolder) -> bool:
    return pq.PGconn.ping(_connection_string(folder.socket_dir).encode()) == pq.Ping.OK


def _end(folder: ServerFolder) -> None:
    end_server(folder.cluster)
    # PostgreSQL trusts the process id in it, even if that belongs to another program now.
    (folder.data / "postmaster.pid").unlink(missing_ok=True)


def _launch(folder: ServerFolder, durable: bool, programs: Programs) -> None:
    for left_over in folder.root.glob("unfinished-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    if not folder.data.exists():
        _initialise(folder, durable, programs)
    folder.make_socket_dir()
    escaped = str(folder.socket_dir).replace('"', '""')
    settings = {**SETTINGS, "unix_socket_directories": f'"{escaped}"', "cluster_name": folder.cluster}
    if not durable:
        settings |= FAST_AND_LOSING_DATA_ON_POWER_LOSS
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    if folder.log.exists():
        folder.log.replace(folder.log.with_suffix(".log.old"))
    pid = programs.launch("postgres", "-D", str(folder.data), *options, log=folder.log)
    wait_until(lambda: _answers(folder) or not is_alive(pid), START_SECONDS)
    if not _answers(folder):
        _end(folder)
        last_lines = "\n".join(folder.log.read_text(errors="replace").splitlines()[-12:])
        raise PostgresUnavailable(f"PostgreSQL did not start. The end of {folder.log}:\n{last_lines}")


def _initialise(folder: ServerFolder, durable: bool, programs: Programs) -> None:
    """Make the data folder under another name and rename it, so that a half-made one is never used."""
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder.root))
    os.chown(unfinished, *server_owner())
    options = INITDB_OPTIONS if durable else [*INITDB_OPTIONS, "--no-sync"]
    finished = programs.run("initdb", *options, "-D", str(unfinished))
    if finished.returncode != 0:
        raise PostgresUnavailable(f"initdb could not make {folder.data}:\n{finished.stdout.strip()}")
    unfinished.rename(folder.data)
