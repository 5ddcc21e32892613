"""Paths in a recording; pure."""

# A key of S3 has at most 1024 bytes, the prefix of the recording included.
_LONGEST = 800


def is_inside(path: str) -> bool:
    """Whether a path stays below the place that it is joined to, and is no longer than a key may be."""
    return not {"", ".", ".."} & set(path.split("/")) and len(path.encode()) <= _LONGEST
