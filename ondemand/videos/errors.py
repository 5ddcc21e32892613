"""Errors of the services of videos."""

from channels_app.errors import ServiceError


class VideoNotFoundError(ServiceError):
    """There is no such video, or it is not visible to the caller."""

    status_code = 404
    code = "not_found"
    sentence = "Recording not found"


class TooManyChosenError(Exception):
    """More videos were chosen than are changed at once; told to staff alone, in their language."""


class BulkChangeStateError(Exception):
    """A bulk change is not at the point for what was asked of it; told to staff alone, in their language."""
