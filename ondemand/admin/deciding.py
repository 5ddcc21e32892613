"""Review bar of the video page: decision buttons, navigation to the next video, and undo."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from channels_app.admin import list_address
from common.admin import pages
from common.audit import actor_operation
from common.sql.rows import count_shown
from ondemand.admin.forms import VideoForm
from ondemand.admin.navigation import VideoQueue, is_of_list, queue_of
from ondemand.admin.views import VideoView
from ondemand.bulk.decisions import Outcome
from ondemand.bulk.undo import publication_undo
from ondemand.models import Video
from ondemand.models.publication import Listing
from ondemand.videos.form_values import HIDDEN, SHOWN
from ondemand.videos.services import GrantNeededError
from ondemand.videos.titles import display_title


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


class ReviewView(VideoView):
    """A view from which decisions lead to the next video of a list."""

    def go_on(self, queue: VideoQueue, video: Video, decided: int) -> HttpResponse:
        """Redirect to the next video, or to the list after the last one."""
        following = queue.following(video)
        if following is not None:
            return HttpResponseRedirect(self.address("change", following, decided=decided))
        left = queue.place(video).count
        message = _("That was the last one: nothing is left in this list.")
        if left:
            message = ngettext(
                "That was the last one. {count} video is left in this list.",
                "That was the last one. {count} videos are left in this list.",
                left,
            ).format(count=count_shown(left, pages.COUNTED))
        self.message(message, messages.INFO)
        return HttpResponseRedirect(self.queue_address)

    def decision_message(self, button: ReviewButton, video: Video) -> SafeString:
        """Return what was decided about the saved video, with a button that undoes it."""
        sentences = [str(button.done).format(title=display_title(video)), *button.reasons_against(video)]
        address = self.address("undo", video.pk, decided=self.decided)
        undo = {"address": address, "operation": actor_operation()}
        form = render_to_string("admin/ondemand/video/undo.html", undo, self.request)
        return format_html("{} {}", " ".join(sentences), SafeString(form))

    @property
    def queue_address(self) -> str:
        """Return the address of the list through which decisions lead."""
        return self.address("changelist") if is_of_list(self.request) else list_address(Video, review="yes")

    def bar(self, queue: VideoQueue, video: Video, *, may_decide: bool) -> dict[str, Any]:
        """Return what the bar shows: the decisions, and where the video stands in the list."""
        place, already = queue.place(video), self.decided
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
            "skip_address": self.address("next", video.pk, decided=already),
            "queue_address": self.queue_address,
        }


class NextView(ReviewView):
    """Skip the video: change nothing, and open the next one."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.go_on(queue_of(request, self.model_admin), self.video, self.decided)

    post = get


class UndoView(ReviewView):
    """Restore the publication before a decision of the caller, and open the video again."""

    def is_allowed(self) -> bool:
        return bool(self.model_admin.has_change_permission(self.request))

    def post(self, request: HttpRequest) -> HttpResponse:
        # PostgreSQL raises an error for NUL.
        operation = request.POST.get("operation", "").replace("\0", "")
        try:
            outcome = publication_undo(video_uuid=self.video.pk, operation=operation)
        except GrantNeededError:
            outcome = Outcome.GRANT_NEEDED
        level, message = _UNDO_MESSAGES.get(outcome, _NOT_UNDONE)
        self.message(str(message).format(title=display_title(self.video)), level)
        return self.to_video()


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
