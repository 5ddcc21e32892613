"""The processes of an embedded PostgreSQL server, found by command line.

The process id in a file that a killed server left behind may belong to another program by now.
"""

import contextlib
import signal
import time
from collections.abc import Callable

import psutil

SHUTDOWN_SECONDS = 60.0
_KILL_SECONDS = 5.0
_POLL_SECONDS = 0.02


def server_processes(cluster: str) -> list[psutil.Process]:
    """Return all processes of the server with this cluster name, also those that outlive a killed postmaster."""
    # The command line of any process can be read. The working folder of another user's process cannot, not even by
    # root in a container without SYS_PTRACE. A zombie has no command line.
    processes = ((process, " ".join(process.info["cmdline"] or [])) for process in psutil.process_iter(["cmdline"]))
    return [process for process, line in processes if cluster in line and "postgres" in line]


def end_server(cluster: str) -> None:
    """Shut the server down, and kill what still runs after a minute."""
    for process in server_processes(cluster):
        # SIGINT means "fast shutdown" to the postmaster alone.
        if f"cluster_name={cluster}" in process.info["cmdline"]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGINT)
    if wait_until(lambda: not server_processes(cluster), SHUTDOWN_SECONDS):
        return
    for process in server_processes(cluster):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    wait_until(lambda: not server_processes(cluster), _KILL_SECONDS)


def is_alive(pid: int) -> bool:
    """Return whether the process runs; a zombie does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for the condition at most this long, and return whether it came true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
