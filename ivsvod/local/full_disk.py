"""Detect a full disk."""

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

# EFBIG (`ulimit -f`) is treated alike.
_NUMBERS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# What PostgreSQL, SQLite and the programs that they run say.
_TEXTS = (
    *("No space left on device", "Check free disk space", "Disk quota exceeded", "disk is full"),
    *("File too large", "File size limit exceeded"),
)
# PostgreSQL needs as much for its next write-ahead log file, and removes what it could not write whole.
_TOO_LITTLE = 16 * 1024 * 1024


def is_disk_full(error: BaseException, folder: Path) -> bool:
    """Return whether an error comes from a disk without room: it or a cause says so, or the folder has hardly any."""
    return any(_says_so(one) for one in _chain(error)) or _free(folder) < _TOO_LITTLE


def _free(folder: Path) -> int:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(existing).free


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _says_so(error: BaseException) -> bool:
    return getattr(error, "errno", None) in _NUMBERS or any(text in str(error) for text in _TEXTS)
