"""The page of a video: its player, what people write about it, who finds it, and what is known of it."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import AdminForm
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_app.admin import AuditedAdmin, account_of
from channels_app.aws import AwsError
from channels_app.scopes import account_has_scope
from channels_app.times import clock, zoned
from ondemand.admin.conflicts import conflict_of
from ondemand.admin.facts import documents, stream_section, technical_facts
from ondemand.admin.navigation import is_from_review, neighbours, next_to_review, others_to_review
from ondemand.admin.pictures import picture_choices
from ondemand.editing import VideoChangedError, name_of, offered_title
from ondemand.errors import VideoNotFoundError
from ondemand.forms import VideoForm, editable_names, publication_choices, zone_shown
from ondemand.listing import Listing
from ondemand.models import Video
from ondemand.pictures import video_picture
from ondemand.public_pages import embed_code, public_origin, video_page_url
from ondemand.rechecks import video_recheck
from ondemand.services import video_update
from ondemand.uploads import picture_store

# Of these words the public page opens.
_REACHABLE = {Listing.LISTED, Listing.UNLISTED}


class VideoPage(AuditedAdmin):
    """One video. Its form is no form of the model: the service writes it, and AWS must not be in its transaction."""

    change_form_template = "admin/ondemand/video/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        """The library's, and where a check is asked for."""
        check = path(
            "<path:object_id>/check/", self.admin_site.admin_view(self.check_view), name="ondemand_video_check"
        )
        return [check, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page, or what was typed into it is saved."""
        video: Video | None = self.get_object(request, unquote(object_id))
        if not self.has_view_or_change_permission(request, video):
            raise PermissionDenied
        if video is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        names = self._editable(request, video)
        if request.method != "POST":
            return self._page(request, video, VideoForm(video=video, names=names), extra_context)
        if not names:
            raise PermissionDenied
        with timezone.override(zone_shown(request.POST)):
            return self._save(request, VideoForm(request.POST, request.FILES, video=video, names=names), extra_context)

    def _save(self, request: HttpRequest, form: VideoForm, extra_context: dict[str, Any] | None) -> HttpResponse:
        # Even if something else of the form is wrong: a browser sends a file once.
        _keep_picture(form)
        if form.is_valid():
            try:
                return self._saved(request, form)
            except VideoChangedError as error:
                form, conflict = conflict_of(form, error.video)
                return self._page(request, error.video, form, {"conflict": conflict, **(extra_context or {})})
        return self._page(request, form.video, form, extra_context)

    def _saved(self, request: HttpRequest, form: VideoForm) -> HttpResponse:
        video, changes = form.video, form.changes()
        if changes:
            try:
                written = form.written()
                video = video_update(video_uuid=video.pk, by=account_of(request), values=written, check=form.check)
            except VideoNotFoundError:
                return self._get_obj_does_not_exist_redirect(request, self.opts, str(video.pk))  # type: ignore[attr-defined]
        told = _("The video “{title}” was changed successfully.") if changes else _("Nothing of “{title}” was changed.")
        self.message_user(request, told.format(title=name_of(video)), messages.SUCCESS)
        return HttpResponseRedirect(self._after_save(request, video))

    def _after_save(self, request: HttpRequest, video: Video) -> str:
        if "_continue" in request.POST:
            return self._address(request, "change", video.pk)
        if "_next" in request.POST:
            following = next_to_review(video)
            if following is not None:
                return self._address(request, "change", following.pk)
            self.message_user(request, _("No other video is left to review."), messages.SUCCESS)
        return self._address(request, "changelist")

    def check_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Look at the files of the recording, and show what was found."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        video: Video | None = self.get_object(request, unquote(object_id))
        if not self.has_change_permission(request, video):
            raise PermissionDenied
        if video is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        checked = video_recheck(video)
        if checked.unanswered:
            self.message_user(request, _("Amazon S3 gave no answer; try again later."), messages.ERROR)
        else:
            told = _("The files were checked: {word}.").format(word=checked.video.get_qa_display())
            self.message_user(request, told, messages.SUCCESS)
        return HttpResponseRedirect(self._address(request, "change", video.pk))

    def _page(
        self, request: HttpRequest, video: Video, form: VideoForm, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        admin_form = AdminForm(form, [(None, {"fields": list(form.fields)})], {}, model_admin=self)  # type: ignore[arg-type]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Change video") if form.names else _("View video"),
            "subtitle": name_of(video),
            "original": video,
            "object_id": str(video.pk),
            "adminform": admin_form,
            "inline_admin_formsets": [],
            "errors": form.errors,
            "media": self.media,
            "form": form,
            **_playing(request, video),
            **_editing(request, video, form),
            **self._knowing(request, video),
            **self._going_on(request, video, form),
            **(extra_context or {}),
        }
        return self.render_change_form(request, context, change=True, obj=video)

    def _knowing(self, request: HttpRequest, video: Video) -> dict[str, Any]:
        reasons = video.listing_reasons_at(timezone.now())
        base = public_origin(request)
        return {
            "reasons": reasons,
            "start": zoned(video.started_at),
            "length": clock(video.duration) if video.duration_ms else "",
            "qa": video.qa or Video.Qa.UNVERIFIED.value,
            "qa_label": video.get_qa_display() or Video.Qa.UNVERIFIED.label,
            "facts": technical_facts(video, shows_files=_shows_files(request, video)),
            "documents": documents(video, shows_files=_shows_files(request, video)),
            "streams": stream_section(request, video),
            "page_url": video_page_url(video.pk, base),
            "embed_code": embed_code(video.pk, name_of(video), base),
            "is_reachable": reasons.word in _REACHABLE,
            "is_failed": video.status == Video.Status.FAILED,
            "check_address": self._address(request, "check", video.pk),
            "may_see_history": request.user.has_perm("channels_app.view_auditentry"),
            "may_check": self.has_change_permission(request, video),
        }

    def _going_on(self, request: HttpRequest, video: Video, form: VideoForm) -> dict[str, Any]:
        beside = neighbours(request, self, video)
        addresses = {
            f"{name}_address": found and self._address(request, "change", found.pk)
            for name, found in (("newer", beside.newer), ("older", beside.older))
        }
        has_next = bool(form.names) and others_to_review(video).exists()
        return {
            **addresses,
            "has_next": has_next,
            "leads_on": has_next and is_from_review(request),
            "list_address": self._address(request, "changelist"),
        }

    def _editable(self, request: HttpRequest, video: Video) -> tuple[str, ...]:
        may_content, may_publish = request.user.has_perm("ondemand.change_content"), self.has_change_permission(request)
        names = editable_names(video, may_content=may_content, may_publish=may_publish)
        # Its choices are pictures of the recording.
        return names if _shows_files(request, video) else tuple(name for name in names if name != "thumbnail")

    def _address(self, request: HttpRequest, name: str, *arguments: Any) -> str:
        """An address of the admin of videos, which remembers from which list somebody came."""
        address = reverse(f"admin:ondemand_video_{name}", args=arguments)
        kept: dict[str, Any] = {"preserved_filters": self.get_preserved_filters(request), "opts": self.opts}
        return add_preserved_filters(kept, address)


def _shows_files(request: HttpRequest, video: Video) -> bool:
    return video.shows_files(to_curator=account_has_scope(request.user, "curate"))


def _playing(request: HttpRequest, video: Video) -> dict[str, Any]:
    shows_files = _shows_files(request, video)
    return {
        "shows_files": shows_files,
        "location": video.location if shows_files else None,
        "poster": video_picture(video, to_curator=shows_files),
    }


def _editing(request: HttpRequest, video: Video, form: VideoForm) -> dict[str, Any]:
    choices = publication_choices(video, form.values)
    pictures, more_pictures = picture_choices(video, form.chosen_picture) if _shows_files(request, video) else ([], [])
    return {
        "values": form.values,
        "begins": zoned(form.values["publish_from"]),
        "ends": zoned(form.values["publish_until"]),
        "words": {name: dict(choices[name]).get(form.values[name]) for name in choices},
        "offered_title": offered_title(video),
        "pictures": pictures,
        "more_pictures": more_pictures,
        "zone": timezone.get_current_timezone_name(),
    }


def _keep_picture(form: VideoForm) -> None:
    """Keep the picture that was sent along, if it is one."""
    form.full_clean()
    content = form.cleaned_data.get("picture")
    if content:
        try:
            form.use_picture(picture_store(content))
        except AwsError as error:
            told = _("Amazon S3 did not take the picture: {message} ({kind}). Nothing was saved; try again.")
            form.add_error("picture", told.format(message=error.message, kind=error.kind))
