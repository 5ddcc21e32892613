"""The rows of the audit log."""

from typing import Any

from auditlog.models import AbstractLogEntry
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.audit.actors import Way

# Those of the library, in our languages.
_ACTIONS = [
    (AbstractLogEntry.Action.CREATE, _("create")),
    (AbstractLogEntry.Action.UPDATE, _("update")),
    (AbstractLogEntry.Action.DELETE, _("delete")),
    (AbstractLogEntry.Action.ACCESS, _("access")),
]


class AuditEntry(AbstractLogEntry):
    """A change of an object, written by triggers; `cid` is the operation, `changes` is `{field: [before, after]}`."""

    id = models.BigAutoField(primary_key=True)
    # The fields of the library without their indexes: the indexes below also order by the newest.
    object_pk = models.CharField(_("object pk"), max_length=255)
    object_id = models.BigIntegerField(_("object id"), null=True)
    action = models.PositiveSmallIntegerField(_("action"), choices=_ACTIONS)
    timestamp = models.DateTimeField(_("timestamp"), default=timezone.now)
    cid = models.CharField(_("operation"), max_length=255, null=True)  # noqa: DJ001
    content_type = models.ForeignKey(
        "contenttypes.ContentType", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    way = models.TextField(_("way"), choices=Way.choices)
    actor_name = models.TextField(_("by"))

    objects: Any = models.Manager()

    class Meta(AbstractLogEntry.Meta):
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        # All entries of a transaction have the same time: the last written is the newest.
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["object_pk", "-id"], name="audit_of_object"),
            models.Index(fields=["way", "-id"], name="audit_by_way"),
            models.Index(fields=["content_type", "-id"], name="audit_of_type"),
            models.Index(fields=["action", "-id"], name="audit_of_action"),
            models.Index(fields=["actor_name", "-id"], name="audit_by_name"),
            models.Index(fields=["cid"], name="audit_of_operation"),
        ]
