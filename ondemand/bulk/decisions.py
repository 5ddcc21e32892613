"""The columns that a bulk change writes of one video: pure decisions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ondemand.models import BulkChange, BulkChangeRow, Video
from ondemand.videos.editing import awaits_decision
from ondemand.videos.limits import MOST_TAGS
from ondemand.videos.services import EMPTY_CONTENT, shown_or_hidden

Kind = BulkChange.Kind
Outcome = BulkChangeRow.Outcome
Columns = dict[str, Any]


@dataclass(frozen=True)
class Decision:
    """The outcome for one video and, where it is written, its columns; None removes the content."""

    outcome: Outcome
    columns: Columns | None = None

    @property
    def is_written(self) -> bool:
        """Return whether the row is to be written."""
        return self.outcome in {Outcome.CHANGED, Outcome.UNDONE}


def video_columns(kind: str, video: Video, values: Mapping[str, Any]) -> Columns:
    """Return the columns that a change writes of a video; the same names for every video that it changes."""
    return _VIDEO_COLUMNS[Kind(kind)](video, values)


def video_decision(kind: str, video: Video, values: Mapping[str, Any]) -> Decision:
    """Decide what a change writes of a video."""
    columns = video_columns(kind, video, values)
    is_same = all(getattr(video, name) == value for name, value in columns.items())
    return Decision(Outcome.SAME) if is_same else Decision(Outcome.CHANGED, columns)


def content_decision(kind: str, video: Video, values: Mapping[str, Any]) -> Decision:
    """Decide what a change writes of the content of a video: its tags, or the whole of a content that is missing.

    As with every change of content, a duplicate that shows the content of the first row gets a copy of it.
    """
    shown = video.shown_content
    tags = shown.shown_tags if shown else []
    written = tags_after(kind, tags, values["tags"], values.get("to", ""))
    if written == tags:
        return Decision(Outcome.SAME)
    if len(written) > max(MOST_TAGS, len(tags)):
        return Decision(Outcome.TOO_MANY_TAGS)
    if video.own_content is not None:
        return Decision(Outcome.CHANGED, {"tags": written})
    # No text of it is NULL: the audit entry then has all of them, by which undoing knows that the content was created.
    copied = {name: getattr(shown, name, None) or empty for name, empty in EMPTY_CONTENT.items()}
    return Decision(Outcome.CHANGED, {**copied, "tags": written})


def tags_after(kind: str, tags: list[str], named: list[str], to: str = "") -> list[str]:
    """Return the tags of a video after the change: each once, in their order, new ones at the end."""
    if kind == Kind.ADD_TAGS:
        changed = [*tags, *named]
    elif kind == Kind.REMOVE_TAGS:
        changed = [tag for tag in tags if tag not in named]
    else:
        changed = [to if tag in named else tag for tag in tags]
    return changed if changed == tags else list(dict.fromkeys(changed))


def dates_have_no_effect(video: Video, values: Mapping[str, Any]) -> bool:
    """Return whether a schedule leaves a video unchanged: it has a date, and nobody decided that the video is shown."""
    has_date = bool(values.get("publish_from") or values.get("publish_until"))
    return has_date and not values.get("shown") and awaits_decision(video)


def _schedule(video: Video, values: Mapping[str, Any]) -> Columns:
    if dates_have_no_effect(video, values):
        return {}
    moments = {name: values.get(name) for name in ("publish_from", "publish_until")}
    window = {name: datetime.fromisoformat(text) if text else None for name, text in moments.items()}
    if not values.get("shown"):
        return window
    # The same columns of every row, since one statement writes them.
    shown = shown_or_hidden(video, shown=True)
    return {**window, **(shown if awaits_decision(video) else {name: getattr(video, name) for name in shown})}


_VIDEO_COLUMNS: dict[Kind, Callable[[Video, Mapping[str, Any]], Columns]] = {
    Kind.SHOW: lambda video, values: shown_or_hidden(video, shown=True),
    Kind.HIDE: lambda video, values: shown_or_hidden(video, shown=False),
    Kind.LIST: lambda video, values: {"visibility": Video.Visibility.PUBLIC.value, "awaits_review": False},
    Kind.UNLIST: lambda video, values: {"visibility": Video.Visibility.UNLISTED.value, "awaits_review": False},
    Kind.SCHEDULE: _schedule,
    Kind.CHECK: lambda video, values: {"qa": Video.Qa.UNVERIFIED.value, "qa_reasons": None},
}
