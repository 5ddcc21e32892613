"""Tags in use: found by their beginning, with how many videos have them, hidden ones too."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.postgres.fields import ArrayField
from django.db.models import Exists, Func, OuterRef, TextField, Value
from django.db.models.functions import Collate, Left, Upper

from channels_app.counting import BOUND, count_shown, counts_to
from channels_app.ordering import Order
from ondemand.catalogue import TAG_BEGINNING, TAG_KEY, VideoQuerySet, beginnings_of
from ondemand.models import Content, KnownTag, Video


@dataclass(frozen=True)
class TagInUse:
    """A tag, and how many videos have it: `100+` where they are many."""

    tag: str
    videos: str


def tags_beginning(prefix: str, limit: int, *, after: str = "") -> list[str]:
    """Tags in use that begin so, in any letter case, in their order; those that follow one."""
    known = KnownTag.objects.alias(key=TAG_KEY).filter(_in_use()).order_by("key", "tag")
    if prefix:
        known = known.filter(key__startswith=Upper(Left(Value(prefix), TAG_BEGINNING)))
    if after:
        key = Collate(Upper(Left(Value(after), TAG_BEGINNING)), "C")
        known = known.filter(Order.of(known).after([key, after]))
    return list(known.values_list("tag", flat=True)[:limit])


def tags_counted(tags: Sequence[str]) -> list[TagInUse]:
    """Each of these tags with how many videos have it; in one statement."""
    counts = counts_to(BOUND, [videos_tagged(tag) for tag in tags])
    return [TagInUse(tag, count_shown(count)) for tag, count in zip(tags, counts, strict=True)]


def videos_tagged(tag: str) -> VideoQuerySet:
    """The videos of which the own content has the tag."""
    return Video.objects.tagged([tag])


def _in_use() -> Exists:
    """Whether some content has the tag, by the index of their beginnings."""
    beginning = Left(OuterRef("tag"), TAG_BEGINNING)
    users = Content.objects.alias(tag_beginnings=beginnings_of("tags"))
    return Exists(users.filter(tag_beginnings__contains=_array(beginning), tags__contains=_array(OuterRef("tag"))))


def _array(value: object) -> Func:
    return Func(value, function="ARRAY", template="%(function)s[%(expressions)s]", output_field=ArrayField(TextField()))
