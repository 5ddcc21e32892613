"""Review bar of the video page: decision buttons, navigation to the next video, and undo."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.views.main import PAGE_VAR
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from channels_app.admin import list_address
from common.admin import pages
from common.audit import actor_operation
from common.sql.rows import count_shown
from ondemand.admin.forms import VideoForm
from ondemand.admin.navigation import FILTERS, VideoQueue, is_of_list, queue_of
from ondemand.admin.trim_join_clip import EditPages
from ondemand.bulk.decisions import Outcome
from ondemand.bulk.undo import publication_undo
from ondemand.models import Video
from ondemand.models.publication import Listing
from ondemand.videos.form_values import HIDDEN, SHOWN
from ondemand.videos.services import GrantNeededError
from ondemand.videos.titles import display_title

# Query parameter: how many videos left the list since the review began. Keeps “3 of 40” stable.
DECIDED = "_decided"
_MOST_DECIDED = 999_999


@dataclass(frozen=True)
class ReviewButton:
    """A decision button: form values that it sets, expected listing, success message. A phone shows `short_label`."""

    name: str
    label: Any
    short_label: Any
    key: str
    values: Mapping[str, str]
    listing: Listing
    done: Any

    def reasons_against(self, video: Video) -> list[str]:
        """Return why the video lacks the listing of this button, as one sentence in a list; empty if it has it."""
        reasons = video.listing_reasons_at(timezone.now())
        return [] if reasons.result == self.listing else [reasons.sentence]


REVIEW_BUTTONS = {
    button.name: button
    for button in (
        ReviewButton(
            "publish",
            gettext_lazy("Publish & next"),
            pgettext_lazy("a decision about a video", "Publish"),
            "P",
            {"shown": SHOWN, "visibility": Video.Visibility.PUBLIC.value},
            Listing.LISTED,
            pgettext_lazy("a decision about a video", "Published “{title}”."),
        ),
        ReviewButton(
            "unlist",
            gettext_lazy("Unlisted & next"),
            pgettext_lazy("a decision about a video", "Unlisted"),
            "U",
            {"shown": SHOWN, "visibility": Video.Visibility.UNLISTED.value},
            Listing.UNLISTED,
            pgettext_lazy("a decision about a video", "“{title}” is unlisted."),
        ),
        ReviewButton(
            "hide",
            gettext_lazy("Hide & next"),
            pgettext_lazy("a decision about a video", "Hide"),
            "H",
            {"shown": HIDDEN},
            Listing.HIDDEN,
            pgettext_lazy("a decision about a video", "“{title}” is hidden."),
        ),
    )
}


def decision_of(form: VideoForm) -> ReviewButton | None:
    """Return the decision that the changed fields make; None if they make none."""
    changed, chosen = form.changes().keys(), form.cleaned_data.items()
    return next(
        (
            button
            for button in REVIEW_BUTTONS.values()
            if button.values.items() <= chosen and button.values.keys() & changed
        ),
        None,
    )


class DecisionPages(EditPages):
    """The views that lead from one video of a list to the next, and the one that undoes a decision."""

    def get_urls(self) -> list[URLPattern]:
        may_see, may_change = self.has_view_or_change_permission, self.has_change_permission
        return [
            self.video_path("next", self.next_view, has_permission=may_see, post_only=False),
            self.video_path("undo", self.undo_view, has_permission=may_change),
            *super().get_urls(),
        ]

    def next_view(self, request: HttpRequest, video: Video) -> HttpResponse:
        """Skip the video: change nothing, and open the next one."""
        return self.go_on(request, queue_of(request, self), video, decided(request))

    def undo_view(self, request: HttpRequest, video: Video) -> HttpResponse:
        """Restore the publication before a decision of the caller, and open the video again."""
        # PostgreSQL raises an error for NUL.
        operation = request.POST.get("operation", "").replace("\0", "")
        try:
            outcome = publication_undo(video_uuid=video.pk, operation=operation)
        except GrantNeededError:
            outcome = Outcome.GRANT_NEEDED
        level, message = _UNDO_MESSAGES.get(outcome, _NOT_UNDONE)
        self.message_user(request, str(message).format(title=display_title(video)), level)
        return HttpResponseRedirect(self.address(request, "change", video.pk, decided=decided(request)))

    def go_on(self, request: HttpRequest, queue: VideoQueue, video: Video, decided_count: int) -> HttpResponse:
        """Redirect to the next video, or to the list after the last one."""
        following = queue.following(video)
        if following is not None:
            return HttpResponseRedirect(self.address(request, "change", following, decided=decided_count))
        left = queue.place(video).count
        message = _("That was the last one: nothing is left in this list.")
        if left:
            message = ngettext(
                "That was the last one. {count} video is left in this list.",
                "That was the last one. {count} videos are left in this list.",
                left,
            ).format(count=count_shown(left, pages.COUNTED))
        self.message_user(request, message, messages.INFO)
        return HttpResponseRedirect(self.queue_address(request))

    def decision_message(self, request: HttpRequest, button: ReviewButton, video: Video) -> SafeString:
        """Return what was decided about the saved video, with a button that undoes it."""
        sentences = [str(button.done).format(title=display_title(video)), *button.reasons_against(video)]
        undo = {
            "address": self.address(request, "undo", video.pk, decided=decided(request)),
            "operation": actor_operation(),
        }
        form = render_to_string("admin/ondemand/video/undo.html", undo, request)
        return format_html("{} {}", " ".join(sentences), SafeString(form))

    def queue_address(self, request: HttpRequest) -> str:
        """Return the address of the list through which decisions lead."""
        return self.address(request, "changelist") if is_of_list(request) else list_address(Video, review="yes")

    def get_preserved_filters(self, request: HttpRequest) -> str:
        """Return the filters of the list; for the list without any its first page, so that links lead back to it."""
        kept = super().get_preserved_filters(request)
        match = request.resolver_match
        is_list = match is not None and match.url_name == "ondemand_video_changelist"
        return kept or (urlencode({FILTERS: f"{PAGE_VAR}=1"}) if is_list else "")

    def address(self, request: HttpRequest, name: str, *arguments: Any, decided: int = 0) -> str:
        """Return an address of the admin of videos that keeps the filters of the list."""
        address = reverse(f"admin:ondemand_video_{name}", args=arguments)
        context: dict[str, Any] = {"preserved_filters": self.get_preserved_filters(request), "opts": self.opts}
        return add_preserved_filters(context, f"{address}?{DECIDED}={decided}" if decided else address)

    def bar(self, request: HttpRequest, queue: VideoQueue, video: Video, *, may_decide: bool) -> dict[str, Any]:
        """Return what the bar shows: the decisions, and where the video stands in the list."""
        place, already = queue.place(video), decided(request)
        position = ""
        if place.number is not None:
            is_more = place.count > pages.COUNTED
            text = _("{number} of more than {count}") if is_more else _("{number} of {count}")
            number, count = place.number + already, pages.COUNTED if is_more else place.count + already
            number_text, count_text = (number_format(each, force_grouping=True) for each in (number, count))
            position = text.format(number=number_text, count=count_text)
        return {
            "buttons": list(REVIEW_BUTTONS.values()) if may_decide else [],
            "position": position,
            "skip_address": self.address(request, "next", video.pk, decided=already),
            "queue_address": self.queue_address(request),
        }


def decided(request: HttpRequest) -> int:
    """Return how many videos the decisions on the way to this page took off the list."""
    text = request.GET.get(DECIDED, "")
    return min(int(text), _MOST_DECIDED) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


_UNDO_MESSAGES = {
    Outcome.UNDONE: (messages.SUCCESS, gettext_lazy("Undone: the publication of “{title}” was restored.")),
    Outcome.CHANGED_SINCE: (
        messages.WARNING,
        gettext_lazy("Nothing was undone: somebody has changed the publication of “{title}” since."),
    ),
    Outcome.GRANT_NEEDED: (
        messages.WARNING,
        gettext_lazy("Nothing was undone: “{title}” shows another recording that is played with a grant alone."),
    ),
}
_NOT_UNDONE = (
    messages.WARNING,
    gettext_lazy("Nothing was undone: the audit log does not have this decision about “{title}”."),
)
