"""The inbox of events in the admin."""

import json
from collections import Counter
from time import monotonic
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet, Value
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from channels_app.admin.pages import ReadOnlyAdmin, TextSearch, WordFilter, without_places
from channels_app.audit import audit_note
from channels_app.events import MalformedEventError, load_json
from channels_app.models import InboxEvent
from channels_app.replay import events_replay
from channels_app.scopes import account_has_scope
from channels_app.times import zoned

LONGEST_ERROR = 80
# What a person waits for: more events, or more time, is for the command.
MOST_REPLAYED = 500
REPLAY_SECONDS = 20
# What is said of a number of events.
_WORDS: dict[str, str | Promise] = {
    InboxEvent.Outcome.RECEIVED: pgettext_lazy("some events", "received"),
    InboxEvent.Outcome.APPLIED: pgettext_lazy("some events", "applied"),
    InboxEvent.Outcome.PARKED: pgettext_lazy("some events", "parked"),
    InboxEvent.Outcome.IGNORED: pgettext_lazy("some events", "ignored"),
    InboxEvent.Outcome.DEFERRED: pgettext_lazy("some events", "deferred"),
    InboxEvent.Outcome.REFUSED: pgettext_lazy("some events", "refused"),
    InboxEvent.Outcome.FAILED: pgettext_lazy("some events", "failed"),
}
_UNDONE = {InboxEvent.Outcome.FAILED.value, InboxEvent.Outcome.REFUSED.value}


class OutcomeFilter(WordFilter):
    """By what became of the event, or that nothing does."""

    title = _("outcome")
    parameter_name = "outcome"
    stuck = "stuck"
    words = dict(InboxEvent.Outcome.choices) | {stuck: _("stuck: not done after an hour")}

    def of_word(self, rows: Any, word: str) -> QuerySet[InboxEvent]:
        """The events with that outcome, or those that come to none."""
        return rows.stuck(timezone.now()) if word == self.stuck else super().of_word(rows, word)


class DetailTypeFilter(admin.SimpleListFilter):
    """By the event's detail-type. The known ones are named, for asking the table would read all of it."""

    title = _("detail type")
    parameter_name = "detail_type"
    known = (
        "IVS Stream State Change",
        "IVS Stream Health Change",
        "IVS Limit Breach",
        "IVS Recording State Change",
    )

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The four of IVS, and all others as one."""
        return [*((name, name) for name in self.known), ("other", gettext("another one, or none"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The events of that type; an unknown word filters nothing."""
        if self.value() == "other":
            return queryset.exclude(detail_type__in=self.known)
        return queryset.filter(detail_type=self.value()) if self.value() in self.known else queryset


@admin.register(InboxEvent)
class InboxEventAdmin(TextSearch, ReadOnlyAdmin):
    """The inbox: nothing of a row is edited, and it can go down the road again."""

    nothing_yet = _(
        "No event has come yet. Amazon IVS sends some when a channel goes live; manage.py ingest_events reads a file."
    )
    list_display = ("received", "happened", "detail_type", "name", "outcome", "short_error", "attempts")
    list_filter = (OutcomeFilter, DetailTypeFilter)
    search_fields = ("event_id", "stream_id", "channel_arn")
    search_help_text = _("The whole id of an event or a stream, or the whole ARN of a channel")
    ordering = ("-id",)
    curated_fields = ("body", "error")
    # No index is in another order.
    sortable_by = ("received",)
    actions = ("replay",)
    fieldsets = (
        (None, {"fields": ("event_id", "received", "happened", "detail_type", "name")}),
        (_("What became of it"), {"fields": ("outcome", "error", "attempts", "processed")}),
        (_("What it is about"), {"fields": ("channel_arn", "stream_id")}),
        (_("Envelope"), {"fields": ("envelope",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboxEvent]:
        """Return all events, and whether the place of a recording is shown `to_curator`; without their bodies."""
        to_curator = Value(account_has_scope(request.user, "curate"))
        return InboxEvent.objects.defer("body").annotate(to_curator=to_curator)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> InboxEvent | None:
        """Return the event; without the place of a recording if the caller lacks the scope `curate`."""
        event = super().get_object(request, object_id, from_field)
        if event is not None and not event.to_curator:
            # Nothing of a row is edited here, so it is not saved like this.
            event.body, event.error = without_places(_indented(event.body)), without_places(event.error)
        return event

    def found(self, queryset: QuerySet[InboxEvent], text: str) -> QuerySet[InboxEvent]:
        """Events by exact ids."""
        return queryset.filter(Q(event_id=text) | Q(stream_id=text) | Q(channel_arn=text))

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Whoever may change events: what became of one is all of it that can change."""
        return request.user.has_perm("channels_app.change_inboxevent")

    @admin.action(description=_("Replay selected events"), permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[InboxEvent]) -> None:
        """Take them down the road again, the oldest first; those that are done, too."""
        total = queryset.count()
        if total > MOST_REPLAYED:
            told = gettext("Nothing was replayed: %(total)d events are more than %(most)d. Use manage.py replay.")
            self.message_user(request, told % {"total": total, "most": MOST_REPLAYED}, messages.ERROR)
            return
        outcomes = _replayed(queryset)
        level = messages.WARNING if _UNDONE & outcomes.keys() else messages.SUCCESS
        self.message_user(request, _replay_told(outcomes), level)
        if left := total - outcomes.total():
            told = gettext("Not replayed: %(left)d. Select them again, or use manage.py replay.")
            self.message_user(request, told % {"left": left}, messages.WARNING)

    @admin.display(description=_("received"), ordering="id")
    def received(self, event: InboxEvent) -> str:
        """When it came."""
        return zoned(event.received_at)

    @admin.display(description=_("event time"), ordering="event_time")
    def happened(self, event: InboxEvent) -> str:
        """When it happened, as the event says."""
        return zoned(event.event_time)

    @admin.display(description=_("processed"))
    def processed(self, event: InboxEvent) -> str:
        """When it was last tried."""
        return zoned(event.processed_at)

    @admin.display(description=_("error"))
    def short_error(self, event: InboxEvent) -> str:
        """The beginning of the error."""
        error = event.error if event.to_curator else without_places(event.error)  # type: ignore[attr-defined]
        return error if len(error) <= LONGEST_ERROR else f"{error[:LONGEST_ERROR]}…"

    @admin.display(description=_("body"))
    def envelope(self, event: InboxEvent) -> SafeString:
        """The body, indented where it is JSON, as it came where it is not."""
        return format_html('<pre class="envelope" tabindex="0">{}</pre>', _indented(event.body))


def _replayed(events: QuerySet[InboxEvent]) -> Counter[str]:
    """How many came to each outcome in the time that there is; the batch at work when it is over is finished."""
    outcomes: Counter[str] = Counter()
    rows = dict(events.order_by().values_list("event_id", "pk"))
    until = monotonic() + REPLAY_SECONDS
    for deliveries in events_replay(events.defer(None)):
        for delivery in deliveries:
            # What the event changes is told as its doing; that it went down the road again is somebody's.
            text = str(delivery.event_id)
            audit_note(model="inboxevent", pk=rows[text], name=text, changes={"replayed": ["", str(delivery.outcome)]})
        outcomes.update(str(delivery.outcome) for delivery in deliveries)
        if monotonic() >= until:
            break
    return outcomes


def _replay_told(outcomes: Counter[str]) -> str:
    counted = ", ".join(f"{count} {_WORDS.get(outcome, outcome)}" for outcome, count in sorted(outcomes.items()))
    told = gettext("Replayed: %(total)d (%(counted)s).") if counted else gettext("Replayed: %(total)d.")
    return told % {"total": outcomes.total(), "counted": counted}


def _indented(body: str) -> str:
    try:
        text = json.dumps(load_json(body), indent=2, ensure_ascii=False)
    except MalformedEventError:
        return body
    # JSON may spell half a character, which no page can carry.
    return text.encode("utf-8", "backslashreplace").decode()
