"""Detect a full disk."""

import errno
import shutil
from pathlib import Path

# EFBIG (`ulimit -f`) is treated alike.
_NUMBERS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# Parts of the messages of PostgreSQL, SQLite and the programs that they run.
_TEXTS = (
    *("No space left on device", "Check free disk space", "Disk quota exceeded", "disk is full"),
    *("File too large", "File size limit exceeded"),
)
# The size of a write-ahead log file, which PostgreSQL removes if it cannot write it whole.
_TOO_LITTLE = 16 * 1024 * 1024


def is_disk_full(error: BaseException, folder: Path) -> bool:
    """Return whether an error comes from a full disk: it or a cause says so, or the folder has hardly any room left."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    cause: BaseException | None = error
    while cause is not None:
        if getattr(cause, "errno", None) in _NUMBERS or any(text in str(cause) for text in _TEXTS):
            return True
        cause = cause.__cause__ or cause.__context__
    return shutil.disk_usage(existing).free < _TOO_LITTLE
