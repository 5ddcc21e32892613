"""Build the indexes of lists, filters, search and publication without stopping writes. It can be killed and run again."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.models.fields.json import KeyTransform
from django.db.models.lookups import IsNull

from common.sql.ddl import EnsureIndex

NEWEST = (
    models.OrderBy(models.F("started_at"), descending=True, nulls_last=True),
    models.OrderBy(models.F("uuid"), descending=True),
)
LISTED = models.Q(("listing", "listed"))
TAGS = models.Func(models.F("tags"), function="ivsvod_tag_beginnings", output_field=ArrayField(models.TextField()))
STREAMS = models.Func(
    models.F("stream_ids"), function="ivsvod_tag_beginnings", output_field=ArrayField(models.TextField())
)
CHANNELS = models.Func(
    models.F("channel_id"), template="ARRAY[%(expressions)s]", output_field=ArrayField(models.UUIDField(null=True))
)
OTHER_ORDERS = {
    "newest": [models.F("start_key").desc(), models.F("video").desc()],
    "longest": [models.F("length_key").desc(), models.F("video").desc()],
    "title": [models.F("title_key"), models.F("video")],
}
RECORDED = models.Q(("clip_of__isnull", True), ("duplicate_of__isnull", True), ("status", "available"))
TO_REVIEW = models.Q(
    models.Q(
        models.Q(("active", True), ("held", True)),
        models.Q(("active", False), ("awaits_review", True)),
        models.Q(("awaits_review", True), ("visibility", "unlisted")),
        _connector="OR",
    ),
    ("duplicate_of__isnull", True),
    ("part_of__isnull", True),
    ("status", "available"),
)
LASTING_LISTING = models.Case(
    models.When(
        models.Q(("duplicate_of__isnull", True), ("part_of__isnull", True), _negated=True),
        then=models.Value("duplicate"),
    ),
    models.When(models.Q(("status", "failed")), then=models.Value("failed")),
    models.When(models.Q(("status", "recording")), then=models.Value("recording")),
    models.When(models.Q(("held", False), _negated=True), then=models.Value("held")),
    models.When(models.Q(("active", True), ("status", "available"), _negated=True), then=models.Value("hidden")),
    models.When(models.Q(("visibility", "public"), _negated=True), then=models.Value("unlisted")),
    output_field=models.TextField(),
)
FORMS = models.Func(models.F("word"), function="ivsvod_word_forms", output_field=ArrayField(models.TextField()))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("ondemand", "0004_backfill")]
    operations = [
        EnsureIndex("video", models.Index(*NEWEST, name="on_demand_videos_newest_idx")),
        EnsureIndex(
            "video",
            models.Index(
                condition=models.Q(("publish_from__isnull", False)), fields=["publish_from"], name="video_publish_from"
            ),
        ),
        EnsureIndex(
            "video",
            models.Index(
                condition=models.Q(("publish_until__isnull", False)),
                fields=["publish_until"],
                name="video_publish_until",
            ),
        ),
        EnsureIndex("video", models.Index(condition=models.Q(("held", True)), fields=["uuid"], name="video_held")),
        EnsureIndex("video", GinIndex(STREAMS, name="video_stream_ids")),
        EnsureIndex(
            "video",
            GinIndex(
                KeyTransform("parts", "edited"),
                condition=models.Q(("edited__isnull", False)),
                name="video_parts",
            ),
        ),
        *(
            EnsureIndex(
                "video", models.Index(condition=models.Q((f"{name}__isnull", False)), fields=[name], name=f"video_{name}")
            )
            for name in ("part_of", "clip_of")
        ),
        EnsureIndex("video", models.Index(*NEWEST, condition=TO_REVIEW, name="video_to_review")),
        EnsureIndex("video", models.Index(*NEWEST, condition=models.Q(("status", "failed")), name="video_failed")),
        EnsureIndex("video", models.Index(*NEWEST, condition=models.Q(("playback", "grant")), name="video_grant")),
        EnsureIndex(
            "video", models.Index(*NEWEST, condition=models.Q(("status", "recording")), name="video_recording")
        ),
        EnsureIndex(
            "video",
            models.Index(condition=RECORDED, fields=["started_at"], include=("duration_ms",), name="video_days"),
        ),
        EnsureIndex(
            "video", models.Index(LASTING_LISTING, *NEWEST, condition=models.Q(IsNull(LASTING_LISTING, False)), name="video_by_listing")
        ),
        EnsureIndex("video", models.Index(models.F("qa"), *NEWEST, name="video_by_qa")),
        EnsureIndex("video", models.Index(models.F("channel"), *NEWEST, name="video_of_channel")),
        EnsureIndex(
            "videoindex",
            models.Index(
                models.OrderBy(models.F("start_key"), descending=True),
                models.OrderBy(models.F("video"), descending=True),
                condition=LISTED,
                include=("publish_from", "publish_until"),
                name="video_index_newest",
            ),
        ),
        EnsureIndex(
            "videoindex",
            models.Index(
                models.F("channel_id"),
                models.OrderBy(models.F("start_key"), descending=True),
                models.OrderBy(models.F("video"), descending=True),
                condition=LISTED,
                name="video_index_of_channel",
            ),
        ),
        EnsureIndex(
            "videoindex",
            models.Index(
                models.OrderBy(models.F("length_key"), descending=True),
                models.OrderBy(models.F("video"), descending=True),
                condition=LISTED,
                name="video_index_longest",
            ),
        ),
        EnsureIndex(
            "videoindex",
            models.Index(models.F("title_key"), models.F("video"), condition=LISTED, name="video_index_title"),
        ),
        *(
            EnsureIndex(
                "videoindex",
                models.Index(models.F("listing"), *order, condition=~LISTED, name=f"video_index_other_{name}"),
            )
            for name, order in OTHER_ORDERS.items()
        ),
        EnsureIndex("videoindex", models.Index(*OTHER_ORDERS["newest"], condition=~LISTED, name="video_index_others")),
        *(
            EnsureIndex(
                "videoindex",
                models.Index(
                    condition=models.Q((f"{name}__isnull", False)), fields=[name], name=f"video_index_{name}"
                ),
            )
            for name in ("publish_from", "publish_until")
        ),
        *(
            EnsureIndex(
                "videoindex",
                GinIndex(models.F("search"), TAGS, models.F("metadata"), CHANNELS, condition=condition, name=name),
            )
            for name, condition in (("video_index_values", LISTED), ("video_index_other_values", ~LISTED))
        ),
        EnsureIndex("searchword", GinIndex(FORMS, fastupdate=False, name="search_word_forms")),
    ]
