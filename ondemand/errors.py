"""What the services of videos refuse; `ivsvod/api/errors.py` says which answer each one is."""


class VideoNotFoundError(Exception):
    """There is no such video, or the caller may not know of it."""

    def __init__(self) -> None:
        super().__init__("Recording not found")


class TooManyChosenError(Exception):
    """More videos were chosen than are changed at once; told to staff alone, in their language."""


class BulkChangeStateError(Exception):
    """A bulk change is not at the point for what was asked of it; told to staff alone, in their language."""
