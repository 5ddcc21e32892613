"""The serializers of videos, tags and streams."""

from collections.abc import Callable
from datetime import datetime
from functools import cache, cached_property
from itertools import pairwise
from operator import attrgetter
from typing import Any
from uuid import UUID

from rest_framework import serializers

from channels_app.api import serializers as channels
from channels_app.models import Stream
from channels_app.models.live_state import milliseconds
from common.rest.fields import (
    ChangesSerializer,
    LenientUUIDField,
    PlainChoiceField,
    PlainTextField,
    StrictBooleanField,
    StrictSerializer,
    TimeField,
    WholeNumberField,
    with_names_in_any_case,
)
from common.rest.times import is_readable, parse_time
from ondemand.models import Video
from ondemand.models.chapters import LATEST_MS, MOST_CHAPTERS, TITLE_LENGTH, Chapter, last_fits
from ondemand.models.publication import Listing
from ondemand.playback.explain import Explanation, Playing
from ondemand.search.words import highlight, matching_chapter
from ondemand.videos import limits
from ondemand.videos.files import CatalogueReader
from ondemand.videos.links import video_embed_url, video_page_url

# For examples.
_UUID = "6f1f3a52-3c1e-5f0a-9d55-0a7c6f5d8b21"
_MEDIA = "https://media.example.com/ivs/v1/111122223333/AjIhKtJ0RlgL/2026/3/4/9/5/n4kWpXkXkXkX/media"
_THUMBNAIL = f"{_MEDIA}/thumbnails/thumb0.jpg"


class ContentPutSerializer(serializers.Serializer):
    """The body of `PUT /on-demand/{uuid}`: the whole content; what is absent or null becomes empty."""

    title = PlainTextField(allow_blank=True, allow_null=True, default="", help_text="The title; null means empty.")
    description = PlainTextField(
        allow_blank=True, allow_null=True, default="", help_text="The description; null means empty."
    )
    thumbnail = PlainTextField(
        allow_blank=True,
        allow_null=True,
        default="",
        help_text="The http or https URL of a picture; empty or null for none.",
    )
    tags = serializers.ListField(
        child=PlainTextField(allow_blank=True),
        allow_null=True,
        default=list,
        help_text="The tags; null means an empty list.",
    )

    example: dict[str, Any] = {
        "title": "Morning show",
        "description": "News and weather",
        "tags": ["news", "weather"],
        "thumbnail": _THUMBNAIL,
    }
    schema: dict[str, Any] = {"thumbnail": {"pattern": "^$|^[Hh][Tt][Tt][Pp][Ss]?://"}}

    def to_internal_value(self, data: Any) -> Any:
        """Accept the names of the fields in any letter case."""
        return super().to_internal_value(with_names_in_any_case(data, self.fields))

    def validate_thumbnail(self, value: str | None) -> str | None:
        """Refuse a URL that a page cannot show."""
        if value and not value.lower().startswith(("http://", "https://")):
            raise serializers.ValidationError("Not an http or https URL.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Replace null by an empty value, as the predecessor does."""
        return {name: value or ([] if name == "tags" else "") for name, value in attrs.items()}


class ContentSerializer(serializers.Serializer):
    """The title, description, tags and thumbnail of a video."""

    title = serializers.CharField(source="shown_title", help_text="The title; empty if there is none.")
    description = serializers.CharField(
        source="shown_description", help_text="The description, as plain text; empty if there is none."
    )
    tags = serializers.ListField(
        child=serializers.CharField(), source="shown_tags", help_text="The tags; empty if there are none."
    )
    thumbnail = serializers.CharField(
        source="shown_thumbnail",
        help_text="The URL of the picture that people chose; empty if there is none, or if the caller may not see it.",
    )

    example: dict[str, Any] = ContentPutSerializer.example
    # Empty if the video has no content.
    schema: dict[str, Any] = {"": {"required": []}}


class WrittenContentSerializer(ContentSerializer):
    """The answer to `PUT /on-demand/{uuid}`: the row of the content."""

    uuid = serializers.UUIDField(help_text="The uuid of the content itself.")
    on_demand_video_uuid = serializers.UUIDField(source="video_id", help_text="The uuid of the video.")
    created_at = TimeField(allow_null=True, help_text="When the content was first written; null if that is unknown.")


class RenditionSerializer(serializers.Serializer):
    """One of the qualities of a recording; without width and height it is sound alone."""

    path = serializers.CharField(help_text="The folder of its playlist within the recording.")
    playlist = serializers.CharField(help_text="The name of its playlist.")
    width = serializers.IntegerField(allow_null=True, help_text="The width in pixels; null for sound alone.")
    height = serializers.IntegerField(allow_null=True, help_text="The height in pixels; null for sound alone.")

    example: dict[str, Any] = {"path": "480p30", "playlist": "playlist.m3u8", "width": 852, "height": 480}


class ChapterSerializer(StrictSerializer):
    """A part of a video, from its time to that of the next chapter."""

    at_ms = WholeNumberField(
        min_value=0,
        max_value=LATEST_MS - 1,
        help_text="Where it begins, in milliseconds from the start of the video.",
    )
    title = PlainTextField(max_length=TITLE_LENGTH, help_text="Its title.")

    example: dict[str, Any] = {"title": "Headlines"}
    # What Python counts as a space, other languages do not all.
    schema: dict[str, Any] = {"title": {"minLength": 1, "pattern": r"[^\s\x1c-\x1f\x85]"}}

    def validate_title(self, value: str) -> str:
        """Refuse a title of spaces."""
        if not value.strip():
            raise serializers.ValidationError("This field may not be blank.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a part of a chapter: the partial update is that of the video."""
        missing = self.fields.keys() - attrs.keys()
        if missing:
            raise serializers.ValidationError(dict.fromkeys(sorted(missing), "This field is required."))
        return attrs


class ChaptersField(serializers.ListField):
    """Chapters in rising order of their times, no two at one time."""

    child = ChapterSerializer()
    schema: dict[str, Any] = {"maxItems": MOST_CHAPTERS}

    def to_internal_value(self, data: Any) -> list[Chapter]:
        """Return the chapters; raise ValidationError if these are none, too many, or not in order."""
        if isinstance(data, list) and len(data) > MOST_CHAPTERS:
            raise serializers.ValidationError(f"More than {MOST_CHAPTERS} chapters.")
        values: list[Chapter] = super().to_internal_value(data)
        times = [chapter["at_ms"] for chapter in values]
        if any(later <= earlier for earlier, later in pairwise(times)):
            raise serializers.ValidationError("Each chapter must begin after the one before it.")
        return values

    def run_child_validation(self, data: list[Any]) -> list[Any]:
        """Return the validated chapters; the messages say which chapter is wrong."""
        values, faults = [], []
        for number, item in enumerate(data, 1):
            try:
                values.append(self.child.run_validation(item))
            except serializers.ValidationError as error:
                details: Any = error.detail
                # A list: the item is null.
                named = details if isinstance(details, dict) else {"chapter": details}
                faults += [f"Chapter {number}: {name}: {texts[0]}" for name, texts in named.items()]
        if faults:
            raise serializers.ValidationError(faults)
        return values


class DocumentSerializer(serializers.Serializer):
    """Base of serializers whose fields show what their `get_` method returns, else the attribute of their source.

    DRF's fields made 2,000 function calls for each video, this makes 45. Times and uuids are objects, which the
    renderer writes. The context has `at`, the time of the listing, and `reader`, who may have the URLs of some files.
    """

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {name: value_of(self, instance) for name, value_of in _values(type(self))}

    @cached_property
    def reader(self) -> CatalogueReader:
        """Return the caller."""
        return self.context["reader"]


# Once for each class: DRF copies the fields for each serializer, which took an eighth of the time of a list.
@cache
def _values(serializer_class: type[DocumentSerializer]) -> list[tuple[str, Callable[[Any, Any], Any]]]:
    """Return each field with the function that returns its value for a serializer and an instance."""
    return [
        (name, getattr(serializer_class, f"get_{name}", None) or _attribute(str(field.source)))
        for name, field in serializer_class().fields.items()
    ]


def _attribute(source: str) -> Callable[[Any, Any], Any]:
    value_of = attrgetter(source)
    return lambda _serializer, instance: value_of(instance)


class PlayableSerializer(DocumentSerializer):
    """The start, the length and the playlist of a video."""

    start_time = serializers.IntegerField(
        read_only=True, help_text="Milliseconds since 1970; 0 if the start is unknown."
    )
    duration_seconds = serializers.FloatField(
        read_only=True, help_text="The length in seconds; an integer if it is whole."
    )
    location = serializers.CharField(
        read_only=True,
        allow_null=True,
        help_text="The multivariant playlist; null if it does not play, or if `playback` is `grant`"
        " and the caller lacks the scope `curate`.",
    )

    example: dict[str, Any] = {
        "start_time": 1772615100000,
        "duration_seconds": 3600,
        "location": f"{_MEDIA}/hls/master.m3u8",
    }

    def get_start_time(self, video: Video) -> int:
        return milliseconds(video.started_at) if video.started_at else 0

    def get_location(self, video: Video) -> str | None:
        return self.reader.location(video)


class WindowSerializer(StrictSerializer):
    """A part of what a video shows, in milliseconds; null is its beginning, or its end."""

    start_ms = WholeNumberField(
        min_value=0,
        max_value=limits.LONGEST_MS,
        allow_null=True,
        default=None,
        help_text="Where it begins, in milliseconds; null for the beginning.",
    )
    end_ms = WholeNumberField(
        min_value=0,
        max_value=limits.LONGEST_MS,
        allow_null=True,
        default=None,
        help_text="Where it ends, in milliseconds; null for the end.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a window that ends before it begins."""
        # A PATCH fills in no defaults.
        attrs = {"start_ms": None, "end_ms": None, **attrs}
        if attrs["end_ms"] is not None and attrs["end_ms"] <= (attrs["start_ms"] or 0):
            raise serializers.ValidationError({"end_ms": ["The end must be after the start."]})
        return attrs


class PartSerializer(WindowSerializer):
    """A window of the recording of a video."""

    recording = serializers.UUIDField(help_text="The uuid of the video whose recording this is.")


class VideoSerializer(PlayableSerializer):
    """A video as lists and `GET /on-demand/{uuid}` show it."""

    uuid = serializers.UUIDField(help_text="The uuid of the video, which never changes.")
    active = serializers.BooleanField(read_only=True, help_text="`false`: staff have hidden it, or not yet shown it.")
    content = ContentSerializer(read_only=True, help_text="What people wrote about it; an empty object if nobody has.")
    channel = serializers.UUIDField(allow_null=True, help_text="The uuid of its channel; null if it has none.")
    channel_name = serializers.CharField(
        read_only=True,
        allow_null=True,
        help_text="The name of the channel; null if the caller may not see the channel, or it is missing.",
    )
    started_at = TimeField(allow_null=True, help_text="When the recording started; null if that is unknown.")
    ended_at = TimeField(
        allow_null=True, help_text="When the recording ended; null while it runs, or if that is unknown."
    )
    status = serializers.ChoiceField(
        Video.Status.choices, help_text="The state of the recording; `listing` says who finds the video."
    )
    visibility = serializers.CharField(
        read_only=True,
        help_text="`unlisted`: it opens by its address and is in no list. `public` until somebody decides.",
    )
    publish_from = TimeField(allow_null=True, help_text="When publication begins; null: at once.")
    publish_until = TimeField(allow_null=True, help_text="When publication ends; null: never.")
    listing = serializers.CharField(
        read_only=True, help_text="`listed`, or the first reason for which the video is in no list."
    )
    watch_url = serializers.URLField(
        read_only=True,
        allow_null=True,
        help_text="The public page; null unless `listing` is `listed` or `unlisted`, or if the service has no page.",
    )
    embed_url = serializers.URLField(
        read_only=True,
        allow_null=True,
        help_text="The player for a frame of another website; null as `watch_url`, or if the service allows no frames.",
    )
    playback = serializers.ChoiceField(
        Video.Playback.choices,
        help_text="`grant`: without a grant it is not played, and its `location`, `thumbnails`, `picture` and"
        " `renditions` are for callers with the scope `curate` alone.",
    )
    thumbnails = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="Some of the pictures that IVS made; none if the caller may not see them.",
    )
    picture = serializers.DictField(
        child=serializers.CharField(),
        allow_null=True,
        read_only=True,
        help_text="The chosen picture, else the automatic one, made small: its URLs by their width in pixels, `320` "
        "and `640`. Null if the caller may not see it, if there is none, or if it is on another host.",
    )
    renditions = serializers.JSONField(
        read_only=True, help_text="The qualities of the recording; none if the caller may not see them."
    )
    stream_ids = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="The streams of the recording, in their order."
    )
    metadata = serializers.DictField(read_only=True, help_text="Values that applications have stored.")
    chapters = serializers.ListField(
        child=ChapterSerializer(),
        read_only=True,
        source="shown_chapters",
        help_text="In the order of their times; empty if there are none.",
    )
    qa = serializers.CharField(
        allow_null=True,
        help_text="The check of its files: `ok`, `warning` (it plays with oddities), `failed` (it does not play) or"
        " `unverified`; null before the first check.",
    )
    trim = WindowSerializer(
        allow_null=True, read_only=True, help_text="The part of the recording that is shown; null if all of it is."
    )
    edit = PartSerializer(
        many=True,
        allow_null=True,
        read_only=True,
        help_text="For curators: the windows of recordings that it shows in this order; null if it is not edited.",
    )
    part_of = serializers.UUIDField(
        allow_null=True, help_text="For curators: the joined video that shows this one; null if none does."
    )
    clip_of = serializers.UUIDField(
        allow_null=True, help_text="For curators: the video of which this is a clip; null if it is none."
    )

    example: dict[str, Any] = {
        "active": True,
        "channel": _UUID,
        "channel_name": "Morning show",
        "started_at": "2026-03-04T09:05:00Z",
        "ended_at": "2026-03-04T10:05:00Z",
        "status": "available",
        "visibility": "public",
        "listing": "listed",
        "playback": "public",
        "watch_url": f"https://vod.example.com/watch/{_UUID}",
        "embed_url": f"https://vod.example.com/embed/{_UUID}",
        "thumbnails": [_THUMBNAIL],
        "picture": {
            width: f"https://vod.example.com/play/{_UUID}/small/{width}/media/thumbnails/thumb0.jpg"
            for width in ("320", "640")
        },
        "stream_ids": ["st-1A2b3C4d5E6f7G8h9I0jKlM"],
        "metadata": {"episode": "12"},
        "qa": "ok",
    }
    schema: dict[str, Any] = {
        "visibility": {"enum": Video.Visibility.values},
        "listing": {"enum": [*map(str, Listing)]},
        "metadata": {"additionalProperties": True},
        "renditions": [RenditionSerializer],
    }

    def get_active(self, video: Video) -> bool:
        # NULL is hidden, as it was for the predecessor.
        return bool(video.active)

    def get_content(self, video: Video) -> dict[str, Any]:
        content = video.shown_content
        if content is None:
            return {}
        return {
            "title": content.shown_title,
            "description": content.shown_description,
            "tags": content.shown_tags,
            "thumbnail": self.reader.chosen_picture(video),
        }

    def get_channel(self, video: Video) -> UUID | None:
        return video.channel_id

    def get_channel_name(self, video: Video) -> str | None:
        return self.reader.channel_name(video)

    def get_visibility(self, video: Video) -> str:
        # Undecided videos, whose recording has not ended, are shown with the default.
        return video.visibility or Video.Visibility.PUBLIC.value

    def get_listing(self, video: Video) -> str:
        return video.listing_at(self.context["at"]).value

    def get_watch_url(self, video: Video) -> str | None:
        return self.reader.page(video, self.context["at"], video_page_url)

    def get_embed_url(self, video: Video) -> str | None:
        return self.reader.page(video, self.context["at"], video_embed_url)

    def get_playback(self, video: Video) -> str:
        return video.playback or Video.Playback.GRANT.value

    def get_thumbnails(self, video: Video) -> list[str]:
        return self.reader.thumbnails(video)

    def get_picture(self, video: Video) -> dict[str, str] | None:
        return self.reader.small_pictures(video)

    def get_renditions(self, video: Video) -> list[dict[str, Any]]:
        shown = video.renditions if self.reader.sees_files(video) else []
        return [{name: each[name] for name in ("path", "playlist", "width", "height")} for each in shown]

    def get_stream_ids(self, video: Video) -> list[str]:
        return video.stream_ids or []

    def get_metadata(self, video: Video) -> dict[str, Any]:
        return video.metadata if isinstance(video.metadata, dict) else {}

    def get_edit(self, video: Video) -> list[dict[str, Any]] | None:
        return video.edit if self.reader.is_curator else None

    def get_part_of(self, video: Video) -> UUID | None:
        return video.part_of_id if self.reader.is_curator else None

    def get_clip_of(self, video: Video) -> UUID | None:
        return video.clip_of_id if self.reader.is_curator else None


class FoundSerializer(DocumentSerializer):
    """How well a video matches a search, and where."""

    rank = serializers.FloatField(help_text="How well it matches: the larger, the better; without a unit.")
    highlight = serializers.CharField(
        read_only=True, help_text="An excerpt as HTML: the words of the search are in `<mark>`, all else is escaped."
    )
    chapter = ChapterSerializer(
        read_only=True,
        allow_null=True,
        help_text="The chapter whose title has the most words of the search; null if none has any.",
    )

    example: dict[str, Any] = {"rank": 0.6, "highlight": "<mark>Morning</mark> show"}

    def get_highlight(self, video: Video) -> str:
        return highlight(video)

    def get_chapter(self, video: Video) -> Chapter | None:
        return matching_chapter(video)


class FoundVideoSerializer(FoundSerializer, VideoSerializer):
    """A video that a search found."""


class HitSerializer(FoundSerializer, PlayableSerializer):
    """A hit of `GET /on-demand/search`: the predecessor's flat fields and more."""

    on_demand_video_uuid = serializers.UUIDField(help_text="The uuid of the video.")
    title = serializers.CharField(help_text="The title; empty if there is none.")
    description = serializers.CharField(help_text="The description, as plain text; empty if there is none.")
    tags = serializers.ListField(child=serializers.CharField(), help_text="The tags; empty if there are none.")
    thumbnail = serializers.CharField(
        read_only=True, help_text="The chosen picture; empty if there is none, or if the caller may not see it."
    )

    example: dict[str, Any] = ContentPutSerializer.example

    def get_on_demand_video_uuid(self, video: Video) -> UUID:
        return video.uuid

    def get_title(self, video: Video) -> str:
        return video.shown_content.shown_title if video.shown_content else ""

    def get_description(self, video: Video) -> str:
        return video.shown_content.shown_description if video.shown_content else ""

    def get_tags(self, video: Video) -> list[str]:
        return video.shown_content.shown_tags if video.shown_content else []

    def get_thumbnail(self, video: Video) -> str:
        return self.reader.chosen_picture(video)


class RuleSerializer(serializers.Serializer):
    """A rule: its name is the result if it is the first that the video breaks."""

    rule = serializers.CharField(
        source="name.value",
        help_text="The name of the rule: the result if this is the first one that the video breaks.",
    )
    kept = serializers.BooleanField(source="is_kept", help_text="Whether the video keeps it.")
    sentence = serializers.CharField(help_text="The same as an English sentence.")

    example: dict[str, Any] = {
        "rule": "unlisted",
        "kept": False,
        "sentence": "It is unlisted: it opens by its address alone.",
    }
    schema: dict[str, Any] = {"rule": {"enum": [*map(str, [*Listing, *Playing])]}}


class PlayingSerializer(serializers.Serializer):
    """The rules that decide who plays a video, with their result."""

    result = serializers.CharField(
        source="playing.result.value", help_text="Who plays it: the name of the first broken rule, or `public`."
    )
    sentence = serializers.CharField(
        source="playing.sentence",
        read_only=True,
        help_text="The sentences of the broken rules or, if none is broken, of all.",
    )
    delivery = serializers.SerializerMethodField()
    lasting_grants = serializers.IntegerField(
        help_text="Grants that are neither revoked nor ended, without those of the admin's player."
    )
    rules = RuleSerializer(source="playing.rules", many=True, help_text="The rules, the gravest first.")

    example: dict[str, Any] = {
        "result": "grant",
        "sentence": "It is played with a grant alone.",
        "rules": [{"rule": "grant", "kept": False, "sentence": "It is played with a grant alone."}],
    }
    schema: dict[str, Any] = {"result": {"enum": [*map(str, Playing)]}, "delivery": {"enum": ["direct", "signed"]}}

    def get_delivery(self, explained: Explanation) -> str:
        """How its files are delivered: by signed URLs, or by the plain ones of S3 or a CDN."""
        return "signed" if explained.is_signed else "direct"


class AccessSerializer(serializers.Serializer):
    """The answers that callers with these scopes get."""

    caller = serializers.CharField(help_text="A name for these callers; `anonymous` has no token.")
    scopes = serializers.ListField(child=serializers.CharField(), help_text="The scopes of their token.")
    opens = serializers.BooleanField(help_text="`GET /on-demand/{uuid}` shows the video.")
    location = serializers.BooleanField(help_text="Its `location` is not null there.")
    plays = serializers.BooleanField(help_text="`GET /play/{uuid}/master.m3u8` is served, while S3 has the file.")
    grants = serializers.BooleanField(help_text="`POST /on-demand/{uuid}/playback-grants` makes a grant.")
    sentence = serializers.CharField(help_text="The same as an English sentence.")

    example: dict[str, Any] = {
        "caller": "anonymous",
        "scopes": [],
        "location": False,
        "plays": False,
        "grants": False,
        "sentence": "Opens it, and gets no location.",
    }


class ExplanationSerializer(serializers.Serializer):
    """The rules that decide who finds and who plays a video."""

    listing = serializers.CharField(
        source="listing.result.value", help_text="Who finds it: the name of the first broken rule, or `listed`."
    )
    sentence = serializers.CharField(
        source="listing.sentence",
        read_only=True,
        help_text="The sentences of the broken rules or, if none is broken, of all.",
    )
    rules = RuleSerializer(source="listing.rules", many=True, help_text="The rules of `listing`, the gravest first.")
    playback = PlayingSerializer(source="*", help_text="Who plays it.")
    callers = AccessSerializer(many=True, help_text="What callers with some sets of scopes get.")

    example: dict[str, Any] = {"listing": "unlisted", "sentence": "It is unlisted: it opens by its address alone."}
    schema: dict[str, Any] = {"listing": {"enum": [*map(str, Listing)]}}


class TagSerializer(serializers.Serializer):
    """A tag and how many listed videos have it."""

    tag = serializers.CharField(help_text="The tag.")
    count = serializers.IntegerField(help_text="The number of listed videos that have it.")

    example: dict[str, Any] = {"tag": "news", "count": 12}


class TagListField(serializers.ListField):
    """Tags, each once."""

    child = PlainTextField(max_length=limits.TAG_LENGTH)
    schema: dict[str, Any] = {
        "maxItems": limits.MOST_TAGS,
        "items": {"type": "string", "minLength": 1, "maxLength": limits.TAG_LENGTH},
    }

    def to_internal_value(self, data: Any) -> list[str]:
        """Return the tags; raise ValidationError if it is no list of texts, or has too many."""
        if isinstance(data, list) and len(data) > limits.MOST_TAGS:
            raise serializers.ValidationError(f"More than {limits.MOST_TAGS} tags.")
        return list(dict.fromkeys(super().to_internal_value(data)))


class MetadataField(serializers.DictField):
    """Texts by keys."""

    child = PlainTextField(max_length=limits.METADATA_VALUE_LENGTH, allow_blank=True)
    schema: dict[str, Any] = {
        "maxProperties": limits.MOST_METADATA,
        "propertyNames": {"minLength": 1, "maxLength": limits.METADATA_KEY_LENGTH},
    }

    def to_internal_value(self, data: Any) -> dict[str, str]:
        """Return the metadata; raise ValidationError if it is no object of texts, or has too many or too long ones."""
        if isinstance(data, dict) and len(data) > limits.MOST_METADATA:
            raise serializers.ValidationError(f"More than {limits.MOST_METADATA} keys.")
        values: dict[str, str] = super().to_internal_value(data)
        key = PlainTextField(max_length=limits.METADATA_KEY_LENGTH)
        return {key.run_validation(name): value for name, value in values.items()}


class PublicationField(TimeField):
    """A time at which the publication of a video begins or ends."""

    default_error_messages = {"invalid": "Not a time of RFC 3339 with its zone, from 1900 to 9000."}

    def to_internal_value(self, data: Any) -> datetime:
        """Return the time; raise ValidationError if it is none, names no zone, or is out of range."""
        try:
            time = parse_time(data)
        except (ValueError, TypeError):
            self.fail("invalid")
        if not is_readable(time):
            self.fail("invalid")
        return time


class VideoPatchSerializer(ChangesSerializer):
    """The body of `PATCH /on-demand/{uuid}`; null empties a field, where it can be empty."""

    title = PlainTextField(
        max_length=limits.TITLE_LENGTH, allow_blank=True, allow_null=True, help_text="The title; null means empty."
    )
    description = PlainTextField(
        max_length=limits.DESCRIPTION_LENGTH,
        allow_blank=True,
        allow_null=True,
        help_text="The description, as plain text; null means empty.",
    )
    tags = TagListField(allow_null=True, help_text="The tags, which replace the present ones; null for none.")
    thumbnail = PlainTextField(
        allow_blank=True,
        allow_null=True,
        help_text="An https URL, or a picture of this recording by its URL or path; empty or null for none.",
    )
    active = StrictBooleanField(
        help_text="`false` hides the video; `true` shows it, and releases one that is held back."
    )
    visibility = PlainChoiceField(
        Video.Visibility.choices, help_text="`unlisted`: it opens by its address and is in no list."
    )
    playback = PlainChoiceField(Video.Playback.choices, help_text="`grant`: it is played with a grant alone.")
    publish_from = PublicationField(
        allow_null=True, help_text="When publication begins, from the year 1900 to 9000; null: at once."
    )
    publish_until = PublicationField(
        allow_null=True, help_text="When publication ends, after it begins, from the year 1900 to 9000; null: never."
    )
    metadata = MetadataField(
        allow_null=True, help_text="Texts by keys of your own, which replace the present ones; null for none."
    )
    chapters = ChaptersField(
        allow_null=True,
        help_text="The chapters in the order of their times, which replace the present ones; null for none.",
    )
    trim = WindowSerializer(
        allow_null=True,
        help_text="The part of the recording that is shown, moved to the bounds of segments; null for all of it.",
    )

    example: dict[str, Any] = {"title": "Morning show", "tags": ["news"], "publish_from": "2026-03-06T06:00:00Z"}

    def known(self) -> dict[str, Any]:
        """Return the stored values that have limits, as `GET` shows them."""
        content = self.video.shown_content
        return {**(ContentSerializer(content).data if content else {}), "metadata": self.video.metadata}

    @property
    def video(self) -> Video:
        """Return the video to be changed."""
        return self.instance  # type: ignore[return-value]

    def validate_thumbnail(self, value: str | None) -> str | None:
        """Return the URL of an https URL or of a picture of this recording, or an empty text."""
        # As `GET` shows them.
        paths = {url: path for path, url in self.context["reader"].pictures(self.video).items()}
        try:
            return limits.thumbnail_address(paths.get(value or "", value or ""), self.video.pictures)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None

    def validate_chapters(self, value: list[Chapter] | None) -> list[Chapter] | None:
        """Refuse a chapter that begins after the end of the video."""
        # The length after a trim is not known yet.
        end_ms = self.video.duration_ms if "trim" in self.initial_data else self.video.length_ms
        if not last_fits(value, end_ms):
            raise serializers.ValidationError(f"The video ends at {end_ms} ms.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Replace null by the empty value of the field, if it has one."""
        empty = {"title": "", "description": "", "thumbnail": "", "tags": [], "metadata": {}}
        return {name: empty.get(name) if value is None else value for name, value in attrs.items()}


class JoinSerializer(StrictSerializer):
    """The body of `POST /on-demand/{uuid}/join`: the other videos in their order; the video itself is the first.

    It stands elsewhere if it is among them.
    """

    def get_fields(self) -> dict[str, serializers.Field]:
        """Name the field `with`, which is a word of Python."""
        others = serializers.ListField(
            child=LenientUUIDField(),
            min_length=1,
            max_length=limits.MOST_PARTS,
            source="others",
            help_text="The uuids of the other videos in their order."
            " Include this video's uuid if it is not the first part.",
        )
        return {"with": others}


class ClipSerializer(WindowSerializer):
    """The body of `POST /on-demand/{uuid}/clips`: times of the video as it plays now. It is hidden if not `active`."""

    title = PlainTextField(
        max_length=limits.TITLE_LENGTH, allow_blank=True, required=False, help_text="The title of the clip."
    )
    description = PlainTextField(
        max_length=limits.DESCRIPTION_LENGTH,
        allow_blank=True,
        required=False,
        help_text="The description, as plain text.",
    )
    tags = TagListField(required=False, help_text="The tags.")
    active = StrictBooleanField(default=False, help_text="Whether the clip is shown at once.")

    example: dict[str, Any] = {"start_ms": 600_000, "end_ms": 660_000, "title": "The goal"}


class SuggestionsSerializer(serializers.Serializer):
    """Edits that somebody may want: `trim` as `PATCH` takes it, and the recordings to be joined, in their order."""

    trim = WindowSerializer(allow_null=True, help_text="What `PATCH` may take as `trim`; null if nothing is suggested.")
    join = serializers.ListField(
        child=serializers.UUIDField(),
        help_text="The uuids of the recordings to be joined, in their order; empty if nothing is suggested.",
    )

    example: dict[str, Any] = {
        "trim": {"start_ms": 42_000, "end_ms": None},
        "join": [_UUID, "9c1f6a52-1c1e-4f0a-9d55-0a7c6f5d8b21"],
    }


class StreamSerializer(channels.StreamSerializer):
    """A stream with its listed videos; the context has them by stream id, and `at`, the moment of their listing."""

    videos = serializers.SerializerMethodField()

    schema: dict[str, Any] = {"videos": [VideoSerializer]}

    def get_videos(self, stream: Stream) -> Any:
        """As in lists of videos."""
        return VideoSerializer(self.context["videos"].get(stream.stream_id, []), many=True, context=self.context).data


class ManagedStreamSerializer(StreamSerializer, channels.ManagedStreamSerializer):
    """The same with what only managers of channels see."""
