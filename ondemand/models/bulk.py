"""Bulk changes: the chosen videos, the state of the change, and the outcome for each video."""

import uuid
from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

KEPT = timedelta(days=30)
DRAFT_KEPT = timedelta(days=1)


class BulkChangeQuerySet(models.QuerySet["BulkChange"]):
    """Reads of bulk changes."""

    def begun(self) -> Self:
        """Return the confirmed changes, the newest first."""
        return self.exclude(state=BulkChange.State.DRAFT).order_by("-made_at")

    def outlived(self) -> Self:
        """Return the changes past their retention; drafts are kept for a day."""
        now = timezone.now()
        return self.filter(Q(made_at__lt=now - KEPT) | Q(made_at__lt=now - DRAFT_KEPT, state=BulkChange.State.DRAFT))


class BulkChange(models.Model):
    """One change of many videos, from its choice to its undoing."""

    class Kind(models.TextChoices):
        """The change of each video."""

        SHOW = "show", _("Show")
        HIDE = "hide", _("Hide")
        LIST = "list", _("List")
        UNLIST = "unlist", _("Unlist")
        PROTECT = "protect", _("Play with a grant alone")
        UNPROTECT = "unprotect", _("Play without a grant")
        SCHEDULE = "schedule", _("Schedule")
        ADD_TAGS = "add_tags", _("Add tags")
        REMOVE_TAGS = "remove_tags", _("Remove tags")
        RENAME_TAG = "rename_tag", _("Rename a tag")
        CHECK = "check", _("Check again")

    class State(models.TextChoices):
        """The state of a change; running and undoing may be interrupted, and resume."""

        DRAFT = "draft"
        RUNNING = "running", _("not finished")
        DONE = "done", _("done")
        UNDOING = "undoing", _("partly undone")
        UNDONE = "undone", _("undone")

    OF_TAGS = (Kind.ADD_TAGS, Kind.REMOVE_TAGS, Kind.RENAME_TAG)

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.TextField(choices=Kind.choices)
    state = models.TextField(choices=State.choices, default=State.DRAFT)
    # Tags, or the publication window; None until they are entered.
    values = models.JSONField(null=True)
    by = models.UUIDField()
    by_name = models.TextField()
    made_at = models.DateTimeField(default=timezone.now)
    # The query string of the list that it was chosen from, to go back to.
    query = models.TextField(blank=True)
    # The number of chosen videos; other rows of their recordings change with them.
    chosen = models.PositiveIntegerField()
    # The number of rows by outcome when it last ran, so that the list of changes need not count them.
    outcomes = models.JSONField(default=dict)

    objects = BulkChangeQuerySet.as_manager()

    class Meta:
        app_label = "ondemand"
        indexes = [models.Index(fields=["-made_at"], name="bulk_change_newest")]
        # No page of the stock admin: the permissions are those of videos and content.
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.kind} {self.made_at:%Y-%m-%d %H:%M:%S}"

    @property
    def is_of_tags(self) -> bool:
        """Return whether it changes content instead of the videos themselves."""
        return self.kind in self.OF_TAGS

    @property
    def is_undoing(self) -> bool:
        """Return whether undoing has begun, or is over."""
        return self.state in {self.State.UNDOING, self.State.UNDONE}

    @property
    def operation(self) -> str:
        """Return the operation of its audit entries; no request can have this name, for it has spaces."""
        return f"bulk change {self.pk}"


class BulkChangeRow(models.Model):
    """One video of a bulk change. The values before and after are in the audit log alone."""

    class Outcome(models.TextChoices):
        """The outcome for a video; each label stands behind a number of videos."""

        WAITING = "waiting", _("not done yet")
        CHANGED = "changed", _("changed")
        SAME = "same", _("nothing to change")
        TOO_MANY_TAGS = "too_many_tags", _("left as they are: they would have too many tags")
        GRANT_NEEDED = "grant_needed", _("left as they are: they show another recording that needs a grant")
        NO_FILES = "no_files", _("left as they are: they have no files that can be read")
        GONE = "gone", _("left: they are not there any more")
        UNDONE = "undone", _("undone")
        CHANGED_SINCE = "changed_since", _("left as they are: somebody changed them since")
        UNRECORDED = "unrecorded", _("left as they are: the audit log has lost what they were before")

    id = models.BigAutoField(primary_key=True)
    change = models.ForeignKey(BulkChange, on_delete=models.CASCADE, related_name="rows", db_index=False)
    # No foreign key: the predecessor may remove rows.
    video_uuid = models.UUIDField()
    outcome = models.TextField(choices=Outcome.choices, default=Outcome.WAITING)

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
