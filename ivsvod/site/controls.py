"""The form above the list of videos: the options of its fields, and its error sentences."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.rest.times import clock
from common.rest.uuids import uuid_or_none
from ivsvod.site.client import PublicApi, RefusedError
from ivsvod.site.presenters import channel_name
from ivsvod.site.query import PageQuery

_ORDERINGS = {
    "newest": _("Newest first"),
    "oldest": _("Oldest first"),
    "longest": _("Longest first"),
    "shortest": _("Shortest first"),
    "title": _("By title"),
}
_LENGTHS = {
    "60": _("1 minute"),
    "300": _("5 minutes"),
    "600": _("10 minutes"),
    "1800": _("30 minutes"),
    "3600": _("1 hour"),
    "7200": _("2 hours"),
}
# The label of each field, and why the API refused its value.
_FIELDS = {
    "search": (_("Search"), _("This text cannot be searched for.")),
    "channel": (_("Channel"), _("There is no such channel.")),
    "tag": (_("Tags"), _("This cannot be a tag.")),
    "started_after": (_("From"), _("This is not a day.")),
    "started_before": (_("Until"), _("This is not a day.")),
    "min_duration": (_("At least"), _("This is not a number of seconds.")),
    "max_duration": (_("At most"), _("This is not a number of seconds.")),
    "ordering": (_("Order"), _("The videos cannot be put in this order.")),
    "cursor": (_("Page"), _("There is no such page of this list.")),
}
# The size of one page of the API, which its settings may make smaller.
_PAGE_SIZE = 100
SHOWN_TAGS = 20


@dataclass(frozen=True)
class Option:
    """A value that a field offers."""

    value: str
    label: str
    is_chosen: bool


def channel_options(api: PublicApi, chosen: str) -> list[Option]:
    """Return the newest channels by name, and the chosen one; one that is not public is shown by its uuid."""
    listed = api.get("/channels", {"pageSize": _PAGE_SIZE})
    names = {str(document["uuid"]): channel_name(document) for document in listed["data"]}
    uuid = canonical(chosen)
    chosen = uuid or chosen
    if uuid and uuid not in names and listed["next"]:
        try:
            names[uuid] = channel_name(api.get(f"/channels/{uuid}"))
        except RefusedError as refused:
            if refused.status != 404:
                raise
    labels = {chosen: chosen, **names} if chosen else names
    by_label = sorted(labels.items(), key=lambda item: (item[1].casefold(), item[0]))
    return [Option(value, label, value == chosen) for value, label in by_label]


def canonical(uuid: str) -> str:
    """Return the uuid as the API writes it; empty for another text."""
    return str(uuid_or_none(uuid) or "")


def tags_in_use(api: PublicApi) -> list[str]:
    """Return the tags of listed videos, most used first; of very many tags the first by name."""
    tags = api.get("/tags", {"pageSize": _PAGE_SIZE})["data"]
    return [item["tag"] for item in sorted(tags, key=lambda item: (-item["count"], item["tag"])) if item["tag"].strip()]


def length_options(chosen: str) -> list[Option]:
    """Return common lengths, and the chosen one if it is another."""
    labels = {value: str(label) for value, label in _LENGTHS.items()}
    if chosen and chosen not in labels:
        is_seconds = chosen.isascii() and chosen.isdigit() and len(chosen) < 9
        labels[chosen] = clock(timedelta(seconds=int(chosen)), is_short=True) if is_seconds else chosen
    return [Option(value, label, value == chosen) for value, label in labels.items()]


def ordering_options(query: PageQuery) -> list[Option]:
    """Return the orders of a list. The default is that of the API: best match of a search, else newest first."""
    default = gettext("Best match first") if query.search else str(_ORDERINGS["newest"])
    others = {value: str(label) for value, label in _ORDERINGS.items() if query.search or value != "newest"}
    chosen = "" if query.ordering == "relevance" else query.ordering
    return [Option(value, label, value == chosen) for value, label in {"": default, **others}.items()]


def field_errors(refused: RefusedError) -> list[str]:
    """Return a sentence for each parameter that the API refused, in the language of the page."""
    fields = [_FIELDS.get(name, (name, _("This cannot be used."))) for name in refused.fields]
    sentences = [f"{label}: {reason}" for label, reason in fields]
    return sentences or [gettext("The address of this page cannot be understood.")]
