"""What a bulk change makes of one video: pure decisions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ondemand.editing import awaits_decision
from ondemand.limits import MOST_TAGS
from ondemand.models import BulkChange, BulkChangeRow, Content, Video
from ondemand.services import CONTENT, EMPTY_CONTENT, shown_or_hidden

Kind = BulkChange.Kind
Outcome = BulkChangeRow.Outcome
Columns = dict[str, Any]
CHECKED = ("qa", "qa_reasons")


@dataclass(frozen=True)
class Decision:
    """What becomes of a row: the columns to write, as JSON has them, and what they are now (None: no such row)."""

    outcome: Outcome
    after: Columns | None = None
    before: Columns | None = None

    @property
    def is_written(self) -> bool:
        """Whether the row is to be written."""
        return self.outcome in {Outcome.CHANGED, Outcome.UNDONE}


def video_columns(kind: str, video: Video, values: Mapping[str, Any]) -> Columns:
    """The columns that a change writes of a video, as Python has them."""
    return _VIDEO_COLUMNS[Kind(kind)](video, values)


def video_decision(kind: str, video: Video, values: Mapping[str, Any]) -> Decision:
    """What a change makes of a video."""
    after = as_json(video_columns(kind, video, values))
    before = as_json({name: getattr(video, name) for name in after})
    return Decision(Outcome.SAME) if after == before else Decision(Outcome.CHANGED, after, before)


def content_decision(kind: str, video: Video, values: Mapping[str, Any]) -> Decision:
    """What a change makes of the content of a video.

    As with every change of content, a duplicate that shows the first row's gets a copy of it.
    """
    shown = video.shown_content
    tags = shown.shown_tags if shown else []
    written = tags_after(kind, tags, values["tags"], values.get("to", ""))
    if written == tags:
        return Decision(Outcome.SAME)
    if len(written) > max(MOST_TAGS, len(tags)):
        return Decision(Outcome.TOO_MANY_TAGS)
    own = video.own_content
    if own is not None:
        return Decision(Outcome.CHANGED, {"tags": written}, {"tags": own.tags})
    copied = (shown and content_columns(shown, CONTENT)) or EMPTY_CONTENT
    return Decision(Outcome.CHANGED, {**copied, "tags": written}, None)


def tags_after(kind: str, tags: list[str], named: list[str], to: str = "") -> list[str]:
    """The tags of a video after the change: each once, in their order, new ones at the end."""
    if kind == Kind.ADD_TAGS:
        changed = [*tags, *named]
    elif kind == Kind.REMOVE_TAGS:
        changed = [tag for tag in tags if tag not in named]
    else:
        changed = [to if tag in named else tag for tag in tags]
    return changed if changed == tags else list(dict.fromkeys(changed))


def undo_decision(now: Columns | None, after: Columns, before: Columns | None) -> Decision:
    """What undoing makes of a row: as it was before, unless somebody changed it since."""
    if now != after:
        return Decision(Outcome.CHANGED_SINCE)
    return Decision(Outcome.UNDONE, before, now)


def content_columns(content: Content | None, names: Any) -> Columns | None:
    """Some columns of a content; None where there is none."""
    return {name: getattr(content, name) for name in names} if content else None


def as_json(columns: Columns) -> Columns:
    """The columns with times as texts, in UTC."""
    texts = {name: value.astimezone(UTC).isoformat() for name, value in columns.items() if isinstance(value, datetime)}
    return {**columns, **texts}


def dates_have_no_effect(video: Video, values: Mapping[str, Any]) -> bool:
    """Return whether a schedule leaves a video as it is: it has a date, and nobody decided that the video is shown."""
    has_date = bool(values.get("publish_from") or values.get("publish_until"))
    return has_date and not values.get("shown") and awaits_decision(video)


def _schedule(video: Video, values: Mapping[str, Any]) -> Columns:
    if dates_have_no_effect(video, values):
        return {}
    moments = {name: values.get(name) for name in ("publish_from", "publish_until")}
    window = {name: datetime.fromisoformat(text) if text else None for name, text in moments.items()}
    if not values.get("shown"):
        return window
    # The same columns of every row: they are written by one statement.
    shown = shown_or_hidden(video, shown=True)
    return {**window, **(shown if awaits_decision(video) else {name: getattr(video, name) for name in shown})}


def _visible(word: Video.Visibility) -> Callable[..., Columns]:
    return lambda video, values: {"visibility": word.value, "awaits_review": False}


_VIDEO_COLUMNS: dict[Kind, Callable[[Video, Mapping[str, Any]], Columns]] = {
    Kind.SHOW: lambda video, values: shown_or_hidden(video, shown=True),
    Kind.HIDE: lambda video, values: shown_or_hidden(video, shown=False),
    Kind.LIST: _visible(Video.Visibility.PUBLIC),
    Kind.UNLIST: _visible(Video.Visibility.UNLISTED),
    Kind.SCHEDULE: _schedule,
    Kind.CHECK: lambda video, values: {"qa": Video.Qa.UNVERIFIED.value, "qa_reasons": None},
}
