"""Asking AWS without haste: a call that comes too often is made again later, and long lists come page by page."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from channels_app import aws

Answer = TypeVar("Answer")
Item = TypeVar("Item")

# Seconds between the tries of what AWS throttles, beside those that the client makes by itself.
_PAUSES = (1, 2, 4, 8)


def ask(call: Callable[..., Answer], **arguments: Any) -> Answer:
    """Call, and call again after a pause where AWS says that it is asked too often.

    Raises:
        AwsError: as the call does; kind `throttled` when it said so to the end.
    """
    for seconds in _PAUSES:
        try:
            return call(**arguments)
        except aws.AwsError as error:
            if error.kind is not aws.Kind.THROTTLED:
                raise
            aws.pause(seconds)
    return call(**arguments)


def pages(call: Callable[..., aws.Page[Item]], **arguments: Any) -> Iterator[list[Item]]:
    """The pages of a list, each asked for when it is wanted; raises as `ask` does."""
    page = ask(call, **arguments)
    yield page.items
    while page.next_token:
        page = ask(call, **arguments, token=page.next_token)
        yield page.items


def ask_unless_missing(call: Callable[..., Answer], **arguments: Any) -> Answer | None:
    """`ask`; None where AWS has no such thing."""
    try:
        return ask(call, **arguments)
    except aws.AwsError as error:
        if error.kind is not aws.Kind.NOT_FOUND:
            raise
        return None
