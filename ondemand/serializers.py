"""What goes in and out of the routes of videos."""

from typing import Any

from rest_framework import serializers

from channels_app.fields import PlainTextField
from channels_app.livestate import milliseconds
from ondemand.models import Content, Video


class ContentPutSerializer(serializers.Serializer):
    """The body of `PUT /on-demand/{uuid}`: the whole content; what is absent or null becomes empty."""

    title = PlainTextField(allow_blank=True, allow_null=True, default="")
    description = PlainTextField(allow_blank=True, allow_null=True, default="")
    thumbnail = PlainTextField(allow_blank=True, allow_null=True, default="")
    tags = serializers.ListField(child=PlainTextField(allow_blank=True), allow_null=True, default=list)

    def validate_thumbnail(self, value: str | None) -> str | None:
        """Empty, or a URL that a page can show."""
        if value and not value.lower().startswith(("http://", "https://")):
            raise serializers.ValidationError("Not an http or https URL.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The predecessor writes empty texts where its clients send null."""
        return {name: value or ([] if name == "tags" else "") for name, value in attrs.items()}


def video_document(video: Video) -> dict[str, Any]:
    """A video as lists and `GET /on-demand/{uuid}` show it."""
    return {
        "uuid": str(video.uuid),
        "start_time": milliseconds(video.started_at) if video.started_at else 0,
        "duration_seconds": video.duration_seconds,
        "location": video.location,
        "active": bool(video.active),
        "content": _content_document(video.shown_content),
        "channel": str(video.channel_id) if video.channel_id else None,
        "started_at": video.started_at,
        "ended_at": video.ended_at,
        "status": video.status,
        "thumbnails": video.thumbnails,
        "renditions": video.renditions,
        "stream_ids": video.stream_ids or [],
        "qa": video.qa,
    }


def _content_document(content: Content | None) -> dict[str, Any]:
    if content is None:
        return {}
    return {
        "title": content.title or "",
        "description": content.description or "",
        "tags": content.shown_tags,
        "thumbnail": content.thumbnail or "",
    }


def hit_document(video: Video) -> dict[str, Any]:
    """A hit of `GET /on-demand/search`."""
    return {
        "on_demand_video_uuid": str(video.uuid),
        **_content_document(video.own_content),
        "location": video.location,
        "duration_seconds": video.duration_seconds,
        "start_time": milliseconds(video.started_at) if video.started_at else 0,
        "rank": video.rank,  # type: ignore[attr-defined]
    }


def content_document(content: Content) -> dict[str, Any]:
    """The answer to `PUT /on-demand/{uuid}`."""
    return {
        "uuid": str(content.uuid),
        "on_demand_video_uuid": str(content.video_id),
        **_content_document(content),
        "created_at": content.created_at,
    }
