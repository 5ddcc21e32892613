"""Rows that need attention, and the lists of the admin that show them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from channels_app.admin import list_address
from channels_app.models import Channel, InboxEvent, ReportedDifference
from ondemand.models import Video
from ondemand.models.publication import Listing


@dataclass(frozen=True)
class AttentionItem:
    """A kind of row that needs attention. `advice` says what to do; `tone` is the color of its badge."""

    name: str
    model: type[Model]
    label: Any
    advice: Any
    rows: Callable[[datetime], QuerySet[Any]]
    query: dict[str, str] = field(default_factory=dict)
    tone: str = "failed"

    @property
    def address(self) -> str:
        return list_address(self.model, **self.query)


# In the order of the page. A video that staff have hidden needs no attention.
ATTENTION_ITEMS = (
    AttentionItem(
        "failed",
        Video,
        _("Failed recordings"),
        _("Read why, and look for its end in S3 on the page of the video; else hide it in the list."),
        lambda at: Video.objects.with_listing(Listing.FAILED, at).filter(active__isnull=True),
        {"listing": "failed", "shown": "open"},
    ),
    AttentionItem(
        "qa",
        Video,
        _("Shown videos whose files do not play"),
        _("Repair the files and check again, or hide the video."),
        lambda at: Video.objects.filter(qa=Video.Qa.FAILED, active=True),
        {"qa": "failed", "shown": "yes"},
    ),
    AttentionItem(
        "stuck",
        Video,
        _("Recordings without an end after 48 hours"),
        _("manage.py reconcile --apply ends them."),
        lambda at: Video.objects.stuck(at),
        {"stuck": "yes"},
        "recording",
    ),
    AttentionItem(
        "events-failed",
        InboxEvent,
        _("Failed events"),
        _("Read the error, repair its cause, then replay them."),
        lambda at: InboxEvent.objects.filter(outcome=InboxEvent.Outcome.FAILED),
        {"outcome": "failed"},
    ),
    AttentionItem(
        "events-stuck",
        InboxEvent,
        _("Events that are not processed after an hour"),
        _("Check that S3 can be read; manage.py process_inbox tries again."),
        lambda at: InboxEvent.objects.stuck(at),
        {"outcome": "stuck"},
        "recording",
    ),
    AttentionItem(
        "events-parked",
        InboxEvent,
        _("Events of unknown channels"),
        _("manage.py import_channel imports a channel and processes its events."),
        lambda at: InboxEvent.objects.filter(outcome=InboxEvent.Outcome.PARKED),
        {"outcome": "parked"},
        "quiet",
    ),
    AttentionItem(
        "differences",
        ReportedDifference,
        _("Differences from Amazon IVS and S3"),
        _("manage.py reconcile --apply repairs what can be repaired."),
        lambda at: ReportedDifference.objects.all(),
        tone="recording",
    ),
    AttentionItem(
        "no-key",
        Channel,
        _("Channels without a stream key"),
        _("Nobody can go live there: they are banned, or a crash left them without a key. Make a new key."),
        lambda at: Channel.objects.without_key(),
        {"attention": "no-key"},
        "recording",
    ),
    AttentionItem(
        "unfinished",
        Channel,
        _("Channels whose creation was interrupted"),
        _("Select them and finish or undo the creation."),
        lambda at: Channel.objects.unfinished(),
        {"attention": "unfinished"},
        "recording",
    ),
)
