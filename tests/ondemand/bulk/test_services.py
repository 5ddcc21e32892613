"""Many videos changed at once: batches, what changes with a video, undoing, and what is left alone."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from channels_app.models import AuditEntry
from common.audit import Actor, Way, acting
from ondemand.bulk import services
from ondemand.bulk.decisions import tags_after
from ondemand.bulk.preview import ListingChange, listing_changes, tag_uses
from ondemand.bulk.services import (
    BulkChangeStateError,
    TooManyChosenError,
    bulk_begin,
    bulk_choose,
    bulk_outcomes,
    bulk_run,
    bulk_undo,
    bulk_values_set,
)
from ondemand.models import BulkChange, BulkChangeRow, Content, Video
from ondemand.models.publication import Listing
from ondemand.recordings.handlers import publication_decide
from ondemand.videos.services import video_hide, video_show, video_update
from tests.support.helpers import make_channel, make_content, make_video
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db

BY = UUID(int=7)
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def chosen(kind: str, values: dict[str, Any] | None = None, videos: QuerySet[Video] | None = None) -> BulkChange:
    return bulk_choose(
        kind=kind, videos=Video.objects.all() if videos is None else videos, by=BY, by_name="boss", values=values or {}
    )


def done(kind: str, values: dict[str, Any] | None = None, videos: QuerySet[Video] | None = None) -> BulkChange:
    change = chosen(kind, values, videos)
    bulk_begin(change_uuid=change.pk)
    bulk_run(change_uuid=change.pk)
    return BulkChange.objects.get(pk=change.pk)


def undone(change: BulkChange) -> dict[str, int]:
    bulk_undo(change_uuid=change.pk)
    return bulk_outcomes(change)


def table(model: Any) -> list[dict[str, Any]]:
    hidden = {"search"}
    return [
        {name: value for name, value in row.items() if name not in hidden}
        for row in model.objects.order_by("pk").values()
    ]


def make_some() -> list[Video]:
    """Every kind of row that a change may meet."""
    first = make_video(prefix="shared")
    return [
        first,
        make_video(prefix="shared", duplicate_of=first),
        make_video(active=False, awaits_review=True),
        make_video(active=None),
        make_video(held=True, held_by_check=True),
        make_video(visibility="unlisted", publish_from=NOW),
        make_video(publish_until=NOW + HOUR),
        make_video(status=Video.Status.RECORDING, active=None, held=None, visibility=None),
        make_video(status=Video.Status.FAILED, active=None),
    ]


ONE_BY_ONE = {
    BulkChange.Kind.SHOW: lambda uuid: video_show(video_uuid=uuid),
    BulkChange.Kind.HIDE: lambda uuid: video_hide(video_uuid=uuid),
    BulkChange.Kind.LIST: lambda uuid: video_update(video_uuid=uuid, by=BY, values={"visibility": "public"}),
    BulkChange.Kind.UNLIST: lambda uuid: video_update(video_uuid=uuid, by=BY, values={"visibility": "unlisted"}),
    BulkChange.Kind.SCHEDULE: lambda uuid: scheduled(uuid),
    BulkChange.Kind.ADD_TAGS: lambda uuid: video_update(video_uuid=uuid, by=BY, values={"tags": with_added(uuid)}),
}
VALUES: dict[str, dict[str, Any]] = {
    BulkChange.Kind.SCHEDULE: {"publish_from": NOW.isoformat(), "publish_until": None},
    BulkChange.Kind.ADD_TAGS: {"tags": ["x", "news"]},
}


def scheduled(uuid: UUID) -> None:
    """A date alone has no effect on what nobody decided on: that stays as it is."""
    if not Video.objects.to_review().filter(pk=uuid, held_by_check=False).exists():
        video_update(video_uuid=uuid, by=BY, values={"publish_from": NOW, "publish_until": None})


def with_added(uuid: UUID) -> list[str]:
    content = Video.objects.with_content().get(pk=uuid).shown_content
    return list(dict.fromkeys([*(content.shown_tags if content else []), "x", "news"]))


@pytest.mark.parametrize("kind", list(ONE_BY_ONE))
def test_a_bulk_change_writes_the_same_as_the_service_of_one_video(kind: BulkChange.Kind) -> None:
    videos = make_some()
    make_content(videos[0])
    make_content(videos[2], tags=["a", None, "", "a"])
    made = list(Video.objects.values()), list(Content.objects.values())
    for video in videos:
        ONE_BY_ONE[kind](video.pk)
    wanted_videos, wanted_content = table(Video), [(c.video_id, c.tags, c.title) for c in contents()]
    Content.objects.all().delete()
    Video.objects.all().delete()
    Video.objects.bulk_create([Video(**values) for values in made[0]])
    Content.objects.bulk_create([Content(**values) for values in made[1]])
    done(kind, VALUES.get(kind))
    assert table(Video) == wanted_videos
    assert [(c.video_id, c.tags, c.title) for c in contents()] == wanted_content


def contents() -> QuerySet[Content]:
    return Content.objects.order_by("video_id")


@pytest.mark.parametrize("kind", list(ONE_BY_ONE))
def test_undoing_puts_every_row_back_as_it_was(kind: BulkChange.Kind) -> None:
    videos = make_some()
    make_content(videos[0])
    make_content(videos[2], tags=["a", None, ""])
    make_content(videos[3], tags=None)
    before = table(Video), table(Content)
    change = done(kind, VALUES.get(kind))
    assert (table(Video), table(Content)) != before
    outcomes = undone(change)
    assert (table(Video), table(Content)) == before
    assert set(outcomes) <= {"undone", "same"}
    assert BulkChange.objects.get().state == "undone"
    # Undone is undone.
    undone(change)
    bulk_run(change_uuid=change.pk)
    assert (table(Video), table(Content)) == before


@pytest.mark.django_db(transaction=True)
def test_undoing_leaves_videos_that_changed_since() -> None:
    untouched, hidden_before, gone, shown, shown_and_hidden = (make_video() for _ in range(5))
    Video.objects.filter(pk=hidden_before.pk).update(active=False)
    change = done(BulkChange.Kind.HIDE)
    assert bulk_outcomes(change) == {"changed": 4, "same": 1}
    video_show(video_uuid=shown.pk)
    video_show(video_uuid=shown_and_hidden.pk)
    video_hide(video_uuid=shown_and_hidden.pk)
    Video.objects.filter(pk=gone.pk).delete()
    # One is as the change left it, because somebody decided so since.
    assert undone(change) == {"undone": 1, "same": 1, "gone": 1, "changed_since": 2}
    assert set(Video.objects.filter(active=True)) == {untouched, shown}
    assert set(Video.objects.filter(active=False)) == {hidden_before, shown_and_hidden}


@pytest.mark.django_db(transaction=True)
def test_undoing_removes_no_content_that_somebody_wrote_on_since_and_restores_the_tags_of_older_content() -> None:
    made, older = make_video(), make_video()
    make_content(older, tags=["a"])
    change = done(BulkChange.Kind.ADD_TAGS, {"tags": ["x"]})
    Content.objects.update(title="Written since")
    assert undone(change) == {"changed_since": 1, "undone": 1}
    assert dict(Content.objects.values_list("video", "tags")) == {made.pk: ["x"], older.pk: ["a"]}


@pytest.mark.django_db(transaction=True)
def test_undoing_an_earlier_change_leaves_the_values_of_a_later_one() -> None:
    video = make_video()
    earlier, later = done(BulkChange.Kind.HIDE), done(BulkChange.Kind.SHOW)
    assert undone(earlier) == {"changed_since": 1}
    assert undone(later) == {"undone": 1}
    video.refresh_from_db()
    assert video.active is False
    # The undoing is a write of its own.
    assert undone(earlier) == {"changed_since": 1}


def test_the_values_before_and_after_are_stored_in_the_audit_log_alone() -> None:
    video = make_video(held=True, held_by_check=True, active=False)
    with acting(Actor(Way.ADMIN, "ada", operation="request")):
        change = done(BulkChange.Kind.SHOW)
    [entry] = AuditEntry.objects.filter(object_pk=str(video.pk), cid=change.operation)
    assert (entry.way, entry.actor_name) == ("admin", "ada")
    assert entry.changes == {"active": [False, True], "held": [True, False], "held_by_check": [True, False]}
    assert {field.name for field in BulkChangeRow._meta.fields} == {"id", "change", "video_uuid", "outcome"}


def test_a_video_whose_audit_entry_was_removed_is_left_as_it_is() -> None:
    lost, kept = make_video(), make_video()
    change = done(BulkChange.Kind.HIDE)
    AuditEntry.objects.filter(object_pk=str(lost.pk)).delete()
    assert undone(change) == {"undone": 1, "unrecorded": 1}
    assert set(Video.objects.filter(active=False)) == {lost}
    assert set(Video.objects.filter(active=True)) == {kept}


def test_a_window_is_restored_to_the_microsecond() -> None:
    window = {"publish_from": NOW + timedelta(microseconds=500_000), "publish_until": NOW + HOUR}
    video = make_video(**window)
    change = done(BulkChange.Kind.SCHEDULE, {"publish_from": (NOW - HOUR).isoformat(), "publish_until": None})
    assert undone(change) == {"undone": 1}
    video.refresh_from_db()
    assert {name: getattr(video, name) for name in window} == window


def test_all_rows_of_a_recording_change_together_and_are_undone_together() -> None:
    first = make_video(prefix="shared")
    make_video(prefix="shared", duplicate_of=first)
    other = make_video(prefix="other")
    change = done(BulkChange.Kind.HIDE, videos=Video.objects.filter(pk=first.pk))
    assert change.chosen == 1
    assert set(Video.objects.filter(prefix="shared").values_list("active", flat=True)) == {False}
    other.refresh_from_db()
    assert other.active is True
    assert undone(change) == {"undone": 2}
    assert set(Video.objects.values_list("active", flat=True)) == {True}


def test_rows_without_a_place_do_not_belong_together() -> None:
    bare = [make_video(prefix="", bucket="") for _ in range(2)]
    done(BulkChange.Kind.HIDE, videos=Video.objects.filter(pk=bare[0].pk))
    assert sorted(Video.objects.values_list("active", flat=True)) == [False, True]


def test_each_batch_is_a_fixed_number_of_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "BATCH", 10)
    # Kept in the process once it was read.
    ContentType.objects.get_for_model(Video)
    Video.objects.bulk_create([Video(prefix=f"p{n}", status="available", bucket="b") for n in range(30)])
    for kind, values in (
        (BulkChange.Kind.HIDE, {}),
        (BulkChange.Kind.SCHEDULE, VALUES[BulkChange.Kind.SCHEDULE]),
        (BulkChange.Kind.ADD_TAGS, {"tags": ["x"]}),
    ):
        counts = []
        for many in (10, 30):
            change = chosen(
                kind, values, Video.objects.filter(pk__in=list(Video.objects.values_list("pk", flat=True))[:many])
            )
            bulk_begin(change_uuid=change.pk)
            counts.append(statements(lambda change=change: bulk_run(change_uuid=change.pk)))
            counts.append(statements(lambda change=change: bulk_undo(change_uuid=change.pk)))
        run, undo, run_of_three, undo_of_three = counts
        # Two batches more; of each the transaction, its actor, the change, the rows, the locks, the writes, the note.
        for one, three in ((run, run_of_three), (undo, undo_of_three)):
            assert (three - one) % 2 == 0
            assert (three - one) / 2 <= 10


def statements(act: Any) -> int:
    with CaptureQueriesContext(connection) as queries:
        act()
    return len(queries)


def test_choosing_is_one_statement_however_many_there_are() -> None:
    counts = []
    for many in (5, 50):
        Video.objects.bulk_create([Video(prefix=f"p{many}{n}", status="available") for n in range(many)])
        counts.append(statements(lambda: chosen(BulkChange.Kind.HIDE)))
    assert counts[0] == counts[1]
    assert sorted(BulkChange.objects.values_list("chosen", flat=True)) == [5, 55]


def test_a_crash_leaves_whole_batches_and_the_change_resumes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "BATCH", 4)
    Video.objects.bulk_create([Video(prefix=f"p{n}", bucket="b", status="available") for n in range(10)])
    change = chosen(BulkChange.Kind.HIDE)
    bulk_begin(change_uuid=change.pk)
    outcomes_stored = []

    def crash_at_the_second(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith('INSERT INTO "ondemand_bulkchangerow"'):
            outcomes_stored.append(sql)
            if len(outcomes_stored) == 2:
                raise OSError("the process died")
        return execute(sql, *args)

    with connection.execute_wrapper(crash_at_the_second), pytest.raises(OSError, match="died"):
        bulk_run(change_uuid=change.pk)
    assert Video.objects.filter(active=False).count() == 4
    assert bulk_outcomes(change) == {"changed": 4, "waiting": 6}
    bulk_run(change_uuid=change.pk)
    assert bulk_outcomes(change) == {"changed": 10}
    assert BulkChange.objects.get().state == "done"


def test_when_the_time_is_over_the_rest_waits_and_half_of_it_can_be_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "BATCH", 2)
    Video.objects.bulk_create([Video(prefix=f"p{n}", bucket="b", status="available") for n in range(6)])
    change = chosen(BulkChange.Kind.HIDE)
    bulk_begin(change_uuid=change.pk)
    bulk_run(change_uuid=change.pk, seconds=0)
    assert bulk_outcomes(change) == {"changed": 2, "waiting": 4}
    bulk_undo(change_uuid=change.pk, seconds=0)
    bulk_undo(change_uuid=change.pk, seconds=0)
    assert bulk_outcomes(change) == {"undone": 2, "waiting": 4}
    bulk_run(change_uuid=change.pk)
    assert not Video.objects.filter(active=False).exists()


def test_nothing_is_changed_before_it_is_begun_and_nothing_new_is_typed_after() -> None:
    make_video()
    change = bulk_choose(kind=BulkChange.Kind.ADD_TAGS, videos=Video.objects.all(), by=BY, by_name="boss")
    bulk_run(change_uuid=change.pk)
    assert not Content.objects.exists()
    with pytest.raises(BulkChangeStateError, match="not set yet"):
        bulk_begin(change_uuid=change.pk)
    with pytest.raises(BulkChangeStateError, match="has not begun"):
        bulk_undo(change_uuid=change.pk)
    bulk_values_set(change_uuid=change.pk, values={"tags": ["x"]})
    bulk_begin(change_uuid=change.pk)
    with pytest.raises(BulkChangeStateError, match="begun already"):
        bulk_values_set(change_uuid=change.pk, values={"tags": ["y"]})
    bulk_run(change_uuid=change.pk)
    assert Content.objects.get().tags == ["x"]
    assert Content.objects.get().created_by == BY


def test_too_many_are_refused_and_leave_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_CHOSEN", 2)
    for _ in range(3):
        make_video()
    with pytest.raises(TooManyChosenError, match="More than 2 videos"):
        chosen(BulkChange.Kind.HIDE)
    assert not BulkChange.objects.exists()
    assert not BulkChangeRow.objects.exists()


def test_old_changes_and_drafts_are_removed_at_the_next_one() -> None:
    make_video()
    old, kept, draft = done(BulkChange.Kind.HIDE), done(BulkChange.Kind.SHOW), chosen(BulkChange.Kind.HIDE)
    for change, days in ((old, 31), (kept, 29), (draft, 2)):
        BulkChange.objects.filter(pk=change.pk).update(made_at=timezone.now() - timedelta(days=days))
    new = chosen(BulkChange.Kind.HIDE)
    assert set(BulkChange.objects.values_list("pk", flat=True)) == {kept.pk, new.pk}
    assert set(BulkChangeRow.objects.values_list("change_id", flat=True)) == {kept.pk, new.pk}


def test_a_video_that_would_have_too_many_tags_is_left_and_reported() -> None:
    full, free = make_video(), make_video()
    make_content(full, tags=[str(n) for n in range(50)])
    make_content(free, tags=["a"])
    change = done(BulkChange.Kind.ADD_TAGS, {"tags": ["x"]})
    assert bulk_outcomes(change) == {"changed": 1, "too_many_tags": 1}
    assert len(Content.objects.get(video=full).shown_tags) == 50


def test_a_tag_is_renamed_in_its_place_and_merged_without_a_repeat() -> None:
    for tags in (["a", "old", "z"], ["new", "old"], ["old", "new"], ["other"]):
        make_content(make_video(), tags=tags)
    change = done(BulkChange.Kind.RENAME_TAG, {"tags": ["old"], "to": "new"})
    found = sorted(Content.objects.values_list("tags", flat=True))
    assert found == [["a", "new", "z"], ["new"], ["new"], ["other"]]
    undone(change)
    assert ["new", "old"] in list(Content.objects.values_list("tags", flat=True))
    assert ["old", "new"] in list(Content.objects.values_list("tags", flat=True))


TAGS = st.lists(st.sampled_from("abcd"), max_size=6)


@settings(deadline=None, database=None)
@given(tags=TAGS, named=TAGS)
def test_adding_then_removing_tags_leaves_none_of_them_and_keeps_the_order(tags: list[str], named: list[str]) -> None:
    added = tags_after(BulkChange.Kind.ADD_TAGS, tags, named)
    assert set(added) == {*tags, *named}
    removed = tags_after(BulkChange.Kind.REMOVE_TAGS, tags, named)
    assert removed == list(dict.fromkeys(tag for tag in tags if tag not in named)) or removed == tags
    renamed = tags_after(BulkChange.Kind.RENAME_TAG, tags, ["a"], "b")
    assert "a" not in renamed
    assert set(renamed) == {"b" if tag == "a" else tag for tag in tags}


# What it will do


def test_the_preview_counts_by_the_listings_before_and_after() -> None:
    first = make_video()
    make_video(), make_video(active=False), make_video(visibility="unlisted")
    make_video(publish_until=NOW - HOUR), make_video(duplicate_of=first), make_video(part_of=first)
    words = {(c.videos, c.now, c.after, c.is_same) for c in listing_changes(chosen(BulkChange.Kind.HIDE), {}, NOW)}
    assert words == {
        (2, Listing.LISTED, Listing.HIDDEN, False),
        (1, Listing.UNLISTED, Listing.HIDDEN, False),
        (1, Listing.EXPIRED, Listing.HIDDEN, False),
        (2, Listing.DUPLICATE, Listing.DUPLICATE, False),
        (1, Listing.HIDDEN, Listing.HIDDEN, True),
    }


@pytest.mark.parametrize(
    "kind",
    [
        BulkChange.Kind.SHOW,
        BulkChange.Kind.HIDE,
        BulkChange.Kind.LIST,
        BulkChange.Kind.UNLIST,
        BulkChange.Kind.SCHEDULE,
    ],
)
def test_the_preview_predicts_the_change(kind: BulkChange.Kind) -> None:
    # Rows that share a recording change together, whichever was chosen: these are apart.
    for video in make_some():
        Video.objects.filter(pk=video.pk).update(prefix=str(uuid4()))
    now = timezone.now()
    values = (
        {"publish_from": (now + HOUR).isoformat(), "publish_until": None} if kind == BulkChange.Kind.SCHEDULE else {}
    )
    change = chosen(kind, values)
    preview = listing_changes(change, values, now)
    bulk_begin(change_uuid=change.pk)
    bulk_run(change_uuid=change.pk)
    after: dict[str, int] = {}
    for video in Video.objects.all():
        after[video.listing_at(now)] = after.get(video.listing_at(now), 0) + 1
    counted: dict[str, int] = {}
    for line in preview:
        counted[line.after] = counted.get(line.after, 0) + line.videos
    assert counted == after
    assert sum(line.videos for line in preview if line.is_same) == bulk_outcomes(change).get("same", 0)


def foretold(kind: BulkChange.Kind, videos: QuerySet[Video], values: dict[str, Any] | None = None) -> ListingChange:
    """The only line of the preview."""
    (line,) = listing_changes(chosen(kind, values, videos), values or {}, NOW)
    return line


@pytest.mark.parametrize(
    "kind", [BulkChange.Kind.SHOW, BulkChange.Kind.HIDE, BulkChange.Kind.LIST, BulkChange.Kind.UNLIST]
)
def test_the_preview_names_the_videos_that_leave_the_review(kind: BulkChange.Kind) -> None:
    make_some()
    make_video(visibility="unlisted", awaits_review=True)
    before = set(Video.objects.to_review())
    reviewed = sum(line.videos for line in listing_changes(chosen(kind), {}, NOW) if line.is_reviewed)
    done(kind)
    assert len(before) == 3
    assert reviewed == len(before - set(Video.objects.to_review()))


@pytest.mark.parametrize(
    "kind",
    [
        BulkChange.Kind.SHOW,
        BulkChange.Kind.HIDE,
        BulkChange.Kind.LIST,
        BulkChange.Kind.UNLIST,
        BulkChange.Kind.SCHEDULE,
    ],
)
def test_the_preview_shows_the_listing_of_a_running_recording_after_its_end(kind: BulkChange.Kind) -> None:
    values = VALUES.get(kind)
    undecided = {"status": Video.Status.RECORDING, "active": None, "held": None, "visibility": None}
    for state in ("listed", "unlisted", "hidden", None):
        channel = make_channel(new_video_state=state)
        video = make_video(channel=channel, prefix=f"runs {state}", **undecided)
        line = foretold(kind, Video.objects.filter(pk=video.pk), values)
        assert (line.now, line.after, line.is_same) == (Listing.RECORDING, Listing.RECORDING, False), state
        done(kind, values, Video.objects.filter(pk=video.pk))
        video.refresh_from_db()
        video.status = Video.Status.AVAILABLE
        publication_decide(video, state or "listed")
        assert line.ended == video.listing_at(NOW), state


def test_the_preview_names_another_deciding_rule_only_if_there_is_one() -> None:
    window = {"publish_from": (NOW - HOUR).isoformat(), "publish_until": None}
    listed = Video.objects.filter(pk=make_video().pk)
    assert not foretold(BulkChange.Kind.SCHEDULE, listed, window).is_decided_elsewhere
    hidden = Video.objects.filter(pk=make_video(active=False).pk)
    assert foretold(BulkChange.Kind.SCHEDULE, hidden, window).is_decided_elsewhere
    assert foretold(BulkChange.Kind.UNLIST, hidden).is_decided_elsewhere


def test_the_preview_of_tags_counts_the_videos_of_each_tag() -> None:
    for tags in (["a"], ["a", "b"], None):
        make_content(make_video(), tags=tags)
    make_video()
    uses = tag_uses(chosen(BulkChange.Kind.ADD_TAGS, {"tags": ["a"]}), ["a", "b", "c"])
    assert uses == [("a", 2), ("b", 1), ("c", 0)]


def test_the_previews_are_one_statement_each() -> None:
    make_some()
    change = chosen(BulkChange.Kind.HIDE)
    assert statements(lambda: listing_changes(change, {}, NOW)) == 1
    assert statements(lambda: tag_uses(change, ["a", "b"])) == 1


# Checked again


def test_checking_again_marks_and_checks_and_can_be_undone(aws: LocalAws) -> None:
    checked = make_video(qa="ok", qa_reasons=["As it was."])
    failed = make_video(qa="failed", qa_reasons=["It was missing."], status=Video.Status.FAILED)
    change = done(BulkChange.Kind.CHECK)
    assert bulk_outcomes(change) == {"changed": 1, "no_files": 1}
    found = Video.objects.get(pk=checked.pk)
    assert found.qa == "failed"
    assert undone(change) == {"undone": 1, "no_files": 1}
    found.refresh_from_db()
    assert (found.qa, found.qa_reasons) == ("ok", ["As it was."])
    failed.refresh_from_db()
    assert failed.qa_reasons == ["It was missing."]


def test_videos_that_were_not_checked_in_time_are_checked_by_the_next_call(aws: LocalAws) -> None:
    for _ in range(3):
        make_video(qa="ok")
    change = chosen(BulkChange.Kind.CHECK)
    bulk_begin(change_uuid=change.pk)
    bulk_run(change_uuid=change.pk, seconds=0)
    bulk_run(change_uuid=change.pk, seconds=0)
    assert services.videos_to_check(BulkChange.objects.get()).count() == 2
    bulk_run(change_uuid=change.pk)
    assert services.videos_to_check(BulkChange.objects.get()).count() == 0
    assert undone(change) == {"undone": 3}
    assert set(Video.objects.values_list("qa", flat=True)) == {"ok"}


@pytest.mark.django_db(transaction=True)
def test_a_verdict_that_is_newer_than_the_change_is_not_undone(aws: LocalAws) -> None:
    video = make_video(qa="ok")
    change = done(BulkChange.Kind.CHECK)
    Video.objects.filter(pk=video.pk).update(qa="warning")
    assert undone(change) == {"changed_since": 1}
    video.refresh_from_db()
    assert video.qa == "warning"
