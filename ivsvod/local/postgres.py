"""The embedded PostgreSQL, the default database of the local stack.

One server for each home, reached by a unix socket in a folder of mode 0700 and by nothing else. It lives below
`home / "postgres"`:

    data/            the database; as root it belongs to `nobody`, because PostgreSQL refuses to run as root
    socket/          the socket, where its path is short enough
    short-socket     else a link to a private folder that holds it
    server.log       what the server said since its last start; server.log.old since the one before
    start.lock       held while someone starts or stops the server
    users.lock       shared by all that use the server at the moment
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import pq, sql
from psycopg.conninfo import make_conninfo

from ivsvod.local.postgres_folder import PORT, ServerFolder, check_owner
from ivsvod.local.postgres_install import Installation, PostgresUnavailable, find_installation, server_owner
from ivsvod.local.postgres_processes import end_server, is_alive, server_processes, wait_until

__all__ = ["PostgresUnavailable", "Server", "is_running", "start", "stop", "use"]

ANSWER_SECONDS = 15.0
RECOVERY_SECONDS = 60.0
LOG_LINES = 12

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
}
INITDB_OPTIONS = [
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--text-search-config=english",
]
FAST_AND_LOSING_DATA_ON_POWER_LOSS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Server:
    """How to connect to a running server."""

    socket_dir: Path
    port: int = PORT
    user: str = "postgres"
    database: str = "ivsvod"

    def environment(self) -> dict[str, str]:
        """The variables that make the settings use this server."""
        return {
            "PG_HOST": str(self.socket_dir),
            "PG_PORT": str(self.port),
            "PG_USER": self.user,
            "PG_PASSWORD": "",
            "PG_DATABASE": self.database,
        }


def start(home: Path, *, durable: bool = True, bin_dir: Path | None = None) -> Server:
    """Make sure that the server of this home runs, and return when a connection works.

    A server that runs already is left as it is, whatever the arguments. `durable=False` is for tests: faster, and a
    power failure may cost the data. `bin_dir` holds the programs of another PostgreSQL than the wheel's.
    Raises PostgresUnavailable, with the reason and what to do about it.
    """
    with _clear_errors(home):
        place = _prepare(home)
        with _locked(place.start_lock, fcntl.LOCK_EX):
            if not _is_up_after_waiting(place):
                _launch(place, durable, find_installation(bin_dir, place.root))
            server = Server(place.socket_dir())
            _create_database(server)
            return server


def stop(home: Path) -> bool:
    """Shut the server of this home down, waiting until it is gone; True if one was running.

    Raises PostgresUnavailable if it cannot be ended, or where its folder cannot be read.
    """
    with _clear_errors(home):
        place = _place(home)
        if not place.root.is_dir():
            return False
        with _locked(place.start_lock, fcntl.LOCK_EX):
            was_running = bool(server_processes(place.cluster))
            _clear_away(place)
            place.remove_short_folder()
            return was_running


def is_running(home: Path) -> bool:
    """Whether the server of this home answers. Raises PostgresUnavailable where its folder cannot be read."""
    with _clear_errors(home):
        return _ping(_place(home)) == pq.Ping.OK


@contextlib.contextmanager
def use(home: Path, *, durable: bool = True, bin_dir: Path | None = None) -> Iterator[Server]:
    """The server of this home for the length of a block, shared with all others; the last to leave stops it.

    A user that is killed counts as gone. Raises what `start` and `stop` raise.
    """
    with _clear_errors(home):
        place = _prepare(home)
    with _locked(place.users_lock, fcntl.LOCK_SH) as users:
        try:
            yield start(home, durable=durable, bin_dir=bin_dir)
        finally:
            # Who comes while we stop waits at the lock, and then starts it again.
            if _is_last(users):
                stop(home)


def _place(home: Path) -> ServerFolder:
    return ServerFolder(home.resolve() / "postgres")


def _prepare(home: Path) -> ServerFolder:
    place = _place(home)
    place.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_owner(place.root, os.geteuid())
    place.root.chmod(0o700)
    return place


@contextlib.contextmanager
def _clear_errors(home: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, psycopg.Error) as error:
        raise PostgresUnavailable(f"The embedded PostgreSQL of {home} cannot be used: {error}") from error


@contextlib.contextmanager
def _locked(path: Path, operation: int) -> Iterator[int]:
    # Closing lets go of the lock, also when we are killed. Python does not hand the descriptor on to the server.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, operation)
        yield descriptor
    finally:
        os.close(descriptor)


def _is_last(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _connection_string(server: Server) -> str:
    # An empty hostaddr keeps PGHOSTADDR of the environment away.
    return make_conninfo(
        host=str(server.socket_dir),
        hostaddr="",
        port=server.port,
        user=server.user,
        dbname="postgres",
        connect_timeout=2,
    )


def _ping(place: ServerFolder) -> int:
    # A connection, not a look at a process id. REJECT: it is there, but starts, recovers or shuts down.
    return pq.PGconn.ping(_connection_string(Server(place.socket_dir())).encode())


def _is_up_after_waiting(place: ServerFolder) -> bool:
    """Whether a server answers, with patience for one whose starter was killed; what cannot answer is ended."""
    wait_until(lambda: _ping(place) != pq.Ping.REJECT, RECOVERY_SECONDS)
    wait_until(lambda: _ping(place) == pq.Ping.OK or not server_processes(place.cluster), ANSWER_SECONDS)
    if _ping(place) == pq.Ping.OK:
        return True
    _clear_away(place)
    return False


def _clear_away(place: ServerFolder) -> None:
    if not end_server(place.cluster):
        raise PostgresUnavailable(f"The PostgreSQL server in {place.data} does not end, not even when killed.")
    # PostgreSQL would believe the process id in it, even when that is another program's by now.
    (place.data / "postmaster.pid").unlink(missing_ok=True)


def _launch(place: ServerFolder, durable: bool, installation: Installation) -> None:
    for left_over in place.root.glob("unfinished-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    if not place.data.exists():
        _initialise(place, durable, installation)
    _check_data(place, installation)
    socket_dir = str(place.make_socket_dir()).replace('"', '""')
    settings = {**SETTINGS, "unix_socket_directories": f'"{socket_dir}"', "cluster_name": place.cluster}
    if not durable:
        settings |= FAST_AND_LOSING_DATA_ON_POWER_LOSS
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    if place.log.exists():
        place.log.replace(place.log.with_suffix(".log.old"))
    pid = installation.launch("postgres", "-D", str(place.data), *options, log=place.log)
    wait_until(lambda: _ping(place) == pq.Ping.OK or not is_alive(pid), RECOVERY_SECONDS)
    if _ping(place) != pq.Ping.OK:
        _clear_away(place)
        raise PostgresUnavailable(f"PostgreSQL did not start. The end of {place.log}:\n{_last_lines(place.log)}")


def _initialise(place: ServerFolder, durable: bool, installation: Installation) -> None:
    """Make the data folder: under another name first, so that a half-made one is never taken for it."""
    _check_user_has_a_name()
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=place.root))
    os.chown(unfinished, *server_owner())
    options = INITDB_OPTIONS if durable else [*INITDB_OPTIONS, "--no-sync"]
    finished = installation.run("initdb", *options, "-D", str(unfinished))
    if finished.returncode != 0:
        raise PostgresUnavailable(f"initdb could not make {place.data}:\n{finished.stdout.strip()}")
    unfinished.rename(place.data)


def _check_user_has_a_name() -> None:
    user, _ = server_owner()
    try:
        pwd.getpwuid(user)
    except KeyError:
        raise PostgresUnavailable(
            f"PostgreSQL's initdb needs a user with a name, and user id {user} has none in /etc/passwd. Add one."
        ) from None


def _check_data(place: ServerFolder, installation: Installation) -> None:
    check_owner(place.data, server_owner()[0])
    version = (place.data / "PG_VERSION").read_text().strip()
    major = installation.major_version()
    if version != major:
        raise PostgresUnavailable(
            f"{place.data} was made by PostgreSQL {version}, and this is PostgreSQL {major}. Move the folder away to "
            f"start with an empty database, or choose another IVSVOD_HOME."
        )


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:])


def _create_database(server: Server) -> None:
    with psycopg.connect(_connection_string(server), autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [server.database]).fetchone()
        if found is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(server.database)))
