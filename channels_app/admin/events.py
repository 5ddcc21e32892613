"""The inbox of events in the admin."""

import json
from collections import Counter
from time import monotonic
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet, Value
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from channels_app.envelopes import MalformedEventError, load_json
from channels_app.events.replay import events_replay
from channels_app.models import InboxEvent
from common.admin.pages import ChoiceFilter, ReadOnlyAdmin, TextSearch, time_column, without_places
from common.audit import audit_note
from common.rest.scopes import account_has_scope

_MAX_ERROR_LENGTH = 80
# A person waits for the answer: the command replays more events, or takes more time.
MOST_REPLAYED = 500
REPLAY_SECONDS = 20
# The outcomes, after a number of events.
_COUNTED: dict[str, Any] = {
    InboxEvent.Outcome.RECEIVED: pgettext_lazy("some events", "received"),
    InboxEvent.Outcome.APPLIED: pgettext_lazy("some events", "applied"),
    InboxEvent.Outcome.PARKED: pgettext_lazy("some events", "parked"),
    InboxEvent.Outcome.IGNORED: pgettext_lazy("some events", "ignored"),
    InboxEvent.Outcome.DEFERRED: pgettext_lazy("some events", "deferred"),
    InboxEvent.Outcome.REFUSED: pgettext_lazy("some events", "refused"),
    InboxEvent.Outcome.FAILED: pgettext_lazy("some events", "failed"),
}
_UNDONE = {InboxEvent.Outcome.FAILED.value, InboxEvent.Outcome.REFUSED.value}


class OutcomeFilter(ChoiceFilter):
    title = _("outcome")
    parameter_name = "outcome"
    labels = dict(InboxEvent.Outcome.choices) | {"stuck": _("stuck: not done after an hour")}

    def with_value(self, rows: Any, value: str) -> QuerySet[InboxEvent]:
        """Return the events with the outcome, or those without one for an hour."""
        return rows.stuck(timezone.now()) if value == "stuck" else super().with_value(rows, value)


class DetailTypeFilter(ChoiceFilter):
    """By detail-type. The types of IVS are listed here, since a query for all types would read the whole table."""

    title = _("detail type")
    parameter_name = "detail_type"
    types = ("IVS Stream State Change", "IVS Stream Health Change", "IVS Limit Breach", "IVS Recording State Change")
    labels = {**dict(zip(types, types, strict=True)), "other": _("another one, or none")}

    def with_value(self, rows: Any, value: str) -> QuerySet[InboxEvent]:
        return rows.exclude(detail_type__in=self.types) if value == "other" else super().with_value(rows, value)


@admin.register(InboxEvent)
class InboxEventAdmin(TextSearch, ReadOnlyAdmin):
    """The inbox, read-only; its events can be replayed."""

    nothing_yet = _("No event has arrived yet. Each live channel sends some; manage.py ingest_events reads files.")
    list_display = ("received", "happened", "detail_type", "name", "outcome", "short_error", "attempts")
    list_filter = (OutcomeFilter, DetailTypeFilter)
    search_fields = ("event_id", "stream_id", "channel_arn")
    search_help_text = _("The whole id of an event or a stream, or the whole ARN of a channel")
    ordering = ("-id",)
    curated_fields = ("body", "error")
    # There is no index for another order.
    sortable_by = ("received",)
    actions = ("replay",)
    fieldsets = (
        (None, {"fields": ("event_id", "received", "happened", "detail_type", "name")}),
        (_("Outcome"), {"fields": ("outcome", "error", "attempts", "processed")}),
        (_("Subject"), {"fields": ("channel_arn", "stream_id")}),
        (_("Envelope"), {"fields": ("envelope",)}),
    )
    received = time_column("received_at", _("received"), ordering="id")
    happened = time_column("event_time", _("event time"), ordering="event_time")
    processed = time_column("processed_at", _("processed"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboxEvent]:
        """Return all events without their bodies; `to_curator` is whether places of recordings are shown."""
        to_curator = Value(account_has_scope(request.user, "curate"))
        return InboxEvent.objects.defer("body").annotate(to_curator=to_curator)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> InboxEvent | None:
        """Return the event; without the place of a recording if the caller lacks the scope `curate`."""
        event = super().get_object(request, object_id, from_field)
        if event is not None and not event.to_curator:
            # The page is read-only, so this is never saved.
            event.body, event.error = without_places(_indented(event.body)), without_places(event.error)
        return event

    def found(self, queryset: QuerySet[InboxEvent], text: str) -> QuerySet[InboxEvent]:
        return queryset.filter(Q(event_id=text) | Q(stream_id=text) | Q(channel_arn=text))

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Return whether the caller may change events; a replay changes their outcome."""
        return request.user.has_perm("channels_app.change_inboxevent")

    @admin.action(description=_("Replay selected events"), permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[InboxEvent]) -> None:
        """Process the events again, the oldest first, whatever their outcome was."""
        total = queryset.count()
        if total > MOST_REPLAYED:
            refusal = gettext("Nothing was replayed: %(total)d events are more than %(most)d. Use manage.py replay.")
            self.message_user(request, refusal % {"total": total, "most": MOST_REPLAYED}, messages.ERROR)
            return
        outcomes: Counter[str] = Counter()
        pks = dict(queryset.order_by().values_list("event_id", "pk"))
        until = monotonic() + REPLAY_SECONDS
        # The batch in progress at the time limit is finished.
        for deliveries in events_replay(queryset.defer(None)):
            for delivery in deliveries:
                # The event is the actor of what it changes; the caller is the actor of the replay.
                name, outcome = str(delivery.event_id), str(delivery.outcome)
                audit_note(model="inboxevent", pk=pks[name], name=name, changes={"replayed": ["", outcome]})
                outcomes[outcome] += 1
            if monotonic() >= until:
                break
        counted = ", ".join(f"{count} {_COUNTED[outcome]}" for outcome, count in sorted(outcomes.items()))
        result = gettext("Replayed: %(total)d (%(counted)s).") if counted else gettext("Replayed: %(total)d.")
        level = messages.WARNING if _UNDONE & outcomes.keys() else messages.SUCCESS
        self.message_user(request, result % {"total": outcomes.total(), "counted": counted}, level)
        if left := total - outcomes.total():
            rest = gettext("Not replayed: %(left)d. Select them again, or use manage.py replay.")
            self.message_user(request, rest % {"left": left}, messages.WARNING)

    @admin.display(description=_("error"))
    def short_error(self, event: InboxEvent) -> str:
        error = event.error if event.to_curator else without_places(event.error)  # type: ignore[attr-defined]
        return Truncator(error).chars(_MAX_ERROR_LENGTH)

    @admin.display(description=_("body"))
    def envelope(self, event: InboxEvent) -> SafeString:
        return format_html('<pre class="envelope" tabindex="0">{}</pre>', _indented(event.body))


def _indented(body: str) -> str:
    try:
        text = json.dumps(load_json(body), indent=2, ensure_ascii=False)
    except MalformedEventError:
        return body
    # JSON can escape a lone surrogate, which UTF-8 cannot encode.
    return text.encode("utf-8", "backslashreplace").decode()
