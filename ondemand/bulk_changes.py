"""What was changed in many videos at once: the rows of it, as they were and as they are, so that it can be undone."""

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import MD5, Collate, Left, Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ondemand.catalogue import TAG_BEGINNING

# By which tags are found and put in order, in any letter case; an index finds beginnings in this collation alone.
TAG_KEY = Collate(Upper(Left("tag", TAG_BEGINNING)), "C")
KEPT = timedelta(days=30)
DRAFT_KEPT = timedelta(days=1)


class BulkChangeQuerySet(models.QuerySet["BulkChange"]):
    """Reads of bulk changes."""

    def begun(self) -> Self:
        """Those that somebody confirmed, the newest first."""
        return self.filter(begun_at__isnull=False).order_by("-made_at")

    def outlived(self, at: datetime) -> Self:
        """Those that are older than they are kept; what was never begun, than a day."""
        return self.filter(Q(made_at__lt=at - KEPT) | Q(made_at__lt=at - DRAFT_KEPT, begun_at__isnull=True))


class BulkChange(models.Model):
    """One change of many videos, from its choice to its undoing."""

    class Kind(models.TextChoices):
        """What is done to each video."""

        SHOW = "show", _("Show")
        HIDE = "hide", _("Hide")
        LIST = "list", _("List")
        UNLIST = "unlist", _("Unlist")
        SCHEDULE = "schedule", _("Schedule")
        ADD_TAGS = "add_tags", _("Add tags")
        REMOVE_TAGS = "remove_tags", _("Remove tags")
        RENAME_TAG = "rename_tag", _("Rename a tag")
        CHECK = "check", _("Check again")

    OF_TAGS = (Kind.ADD_TAGS, Kind.REMOVE_TAGS, Kind.RENAME_TAG)

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.TextField(choices=Kind.choices)
    # Tags, or the publication window; None until somebody has typed them.
    values = models.JSONField(null=True)
    by = models.UUIDField()
    by_name = models.TextField()
    made_at = models.DateTimeField(default=timezone.now)
    # The list that it was chosen from, to go back to.
    query = models.TextField(blank=True)
    # Of the chosen ones; what belongs to their recordings changes with them.
    chosen = models.PositiveIntegerField()
    begun_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    undoing_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    # How many rows had come to each outcome when it was last at work: a list of changes does not count them.
    outcomes = models.JSONField(default=dict)

    objects = BulkChangeQuerySet.as_manager()

    class Meta:
        app_label = "ondemand"
        indexes = [models.Index(fields=["-made_at"], name="bulk_change_newest")]
        # No page of the stock admin: these are given with the videos and their content.
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.kind} {self.made_at:%Y-%m-%d %H:%M:%S}"

    @property
    def is_of_tags(self) -> bool:
        """Whether it changes content; else it changes the videos themselves."""
        return self.kind in self.OF_TAGS


class BulkChangeRow(models.Model):
    """One video of a bulk change."""

    class Outcome(models.TextChoices):
        """How far it is with a video; each word is said of a number of them."""

        WAITING = "waiting", _("not done yet")
        CHANGED = "changed", _("changed")
        SAME = "same", _("nothing to change")
        TOO_MANY_TAGS = "too_many_tags", _("left as they are: they would have too many tags")
        NO_FILES = "no_files", _("left as they are: they have no files that can be read")
        GONE = "gone", _("left: they are not there any more")
        UNDONE = "undone", _("undone")
        CHANGED_SINCE = "changed_since", _("left as they are: somebody changed them since")

    id = models.BigAutoField(primary_key=True)
    change = models.ForeignKey(BulkChange, on_delete=models.CASCADE, related_name="rows", db_index=False)
    # No foreign key: the predecessor may remove rows.
    video_uuid = models.UUIDField()
    outcome = models.TextField(choices=Outcome.choices, default=Outcome.WAITING)
    # The columns that were written: as they were, and as they are since. None: there was no content.
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        app_label = "ondemand"
        constraints = [models.UniqueConstraint(fields=["change", "video_uuid"], name="video_of_bulk_change")]
        indexes = [
            models.Index(fields=["change", "id"], name="bulk_change_waiting", condition=Q(outcome="waiting")),
            models.Index(fields=["change", "id"], name="bulk_change_changed", condition=Q(outcome="changed")),
        ]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.video_uuid} {self.outcome}"


class KnownTag(models.Model):
    """A tag that some content has or had, written by a trigger. None is removed: whoever reads them looks for a use.

    A tag may be of any length, and the key of an index may not.
    """

    id = models.BigAutoField(primary_key=True)
    tag = models.TextField()

    class Meta:
        app_label = "ondemand"
        constraints = [models.UniqueConstraint(MD5("tag"), name="known_tag_once")]
        indexes = [
            models.Index(TAG_KEY, name="known_tag_beginning"),
        ]
        default_permissions = ()

    def __str__(self) -> str:
        return self.tag
