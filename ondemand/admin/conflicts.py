"""Two people at one page: what the other one wrote, beside what the second one typed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext as _

from channels_app.audit import Way
from channels_app.models import AuditEntry
from channels_app.times import NOTHING, zoned
from ondemand.editing import CONTENT, PUBLICATION, edited_values, version_text, versions_of
from ondemand.forms import VideoForm, publication_choices
from ondemand.models import Video

# Fields of the page of which the audit log tells by several.
_LOGGED = {"shown": ("active", "held", "awaits_review")}


@dataclass(frozen=True)
class Difference:
    """A field that somebody else changed; `mine` is None where the second one left it alone, and takes theirs over."""

    label: str
    theirs: str
    mine: str | None


@dataclass(frozen=True)
class Conflict:
    """What somebody else wrote, who it was and when, as far as that is known."""

    differences: list[Difference]
    who: str
    when: str


def conflict_of(form: VideoForm, video: Video) -> tuple[VideoForm, Conflict]:
    """The form once more, as it would be saved over `video` as it is now, and what differs.

    What the second one typed stays; what only the other one changed is taken over, so that saving does not undo it.
    """
    names, seen = form.names, form.seen
    theirs, mine = edited_values(video), {**form.values, **form.cleaned_data}
    now, typed = versions_of(theirs, names), versions_of(mine, names)
    changed = [name for name in names if now[name] != seen.get(name)]
    taken_over = [name for name in changed if typed[name] == seen.get(name)]
    disputed = [name for name in changed if name not in taken_over and now[name] != typed[name]]
    data = form.sent()
    for name in taken_over:
        data[name] = form.fields[name].prepare_value(theirs[name]) or ""
    data["version"] = version_text(now)
    differences = [
        Difference(
            str(form.fields[name].label),
            _told(name, theirs[name], video),
            None if name in taken_over else _told(name, mine[name], video),
        )
        for name in changed
        if name in taken_over or name in disputed
    ]
    # The second one may have written something else in another window, of which nothing is in dispute.
    return _form_again(form, video, data), Conflict(differences, *_last_change(video, disputed or changed))


def _form_again(form: VideoForm, video: Video, data: QueryDict) -> VideoForm:
    """The file that was sent along is kept by now, and its URL is in the data."""
    return VideoForm(data, video=video, names=form.names)


def _told(name: str, value: Any, video: Video) -> str:
    if isinstance(value, datetime):
        return zoned(value)
    if name == "tags":
        return ", ".join(value) or NOTHING
    choices = publication_choices(video, {name: value})
    return str(dict(choices[name])[value]) if name in choices else value or NOTHING


def _last_change(video: Video, names: Iterable[str]) -> tuple[str, str]:
    """Who was the last to change one of these fields, and when; empty where the log knows nothing of it."""
    content = video.shown_content
    # A duplicate may show what is written of the first row.
    written = Q(object_pk=str(content.video_id if content else video.pk), changes__has_any_keys=_logged(names, CONTENT))
    decided = Q(object_pk=str(video.pk), changes__has_any_keys=_logged(names, PUBLICATION))
    entry = AuditEntry.objects.filter(written | decided, content_type__model="video").order_by("-id").first()
    if entry is None:
        return "", ""
    name = entry.actor_name or _("somebody")
    way = "" if entry.way == Way.ADMIN else f" ({Way(entry.way).label})"
    return f"{name}{way}", zoned(entry.timestamp)


def _logged(names: Iterable[str], part: Iterable[str]) -> list[str]:
    """The fields of that part as the audit log calls them."""
    return [logged for name in names if name in part for logged in _LOGGED.get(name, (name,))]
