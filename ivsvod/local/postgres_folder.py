"""The folder of an embedded PostgreSQL server, and where its socket is."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ivsvod.local.postgres_install import PostgresUnavailable, server_owner
from ivsvod.local.postgres_processes import cluster_name

PORT = 5432  # only a part of the socket's name
SOCKET_PATH_BYTES = 103  # macOS; Linux takes 107


@dataclass(frozen=True)
class ServerFolder:
    """The folder of one server, and what is in it."""

    root: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def log(self) -> Path:
        return self.root / "server.log"

    @property
    def start_lock(self) -> Path:
        return self.root / "start.lock"

    @property
    def users_lock(self) -> Path:
        return self.root / "users.lock"

    @property
    def short_link(self) -> Path:
        return self.root / "short-socket"

    @property
    def cluster(self) -> str:
        return cluster_name(self.data)

    def socket_dir(self) -> Path:
        """Where the socket is; the folder may not exist."""
        own = self.root / "socket"
        if _is_usable_socket_path(own) or not self._has_short_folder():
            return own
        return self.short_link.readlink() / "socket"

    def make_socket_dir(self) -> Path:
        """An empty folder for the socket that nobody else can enter."""
        if not _is_usable_socket_path(self.root / "socket") and not self._has_short_folder():
            self._make_short_folder()
        folder = self.socket_dir()
        # Anew each time: a socket's lock file names a process id that may belong to something else by now.
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        os.chown(folder, *server_owner())
        return folder

    def remove_short_folder(self) -> None:
        """Leave nothing behind in the temporary folder."""
        if self._has_short_folder():
            shutil.rmtree(self.short_link.readlink())
        self.short_link.unlink(missing_ok=True)

    def _has_short_folder(self) -> bool:
        # It may have been cleaned away, and its name taken by another user; or our home is a copy of another one.
        try:
            folder = self.short_link.readlink()
            status = folder.lstat()
            is_private = stat.S_IMODE(status.st_mode) == 0o700 and status.st_uid == os.geteuid()
            return stat.S_ISDIR(status.st_mode) and is_private and (folder / "home").samefile(self.root)
        except OSError:
            return False

    def _make_short_folder(self) -> None:
        parents = [tempfile.gettempdir(), "/tmp"]  # noqa: S108 mkdtemp makes a private folder there
        parent = next(path for path in parents if _is_usable_socket_path(Path(path, "ivsvod-12345678", "socket")))
        folder = Path(tempfile.mkdtemp(prefix="ivsvod-", dir=parent))
        (folder / "home").symlink_to(self.root)
        self.short_link.unlink(missing_ok=True)
        self.short_link.symlink_to(folder)


def _is_usable_socket_path(folder: Path) -> bool:
    # libpq takes a comma for the end of a host.
    return len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_BYTES and "," not in str(folder)


def check_owner(folder: Path, expected: int) -> None:
    owner = folder.stat().st_uid
    if owner != expected:
        raise PostgresUnavailable(
            f"{folder} belongs to the user with id {owner}, and this process would need it to belong to {expected}. "
            "Work as the user who made it, or choose another IVSVOD_HOME."
        )
