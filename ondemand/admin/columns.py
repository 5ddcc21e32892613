"""What lists and pages show of a video."""

import json
from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from channels_app.models import Channel
from channels_app.times import zoned
from ondemand.models import Video
from ondemand.pictures import video_picture

NOTHING = "–"  # noqa: RUF001


class VideoColumns(admin.ModelAdmin):
    """One method a fact."""

    @admin.display(description="picture")
    def picture(self, video: Video) -> SafeString:
        """A thumbnail."""
        url = video_picture(video)
        if url is None:
            return format_html('<span class="no-picture">{}</span>', "No picture")
        return format_html('<img class="thumbnail" loading="lazy" src="{}" alt="Picture of {}">', url, title_of(video))

    @admin.display(description="title", ordering="content__title")
    def title(self, video: Video) -> SafeString:
        """The title in its own writing direction; a dash where there is none."""
        content = video.shown_content
        return format_html("<bdi>{}</bdi>", (content and content.title) or NOTHING)

    @admin.display(description="channel", ordering="channel__name")
    def channel_name(self, video: Video) -> str:
        """The channel; its uuid where there is no such channel."""
        return str(_channel(video) or video.channel_id or NOTHING)

    @admin.display(description="start", ordering="started_at")
    def start(self, video: Video) -> str:
        """When the recording began."""
        return zoned(video.started_at)

    @admin.display(description="end")
    def end(self, video: Video) -> str:
        """When the recording ended."""
        return zoned(video.ended_at)

    @admin.display(description="duration", ordering="duration_ms")
    def length(self, video: Video) -> str:
        """h:mm:ss; a dash where it is not known."""
        if not video.duration_ms:
            return NOTHING
        minutes, seconds = divmod(video.duration_ms // 1000, 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"

    @admin.display(description="listing")
    def word(self, video: Video) -> SafeString:
        """Whether people find it, or why not."""
        return format_html('<span class="badge badge-{0}">{0}</span>', video.listing_at(timezone.now()))

    @admin.display(description="files")
    def files(self, video: Video) -> SafeString:
        """What is known of its files."""
        return format_html('<span class="badge badge-qa-{0}">{0}</span>', video.qa or Video.Qa.UNVERIFIED.value)

    @admin.display(description="found in the files")
    def files_reasons(self, video: Video) -> SafeString | str:
        """One a line."""
        return format_html_join("", "<div>{}</div>", ((reason,) for reason in video.qa_reasons or [])) or NOTHING

    @admin.display(description="playlist")
    def playlist(self, video: Video) -> str | SafeString:
        """A link to it."""
        return format_html('<a href="{0}">{0}</a>', video.location) if video.location else NOTHING

    @admin.display(description="renditions")
    def shown_renditions(self, video: Video) -> SafeString | str:
        """One a line."""
        return format_html_join("", "<div>{}</div>", ((_rendition(item),) for item in video.renditions)) or NOTHING

    @admin.display(description="stream ids")
    def shown_stream_ids(self, video: Video) -> str:
        """All streams that the recording holds."""
        return ", ".join(video.stream_ids or []) or NOTHING

    @admin.display(description="duplicate of")
    def original(self, video: Video) -> str | SafeString:
        """A link to the video that has the same files."""
        if video.duplicate_of_id is None:
            return NOTHING
        address = reverse("admin:ondemand_video_change", args=[video.duplicate_of_id])
        return format_html('<a href="{}">{}</a>', address, video.duplicate_of_id)

    @admin.display(description="raw data")
    def raw_data(self, video: Video) -> SafeString:
        """The predecessor's column, indented."""
        text = json.dumps(video.data, indent=2, ensure_ascii=False)
        return format_html('<pre class="envelope" tabindex="0">{}</pre>', text)


def title_of(video: Video) -> str:
    """The title; the uuid where there is none."""
    content = video.shown_content
    return (content and content.title) or str(video.uuid)


def _rendition(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    size = f"{item['width']} x {item['height']}" if item.get("width") and item.get("height") else "sound"
    return f"{item.get('path', '')} ({size})"


def _channel(video: Video) -> Channel | None:
    return video.channel
