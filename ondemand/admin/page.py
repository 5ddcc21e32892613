"""The page of a video: its player, content, publication, technical facts and streams."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_app.admin import account_of, list_address
from common.aws import AwsError
from common.rest.scopes import account_has_scope
from common.rest.times import clock, zoned
from ondemand.admin.conflicts import conflict_of
from ondemand.admin.deciding import REVIEW_BUTTONS, ReviewButton, ReviewView, decision_of
from ondemand.admin.facts import documents, failure_of, stream_section, technical_facts
from ondemand.admin.forms import VideoForm, editable_names, posted_zone
from ondemand.admin.navigation import all_videos, is_of_list, queue_of
from ondemand.admin.sharing import share_address
from ondemand.admin.trim_join_clip import edit_section
from ondemand.models import PlaybackGrant, Video
from ondemand.models.publication import Listing, opens
from ondemand.playback.explain import explanation
from ondemand.playback.staff_links import staff_link_url
from ondemand.reconcile.recordings import recording_reconcile
from ondemand.recordings.inspection import video_recheck
from ondemand.videos.chapters import chapter_links
from ondemand.videos.files import CatalogueReader, is_served, is_signed
from ondemand.videos.form_values import VideoChangedError
from ondemand.videos.links import embed_code, public_origin, video_page_url
from ondemand.videos.services import video_update
from ondemand.videos.thumbnails import picture_choices, storyboard, video_picture
from ondemand.videos.titles import display_title, public_title, suggested_title
from ondemand.videos.uploads import picture_store


class VideoPage(ReviewView):
    """The page of a video. It is no ModelForm: a service saves the form, and no AWS call may be in its transaction."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(VideoForm(video=self.video, names=self._names()))

    def post(self, request: HttpRequest) -> HttpResponse:
        names = self._names()
        if not names:
            raise PermissionDenied
        data, button = request.POST.copy(), REVIEW_BUTTONS.get(request.POST.get("_decide", ""))
        if button is not None and "shown" not in names:
            raise PermissionDenied
        for name, value in button.values.items() if button else ():
            data[name] = value
        with timezone.override(posted_zone(request.POST)):
            return self._save(VideoForm(data, request.FILES, video=self.video, names=names), button)

    def _names(self) -> tuple[str, ...]:
        """Return the names of the fields that the caller may edit."""
        may_content = self.request.user.has_perm("ondemand.change_content")
        may_publish = self.model_admin.has_change_permission(self.request)
        names = editable_names(self.video, may_content=may_content, may_publish=may_publish)
        # The choices of a picture are those of the recording.
        sees_files = _reader(self.request).sees_files(self.video)
        return tuple(name for name in names if name != "thumbnail" or sees_files)

    def _save(self, form: VideoForm, button: ReviewButton | None) -> HttpResponse:
        form.full_clean()
        if content := form.cleaned_data.get("picture"):
            # Even if another field is invalid: a browser sends a file once.
            try:
                form.use_picture(picture_store(content))
            except AwsError as error:
                message = _("Amazon S3 did not take the picture: {message} ({kind}). Nothing was saved; try again.")
                form.add_error("picture", message.format(message=error.message, kind=error.kind))
        if not form.is_valid():
            return self._page(form)
        request = self.request
        video, message = form.video, _("Nothing of “{title}” was changed.")
        queue = queue_of(request, self.model_admin) if button or "_next" in request.POST else None
        was_listed = queue is not None and queue.holds(video)
        if form.changes():
            message = _("The video “{title}” was changed successfully.")
            try:
                video = video_update(
                    video_uuid=video.pk, by=account_of(request), values=form.written(), check=form.check
                )
            except VideoChangedError as error:
                form, conflict = conflict_of(form, error.video)
                return self._page(form, conflict=conflict)
        message = message.format(title=display_title(video))
        if (decision := decision_of(form)) is not None:
            message = self.decision_message(decision, video)
        elif button is not None:
            # For example, it is shown, and its publication begins later.
            message = " ".join([message, *button.reasons_against(video)])
        self.message(message)
        if queue is None:
            return self.to_video()
        has_left = was_listed and not queue.holds(video)
        return self.go_on(queue, video, self.decided + has_left)

    def _page(self, form: VideoForm, **more: Any) -> HttpResponse:
        request, video = self.request, form.video
        queue = queue_of(request, self.model_admin)
        walk = queue if is_of_list(request) else all_videos()
        newer, older = walk.newer(video), walk.older(video)
        context = {
            "title": _("Change video") if form.names else _("View video"),
            "subtitle": display_title(video),
            "original": video,
            "object_id": str(video.pk),
            "errors": form.errors,
            "media": self.model_admin.media,
            "form_url": self.address("change", video.pk, decided=self.decided),
            "check_address": self.address("check", video.pk),
            "may_check": self.model_admin.has_change_permission(request, video) and bool(video.prefix),
            "grants_address": request.user.has_perm("ondemand.view_playbackgrant")
            and video.status != Video.Status.FAILED
            and list_address(PlaybackGrant, video__uuid__exact=video.pk),
            "may_see_history": request.user.has_perm("channels_app.view_auditentry"),
            "newer_address": newer and self.address("change", newer),
            "older_address": older and self.address("change", older),
            "list_address": self.address("changelist"),
            "bar": self.bar(queue, video, may_decide="shown" in form.names),
            **_recording_context(request, video),
            **_form_context(request, form),
            **more,
        }
        return self.page("change_form.html", **context)


class CheckView(ReviewView):
    """Check the files of the recording, and show the result."""

    def is_allowed(self) -> bool:
        return bool(self.model_admin.has_change_permission(self.request))

    def post(self, request: HttpRequest) -> HttpResponse:
        level, message = _checked(self.video)
        self.message(message, level)
        return self.to_video()


def _checked(video: Video) -> tuple[int, str]:
    """Check the files, or of a failed recording whether S3 has its end now; return the level and the message."""
    unanswered = messages.ERROR, _("Amazon S3 gave no answer; try again later.")
    if not video.prefix:
        return messages.ERROR, _("It has no files of its own.")
    if video.status != Video.Status.FAILED:
        checked = video_recheck(video)
        if checked.unanswered:
            return unanswered
        return messages.SUCCESS, _("The files were checked: {result}.").format(result=checked.video.get_qa_display())
    findings = recording_reconcile(bucket=video.files_bucket, prefix=video.prefix)
    if any(finding.difference.unanswered for finding in findings):
        return unanswered
    if Video.objects.filter(pk=video.pk, status=Video.Status.AVAILABLE).exists():
        return messages.SUCCESS, _("S3 has the end of this recording: the video is available now.")
    if findings:
        return messages.ERROR, _("S3 has more of this recording, but it could not be used; see Differences and Events.")
    return messages.WARNING, _("S3 has no end of this recording: it stays failed.")


def _reader(request: HttpRequest) -> CatalogueReader:
    return CatalogueReader(is_curator=account_has_scope(request.user, "curate"))


def _recording_context(request: HttpRequest, video: Video) -> dict[str, Any]:
    explained, base = explanation(video, timezone.now()), public_origin(request)
    reader = _reader(request)
    player = player_context(request, video, reader)
    return {
        **player,
        "explained": explained,
        "rules": [*explained.listing.rules, *explained.playing.rules],
        "is_reachable": explained.listing.result in {Listing.LISTED, Listing.UNLISTED},
        "failure": failure_of(video, shows_files=reader.sees_files(video)),
        "start": zoned(video.started_at),
        "length": clock(video.duration) if video.length_ms else "",
        "shows_files": reader.sees_files(video),
        "edits": edit_section(request, video, reader, player["location"]),
        "qa": video.qa or Video.Qa.UNVERIFIED.value,
        "qa_label": video.get_qa_display() or Video.Qa.UNVERIFIED.label,
        "facts": technical_facts(video, replace(reader, origin=base)),
        "documents": documents(video, shows_files=reader.sees_files(video)),
        "streams": stream_section(request, video),
        "share_page": video.status != Video.Status.FAILED and share_address(request, video),
        "page_url": video_page_url(video.pk, base),
        "embed_code": embed_code(video.pk, public_title(video), base),
    }


def player_context(request: HttpRequest, video: Video, reader: CatalogueReader) -> dict[str, Any]:
    """Return what `admin/ondemand/video/video.html` and the bar below it show."""
    return {
        "location": _player_url(request, video, reader),
        "poster": video_picture(video, reader),
        "length_seconds": str(video.duration_seconds),
        "playing": {
            "chapters": chapter_links(video.shown_chapters),
            "pictures": storyboard(list(reader.pictures(video).values())),
        },
    }


def _player_url(request: HttpRequest, video: Video, reader: CatalogueReader) -> str | None:
    """Return the URL that the player loads: where files are signed, a curator's is a link of their own.

    So curators play hidden videos too; others what anyone may open.
    """
    location = reader.location(video)
    if location is None or not is_served(video):
        return location
    if not reader.is_curator:
        return location if opens(video, timezone.now()) else None
    if not is_signed():
        return location
    return staff_link_url(video=video, account=account_of(request), at=timezone.now(), origin=reader.origin)


def _form_context(request: HttpRequest, form: VideoForm) -> dict[str, Any]:
    reader, video = _reader(request), form.video
    pictures, more_pictures = (
        picture_choices(video, form.chosen_picture, reader) if reader.sees_files(video) else ([], [])
    )
    return {
        "form": form,
        "values": form.values,
        "suggested_title": suggested_title(form.video),
        "pictures": pictures,
        "more_pictures": more_pictures,
        "zone": timezone.get_current_timezone_name(),
    }
