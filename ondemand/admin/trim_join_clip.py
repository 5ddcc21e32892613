"""The section of the page of a video that trims, joins and clips it."""

import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from channels_app.admin import account_of
from common.aws import AwsError
from common.errors import ServiceError
from common.rest.scopes import account_has_scope
from common.rest.times import clock, zoned
from common.rest.uuids import parse_uuid
from ondemand.admin.views import VideoView
from ondemand.models import Video, evenly_spread
from ondemand.playback.edit_services import (
    EditOutdatedError,
    PreparedEdit,
    clip_create,
    clip_prepare,
    join_prepare,
    trim_prepare,
    unjoin_prepare,
    video_join,
    video_unjoin,
)
from ondemand.playback.parts import EditError
from ondemand.playback.suggestions import beside, suggestions_for
from ondemand.videos.files import RECORDING, CatalogueReader
from ondemand.videos.form_values import one_line
from ondemand.videos.limits import LONGEST_MS, TITLE_LENGTH
from ondemand.videos.services import VideoNotFoundError, video_update
from ondemand.videos.titles import display_title

_PICTURES = 16
Write = Callable[[HttpRequest, Video], tuple[Video, str]]


class EditView(VideoView):
    """The view that the buttons of the section post to; one of them shows the result first."""

    def is_allowed(self) -> bool:
        return may_edit(self.request)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Write the edit of the pressed button, or return what it would show as JSON."""
        video = self.video
        name = next((name for name in _WRITES if name in request.POST), "_preview")
        try:
            if name == "_preview":
                return JsonResponse(_preview(_wanted(request, video, for_clip=not _is_own(video))))
            video, message = _WRITES[name](request, video)
        except EditError as error:
            refusal = _("This cannot be shown: {reason}.").format(reason=error)
        except VideoNotFoundError:
            # The base answers it.
            raise
        except ServiceError as error:
            refusal = error.for_staff()
        except AwsError as error:
            text = _("Amazon S3 cannot be read: {message} ({kind}). Nothing was changed; try again.")
            refusal = text.format(message=error.message, kind=error.kind)
        else:
            self.message(message)
            return HttpResponseRedirect(reverse("admin:ondemand_video_change", args=[video.pk]))
        if name == "_preview":
            return JsonResponse({"refusal": refusal})
        self.message(refusal, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:ondemand_video_change", args=[video.pk]))


def may_edit(request: HttpRequest) -> bool:
    """Return whether the caller may see the files of all videos, and change videos."""
    return account_has_scope(request.user, "curate") and request.user.has_perm("ondemand.change_video")


def edit_section(
    request: HttpRequest, video: Video, reader: CatalogueReader, player_url: str | None
) -> dict[str, Any] | None:
    """Return what the section shows; None if the caller may not edit, or there is nothing to show.

    `whole` is the URL of the playlist in whose times the handles stand: that of the whole recording, unless the video
    is joined or a clip.
    """
    if not may_edit(request) or not video.is_playable or not player_url:
        return None
    is_own = _is_own(video)
    length_ms = (video.duration_ms or 0) if is_own else video.length_ms
    trim = video.trim or {}
    joinable = beside(video) if is_own and video.part_of_id is None and video.duplicate_of_id is None else []
    suggested = suggestions_for(video, joinable)
    paths = video.recorded_pictures if is_own else video.picture_paths
    return {
        "address": reverse("admin:ondemand_video_edit", args=[video.pk]),
        "version": _version(video),
        "length_ms": length_ms,
        "start_ms": trim.get("start_ms") or 0,
        "end_ms": length_ms if trim.get("end_ms") is None else trim["end_ms"],
        "pictures": list(reader.urls(video, evenly_spread(paths, _PICTURES)).values()),
        "whole": _whole_url(video, player_url) if video.trim else player_url,
        "may_trim": is_own and video.part_of_id is None,
        "is_trimmed": video.trim is not None,
        "shown": _shown(video),
        "parts": _links(part["recording"] for part in video.edit or ()) if not is_own else [],
        "is_joined": video.is_joined,
        "whole_of": _links(filter(None, (video.part_of_id,))),
        "clip_of": _links(filter(None, (video.clip_of_id,))),
        "clips": _links(Video.objects.filter(clip_of=video).newest_first().values_list("pk", flat=True)[:20]),
        "suggested_trim": suggested.trim and _window(suggested.trim, length_ms),
        "trim": suggested.trim,
        "others": [
            {"uuid": str(row.pk), "label": _label(row), "is_suggested": row.pk in suggested.join} for row in joinable
        ],
        "joins_suggested": bool(suggested.join),
        "title_length": TITLE_LENGTH,
    }


def _is_own(video: Video) -> bool:
    """Return whether it shows its own recording alone, so that the handles stand in times of the recording."""
    return not video.is_joined and video.clip_of_id is None


def _whole_url(video: Video, player_url: str) -> str | None:
    """Return the URL of the whole recording of a trimmed video, as the player of a curator loads it."""
    is_served_by_grant = "/play/g/" in player_url
    return f"{player_url.rpartition('/')[0]}/{RECORDING}" if is_served_by_grant else video.url_of(video.playlist)


def _shown(video: Video) -> str:
    if video.trim is not None:
        return _window(video.trim, video.duration_ms or 0)
    return ""


def _window(trim: dict[str, int | None], length_ms: int) -> str:
    start, end = trim["start_ms"] or 0, length_ms if trim["end_ms"] is None else trim["end_ms"]
    return _("{start} to {end}").format(start=_clock(start), end=_clock(end))


def _clock(milliseconds: int) -> str:
    return clock(timedelta(milliseconds=milliseconds))


def _links(uuids: Iterable[UUID | str]) -> list[dict[str, str]]:
    ordered = [UUID(str(uuid)) for uuid in uuids]
    found = Video.objects.with_content().in_bulk(ordered)
    return [
        {"address": reverse("admin:ondemand_video_change", args=[uuid]), "title": display_title(found[uuid])}
        for uuid in ordered
        if uuid in found
    ]


def _label(video: Video) -> str:
    times = f"{zoned(video.started_at)}, {clock(video.duration)}"
    content = video.shown_content
    title = one_line(content.shown_title) if content else ""
    return f"{title} · {times}" if title else times


def _version(video: Video) -> str:
    """Return a digest of the edit, which tells a page that it is old."""
    state = json.dumps([video.edit, str(video.part_of_id)])
    return sha256(state.encode()).hexdigest()[:16]


def _require_version(request: HttpRequest) -> Callable[[Video], None]:
    def check(video: Video) -> None:
        if _version(video) != request.POST.get("edit_version"):
            raise EditOutdatedError

    return check


def _milliseconds(request: HttpRequest, name: str) -> int:
    """Return the time of a handle; without the script a browser may send a fraction."""
    text, _point, _fraction = request.POST.get(name, "").partition(".")
    if not (text.isascii() and text.isdecimal() and len(text) <= 15 and int(text) <= LONGEST_MS):
        raise EditError(_("a time is missing"))
    return int(text)


def _wanted(request: HttpRequest, video: Video, *, for_clip: bool) -> PreparedEdit:
    """Return the edit between the handles."""
    start, end = _milliseconds(request, "start_ms"), _milliseconds(request, "end_ms")
    if start >= end:
        raise EditError(_("the end must be after the start"))
    length_ms = video.duration_ms or 0
    if for_clip:
        # The handles of a trimmed video stand in times of its recording.
        before = video.parts[0]["start_ms"] if video.trim else 0
        if end <= before:
            raise EditError(_("the window is cut away"))
        return clip_prepare(video, max(start - before, 0), end - before)
    window = {"start_ms": start or None, "end_ms": None if end >= length_ms else end}
    return trim_prepare(video, window)


def _preview(prepared: PreparedEdit) -> dict[str, Any]:
    """Return the windows that would be played, in times of the recordings, and a sentence about it."""
    if prepared.edited is None:
        return {"text": _("The whole recording is shown."), "windows": []}
    parts = prepared.edited["parts"]
    length = _clock(prepared.edited["duration_ms"])
    if len(parts) > 1:
        text = _("{count} recordings are shown, {length} in all.").format(count=len(parts), length=length)
    else:
        text = _("{start} to {end} is shown, {length} long.").format(
            start=_clock(parts[0]["start_ms"]), end=_clock(parts[0]["end_ms"]), length=length
        )
    return {"text": text, "windows": [[part["start_ms"], part["end_ms"]] for part in parts]}


def _trim(request: HttpRequest, video: Video) -> tuple[Video, str]:
    return _trimmed(request, video, _wanted(request, video, for_clip=False))


def _untrim(request: HttpRequest, video: Video) -> tuple[Video, str]:
    return _trimmed(request, video, trim_prepare(video, None))


def _trimmed(request: HttpRequest, video: Video, prepared: PreparedEdit) -> tuple[Video, str]:
    def check(locked: Video) -> None:
        _require_version(request)(locked)
        prepared.require_unchanged(locked)

    values = dict(prepared.columns)
    video = video_update(video_uuid=video.pk, by=account_of(request), values=values, check=check)
    if video.trim is None:
        return video, _("The whole recording is shown again.")
    return video, _("{window} of the recording is shown.").format(window=_window(video.trim, video.duration_ms or 0))


def _join(request: HttpRequest, video: Video) -> tuple[Video, str]:
    try:
        uuids = [parse_uuid(text) for text in request.POST.getlist("with")]
    except ValueError:
        raise EditError(_("a video is missing")) from None
    if not uuids:
        raise EditError(_("choose the recordings to join"))
    # In the order of their starts.
    rows = Video.objects.filter(pk__in=[video.pk, *uuids]).oldest_first()
    ordered = list(rows.values_list("pk", flat=True))
    prepared = join_prepare(video, [*ordered, *(uuid for uuid in uuids if uuid not in ordered)])
    video = video_join(video_uuid=video.pk, prepared=prepared, check=_require_version(request))
    return video, _("{count} recordings are joined.").format(count=len(video.edit or ()))


def _unjoin(request: HttpRequest, video: Video) -> tuple[Video, str]:
    prepared = unjoin_prepare(video)
    video = video_unjoin(video_uuid=video.pk, prepared=prepared, check=_require_version(request))
    return video, _("The recordings are videos of their own again.")


def _clip(request: HttpRequest, video: Video) -> tuple[Video, str]:
    title = one_line(request.POST.get("clip_title", ""))[:TITLE_LENGTH]
    content: dict[str, Any] = {"title": title.replace("\0", "")} if title else {}
    prepared = _wanted(request, video, for_clip=True)
    made: dict[str, Any] = {"by": account_of(request), "active": False, "content": content}
    clip = clip_create(video_uuid=video.pk, prepared=prepared, check=_require_version(request), **made)
    return clip, _("This is the new clip. It is hidden until somebody shows it.")


_WRITES: dict[str, Write] = {"_trim": _trim, "_untrim": _untrim, "_join": _join, "_unjoin": _unjoin, "_clip": _clip}
