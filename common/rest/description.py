"""Describe the operations of the API at their actions, as plain data.

`manage.py openapi` reads it, and ViewSets take the serializer of a body from it. Production has no drf-spectacular.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Action = TypeVar("Action", bound=Callable[..., Any])


@dataclass(frozen=True)
class Answer:
    """An answer: its serializers (a caller gets one of them), or a JSON schema; None if it has no body.

    `page_of` is the name of the rows of a list. An example is needed only where the schema does not give one.
    """

    content: type | tuple[type, ...] | dict[str, Any] | None
    text: str
    example: Any = None
    media_type: str = "application/json"
    status: int = 200
    page_of: str = ""


@dataclass(frozen=True)
class Description:
    """The description of an operation; scope, errors, parameters and headers are derived from its view."""

    operation_id: str
    summary: str
    text: str
    answers: tuple[Answer, ...]
    body: type | None
    needs_body: bool


def describe(
    operation_id: str, summary: str, text: str, *answers: Answer, body: type | None = None, needs_body: bool = True
) -> Callable[[Action], Action]:
    """Describe an action of a view."""

    def described(action: Action) -> Action:
        action.description = Description(operation_id, summary, text, answers, body, needs_body)  # type: ignore[attr-defined]
        return action

    return described


def body_of(view: Any) -> type | None:
    """Return the serializer of the body of the action that a ViewSet runs; None if it takes no body."""
    description: Description | None = getattr(getattr(view, view.action or "", None), "description", None)
    return description.body if description else None


def page_of(name: str, *serializers: type) -> Answer:
    """Return the answer of a list, whose rows are called `name`."""
    return Answer(serializers, "A page.", page_of=name)


DONE = Answer({"type": "string", "const": "OK"}, "Done.", media_type="text/plain")
