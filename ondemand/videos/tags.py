"""Tags in use, by prefix, with the number of their videos, including hidden ones."""

from collections.abc import Sequence

from django.contrib.postgres.fields import ArrayField
from django.db.models import Exists, Func, OuterRef, TextField, Value
from django.db.models.functions import Collate, Left, Upper

from channels_app.sql.counting import BOUND, count_shown, counts_to
from ivsvod.rest.ordering import Order
from ondemand.models import Content, KnownTag, Video
from ondemand.models.querysets import TAG_BEGINNING, TAG_KEY, VideoQuerySet, beginnings_of


def tags_beginning(prefix: str, limit: int, *, after: str = "") -> list[str]:
    """Return tags in use with this prefix in any letter case, in their order, from after `after`."""
    # The index of the beginnings of tags finds the content that has the tag.
    beginning = _array(Left(OuterRef("tag"), TAG_BEGINNING))
    content = Content.objects.alias(tag_beginnings=beginnings_of("tags"))
    in_use = Exists(content.filter(tag_beginnings__contains=beginning, tags__contains=_array(OuterRef("tag"))))
    tags = KnownTag.objects.alias(key=TAG_KEY).filter(in_use).order_by("key", "tag")
    if prefix:
        tags = tags.filter(key__startswith=Upper(Left(Value(prefix), TAG_BEGINNING)))
    if after:
        key = Collate(Upper(Left(Value(after), TAG_BEGINNING)), "C")
        tags = tags.filter(Order.of(tags).after([key, after]))
    return list(tags.values_list("tag", flat=True)[:limit])


def tags_counted(tags: Sequence[str]) -> list[dict[str, str]]:
    """Return each `tag` with the number of its `videos` as text, up to `100+`, in one statement."""
    counts = counts_to(BOUND, [videos_tagged(tag) for tag in tags])
    return [{"tag": tag, "videos": count_shown(count)} for tag, count in zip(tags, counts, strict=True)]


def videos_tagged(tag: str) -> VideoQuerySet:
    """Return the videos whose own content has the tag."""
    return Video.objects.tagged([tag])


def _array(value: object) -> Func:
    return Func(value, function="ARRAY", template="%(function)s[%(expressions)s]", output_field=ArrayField(TextField()))
