"""The processes of an embedded PostgreSQL server: found by what they are called, never by a number in a file.

A process id that a killed server left behind may long belong to something else.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
POLL_SECONDS = 0.02

# Fast shutdown first; then at once, leaving recovery to the next start; at last by force (a stopped process).
ENDING = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))


@dataclass(frozen=True)
class ServerProcess:
    pid: int
    is_postmaster: bool


def cluster_name(data: Path) -> str:
    """The name of the server of this data folder, which PostgreSQL shows in the title of each of its processes."""
    return f"ivsvod-{hashlib.sha256(os.fsencode(data)).hexdigest()[:24]}"


def server_processes(name: str) -> list[ServerProcess]:
    """All processes of that server, also those that outlive a killed postmaster."""
    found = []
    for pid, command in _commands():
        is_postmaster = "/postgres -D " in command and f"cluster_name={name}" in command
        if is_postmaster or command.startswith(f"postgres: {name}:"):
            found.append(ServerProcess(pid, is_postmaster))
    return found


def is_alive(pid: int) -> bool:
    """Whether a process that was started a moment ago still runs."""
    # Its command line would not tell: that is empty while the kernel exchanges one program for the next.
    try:
        os.kill(pid, 0)
        return not PROC.is_dir() or "State:\tZ" not in (PROC / str(pid) / "status").read_text()
    except OSError:
        return False


def end_server(name: str) -> bool:
    """End all processes of that server and wait until they are gone; False if one is still there."""
    for number, seconds in ENDING:
        for process in server_processes(name):
            # SIGINT means "fast shutdown" to the postmaster alone; to the others it means other things.
            if process.is_postmaster or number != signal.SIGINT:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, number)
        if wait_until(lambda: not server_processes(name), seconds):
            return True
    return False


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition came true within that time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _commands() -> Iterator[tuple[int, str]]:
    # The command line may be read by everyone; the working folder of another user's process may not, not even
    # by root in a container without SYS_PTRACE.
    if not PROC.is_dir():
        yield from _commands_of_ps()
        return
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                yield int(entry.name), os.fsdecode((entry / "cmdline").read_bytes()).replace("\0", " ")


def _commands_of_ps() -> Iterator[tuple[int, str]]:
    listing = subprocess.run(
        ["/bin/ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, text=True, errors="replace", check=True
    )
    for line in listing.stdout.splitlines():
        pid, _, command = line.strip().partition(" ")
        yield int(pid), command
