"""Calls to AWS that are repeated after a pause while AWS throttles them."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from common import aws

Answer = TypeVar("Answer")
Item = TypeVar("Item")

# Seconds between the tries, beside those that the client makes by itself.
_PAUSES = (1, 2, 4, 8)


def call_paced(call: Callable[..., Answer], **arguments: Any) -> Answer:
    """Call AWS, and again after a pause while it throttles; raise the AwsError of the last try."""
    for seconds in _PAUSES:
        try:
            return call(**arguments)
        except aws.AwsError as error:
            if error.kind is not aws.AwsErrorKind.THROTTLED:
                raise
            aws.pause(seconds)
    return call(**arguments)


def call_or_none(call: Callable[..., Answer], **arguments: Any) -> Answer | None:
    """Return the answer of `call_paced`, or None if AWS does not have the resource."""
    try:
        return call_paced(call, **arguments)
    except aws.AwsError as error:
        if error.kind is not aws.AwsErrorKind.NOT_FOUND:
            raise
        return None


def pages(call: Callable[..., aws.Page[Item]], **arguments: Any) -> Iterator[list[Item]]:
    """Yield the pages of a list lazily; raises as `call_paced` does."""
    page = call_paced(call, **arguments)
    yield page.items
    while page.next_token:
        page = call_paced(call, **arguments, token=page.next_token)
        yield page.items
