"""What the list of videos shows of each."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.db.models import F
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_app.times import NOTHING, clock, zoned
from ondemand.editing import edited_values, versions_of
from ondemand.listing import Listing
from ondemand.models import Video
from ondemand.pictures import video_picture

IN_PLACE = ("title", "tags")


class VideoColumns(admin.ModelAdmin):
    """One method a fact."""

    def get_list_display(self, request: HttpRequest) -> tuple[object, ...]:  # type: ignore[override]
        """The columns; the title leads to the page of its video, and from there back to this list."""
        kept: Any = {"preserved_filters": self.get_preserved_filters(request), "opts": self.opts}

        @admin.display(description=gettext_lazy("title"))
        def title(video: Video) -> str:
            address = reverse("admin:ondemand_video_change", args=[video.pk])
            return _title_cell(video, add_preserved_filters(kept, address))

        return ("picture", title, "word", "files", "channel_name", "start", "length")

    @admin.display(description=gettext_lazy("picture"))
    def picture(self, video: Video) -> SafeString:
        """A thumbnail."""
        url = video_picture(video, to_curator=video.to_curator)  # type: ignore[attr-defined]
        if url is None:
            return format_html('<span class="no-picture">{}</span>', _("No picture"))
        told = _("Picture of {title}").format(title=title_of(video))
        return format_html('<img class="thumbnail" loading="lazy" src="{}" alt="{}">', url, told)

    @admin.display(description=gettext_lazy("channel"))
    def channel_name(self, video: Video) -> SafeString:
        """The channel; its uuid where there is no such channel."""
        return format_html("<bdi>{}</bdi>", video.channel or video.channel_id or NOTHING)

    # The index has this order; no other order has one.
    @admin.display(description=gettext_lazy("start"), ordering=F("started_at").asc(nulls_first=True))
    def start(self, video: Video) -> str:
        """When the recording began."""
        return zoned(video.started_at)

    @admin.display(description=gettext_lazy("duration"))
    def length(self, video: Video) -> str:
        """h:mm:ss; a dash where it is not known."""
        return clock(video.duration) if video.duration_ms else NOTHING

    @admin.display(description=gettext_lazy("listing"))
    def word(self, video: Video) -> SafeString:
        """Whether people find it, and the gravest of the reasons why not."""
        reasons = video.listing_reasons_at(timezone.now())
        badge = format_html('<span class="badge badge-{}">{}</span>', reasons.word, reasons.word.label)
        why = [reasons.sentences[0]] if reasons.word != Listing.LISTED else []
        if video.playback == Video.Playback.GRANT:
            why.append(_("Private channel: its files are for curators only."))
        return badge + format_html_join("", '<span class="reason">{}</span>', ((text,) for text in why))

    @admin.display(description=gettext_lazy("files"))
    def files(self, video: Video) -> SafeString:
        """What is known of its files, and the first of the reasons."""
        word = video.qa or Video.Qa.UNVERIFIED.value
        label = video.get_qa_display() or Video.Qa.UNVERIFIED.label
        shows_files = video.shows_files(to_curator=video.to_curator)  # type: ignore[attr-defined]
        reasons = (video.qa_reasons if shows_files else None) or []
        reason = next((str(reason) for reason in reasons), "")
        return format_html('<span class="badge badge-qa-{}" title="{}">{}</span>', word, reason, label)


def _title_cell(video: Video, address: str) -> str:
    values = edited_values(video)
    context = {
        "video": video,
        "address": address,
        "title": values["title"],
        "tags": values["tags"],
        "tags_text": "\n".join(values["tags"]),
        "versions": versions_of(values, IN_PLACE),
        "in_place": reverse("admin:ondemand_video_in_place", args=[video.pk]),
        "nothing": NOTHING,
    }
    return render_to_string("admin/ondemand/video/title_cell.html", context)


def title_of(video: Video) -> str:
    """The title; the uuid where there is none."""
    content = video.shown_content
    return (content and content.title) or str(video.uuid)
