"""Concurrent edits of a video: the values that somebody else saved, beside the values of the submitted form."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from channels_app.models import AuditEntry
from common.audit import Way
from common.rest.times import zoned
from ondemand.admin.forms import VideoForm
from ondemand.models import Video
from ondemand.videos.form_values import CONTENT, edited_values, version_text, versions_of

# Form fields that the audit log records under other names.
_LOGGED = {"shown": ("active", "held", "awaits_review")}


def conflict_of(form: VideoForm, video: Video) -> tuple[VideoForm, dict[str, Any]]:
    """Return a form that can be saved over `video` as it is now, and the conflict for its template.

    The form keeps the submitted changes. A field that only somebody else changed takes the saved value, so that
    submitting the form again does not undo it; of such a field `mine` is None.
    """
    names, seen = form.names, form.seen
    theirs, mine = edited_values(video), {**form.values, **form.cleaned_data}
    now, submitted = versions_of(theirs, names), versions_of(mine, names)
    changed = [name for name in names if now[name] != seen.get(name)]
    taken_over = [name for name in changed if submitted[name] == seen.get(name)]
    disputed = [name for name in changed if name not in taken_over and now[name] != submitted[name]]
    data = form.sent()
    for name in taken_over:
        data[name] = form.fields[name].prepare_value(theirs[name]) or ""
    data["version"] = version_text(now)
    differences = [
        {
            "label": form.fields[name].label,
            "theirs": form.text_of(name, theirs[name]),
            "mine": None if name in taken_over else form.text_of(name, mine[name]),
        }
        for name in changed
        if name in taken_over or name in disputed
    ]
    # Nothing is disputed if the same person saved the same values in another window.
    who, when = _last_change(video, disputed or changed)
    # Without files: an uploaded picture is stored by now, and its URL is in the data.
    return VideoForm(data, video=video, names=names), {"differences": differences, "who": who, "when": when}


def _last_change(video: Video, names: Iterable[str]) -> tuple[str, str]:
    """Return the account and the time of the last change of these fields; empty if the audit log has none."""
    content_fields = [name for name in names if name in CONTENT]
    video_fields = [field for name in names if name not in CONTENT for field in _LOGGED.get(name, (name,))]
    content = video.shown_content
    # A duplicate may show the content of the first row.
    of_content = Q(object_pk=str(content.video_id if content else video.pk), changes__has_any_keys=content_fields)
    of_video = Q(object_pk=str(video.pk), changes__has_any_keys=video_fields)
    entry = AuditEntry.objects.filter(of_content | of_video, content_type__model="video").order_by("-id").first()
    if entry is None:
        return "", ""
    way = "" if entry.way == Way.ADMIN else f" ({Way(entry.way).label})"
    return f"{entry.actor_name or _('somebody')}{way}", zoned(entry.timestamp)
