"""What needs somebody's attention: which rows, and the list in the admin that shows just these."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from channels_app.admin import list_address
from channels_app.models import Channel, InboxEvent, ReportedDifference
from ondemand.models import Video


@dataclass(frozen=True)
class Matter:
    """Something that may be amiss. `todo` says what people do about it; `tone` is that of a badge."""

    word: str
    model: type[Model]
    label: Any
    todo: Any
    rows: Callable[[datetime], QuerySet[Any]]
    query: dict[str, str] = field(default_factory=dict)
    tone: str = "failed"

    @property
    def address(self) -> str:
        """The list of just these rows."""
        return list_address(self.model, **self.query)


# In the order in which they are shown. What staff have hidden they have seen to.
MATTERS = (
    Matter(
        "failed",
        Video,
        _("Failed recordings"),
        _("See what its events say; hide the video once you have."),
        lambda at: Video.objects.filter(status=Video.Status.FAILED, active__isnull=True),
        {"status": "failed", "active__isnull": "True"},
    ),
    Matter(
        "qa",
        Video,
        _("Shown videos whose files do not play"),
        _("Mend the files and check again, or hide the video."),
        lambda at: Video.objects.filter(qa=Video.Qa.FAILED, active=True),
        {"qa": "failed", "active__exact": "1"},
    ),
    Matter(
        "private",
        Video,
        _("Videos of private channels that anyone can open"),
        _(
            "Only curators get their files. Select all and hide them. To keep them reachable, set “New videos” of the"
            " channel to listed or unlisted."
        ),
        lambda at: Video.objects.open_though_private(at),
        {"private": "yes"},
    ),
    Matter(
        "stuck",
        Video,
        _("Recordings without an end after 48 hours"),
        _("manage.py reconcile --apply ends them."),
        lambda at: Video.objects.stuck(at),
        {"stuck": "yes"},
        "recording",
    ),
    Matter(
        "events-failed",
        InboxEvent,
        _("Failed events"),
        _("Read the error, mend its cause, then replay them."),
        lambda at: InboxEvent.objects.filter(outcome=InboxEvent.Outcome.FAILED),
        {"outcome": "failed"},
    ),
    Matter(
        "events-stuck",
        InboxEvent,
        _("Events that are not done after an hour"),
        _("See whether S3 can be read; manage.py process_inbox tries again."),
        lambda at: InboxEvent.objects.stuck(at),
        {"outcome": "stuck"},
        "recording",
    ),
    Matter(
        "events-parked",
        InboxEvent,
        _("Events of channels that are not here"),
        _("manage.py import_channel takes a channel over, and its events with it."),
        lambda at: InboxEvent.objects.filter(outcome=InboxEvent.Outcome.PARKED),
        {"outcome": "parked"},
        "quiet",
    ),
    Matter(
        "differences",
        ReportedDifference,
        _("Differences from Amazon IVS and S3"),
        _("manage.py reconcile --apply mends what can be mended."),
        lambda at: ReportedDifference.objects.all(),
        tone="recording",
    ),
    Matter(
        "no-key",
        Channel,
        _("Channels without a stream key"),
        _("Nobody can go live there: they are banned, or a crash left them so. A new key heals both."),
        lambda at: Channel.objects.without_key(),
        {"attention": "no-key"},
        "recording",
    ),
    Matter(
        "unfinished",
        Channel,
        _("Channels whose creation was interrupted"),
        _("Select them and finish or undo the creation."),
        lambda at: Channel.objects.unfinished(),
        {"attention": "unfinished"},
        "recording",
    ),
)
