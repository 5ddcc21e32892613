"""One page of a list of AWS."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Item]):
    """What one call tells of a list, and what the next call needs; empty where this was the last page."""

    items: list[Item]
    next_token: str


def from_token(token: str) -> dict[str, str]:
    """The argument that asks for the page of this token; none for the first page."""
    return {"nextToken": token} if token else {}
