"""The documents of videos, which lists, search, single videos, streams and writes show.

Plain functions: a serializer with its fields made 2,000 function calls for each video, these make 45.
"""

from datetime import datetime
from typing import Any

from channels_app.models.live_state import milliseconds
from ondemand.models import Video
from ondemand.search.words import highlight, matching_chapter
from ondemand.videos.files import Reader

# By name in a document, the attribute.
_FOR_CURATORS = {"edit": "edit", "part_of": "part_of_id", "clip_of": "clip_of_id"}
_HIDDEN = dict.fromkeys(_FOR_CURATORS)


def video_document(video: Video, *, at: datetime, reader: Reader) -> dict[str, Any]:
    """Return a video with its listing at that time, and the URLs of its files that the reader may have.

    Times and uuids are objects, which the renderer writes.
    """
    content, metadata, listing = video.shown_content, video.metadata, video.listing_at(at)
    return {
        **_playable(video, reader),
        "uuid": video.uuid,
        # NULL is hidden, as it was for the predecessor.
        "active": bool(video.active),
        "content": {
            "title": content.shown_title,
            "description": content.shown_description,
            "tags": content.shown_tags,
            "thumbnail": reader.chosen_picture(video),
        }
        if content
        else {},
        "channel": video.channel_id,
        "channel_name": reader.channel_name(video),
        "started_at": video.started_at,
        "ended_at": video.ended_at,
        "status": video.status,
        # Undecided videos, whose recording has not ended, are shown with the default.
        "visibility": video.visibility or Video.Visibility.PUBLIC.value,
        "publish_from": video.publish_from,
        "publish_until": video.publish_until,
        "listing": listing.value,
        **reader.pages(video, listing),
        "playback": video.playback or Video.Playback.GRANT.value,
        "thumbnails": reader.thumbnails(video),
        "picture": reader.small_pictures(video),
        "renditions": [_rendition(each) for each in video.renditions] if reader.sees_files(video) else [],
        "stream_ids": video.stream_ids or [],
        "metadata": metadata if isinstance(metadata, dict) else {},
        "chapters": video.shown_chapters,
        "qa": video.qa,
        "trim": video.trim,
        **({name: getattr(video, column) for name, column in _FOR_CURATORS.items()} if reader.is_curator else _HIDDEN),
    }


def match_document(video: Video) -> dict[str, Any]:
    """Return how well a found video matches the search, and where."""
    return {
        "rank": video.rank,  # type: ignore[attr-defined]
        "highlight": highlight(video),
        "chapter": matching_chapter(video),
    }


def hit_document(video: Video, *, reader: Reader) -> dict[str, Any]:
    """Return the predecessor's flat fields of a found video, and more."""
    content = video.shown_content
    return {
        **_playable(video, reader),
        "on_demand_video_uuid": video.uuid,
        "title": content.shown_title if content else "",
        "description": content.shown_description if content else "",
        "tags": content.shown_tags if content else [],
        "thumbnail": reader.chosen_picture(video),
    }


def _rendition(facts: dict[str, Any]) -> dict[str, Any]:
    return {"path": facts["path"], "playlist": facts["playlist"], "width": facts["width"], "height": facts["height"]}


def _playable(video: Video, reader: Reader) -> dict[str, Any]:
    return {
        "start_time": milliseconds(video.started_at) if video.started_at else 0,
        "duration_seconds": video.duration_seconds,
        "location": reader.location(video),
    }
