"""What a visitor can choose from: the fields of the form above the list, and the ways from one page to the next."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from channels_app.times import clock
from channels_app.uuids import parse_uuid
from ivsvod.catalogue.cards import channel_name
from ivsvod.catalogue.client import PublicApi, RefusedError
from ivsvod.catalogue.query import PageQuery

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
_LABELS = {
    "search": _("Search"),
    "channel": _("Channel"),
    "tag": _("Tags"),
    "started_after": _("From"),
    "started_before": _("Until"),
    "min_duration": _("At least"),
    "max_duration": _("At most"),
    "ordering": _("Order"),
    "cursor": _("Page"),
}
# What is wrong with a field that the API refuses.
_EXPECTED = {
    "search": _("These words cannot be searched for."),
    "channel": _("There is no such channel."),
    "tag": _("This cannot be a tag."),
    "started_after": _("This is not a day."),
    "started_before": _("This is not a day."),
    "min_duration": _("This is not a number of seconds."),
    "max_duration": _("This is not a number of seconds."),
    "ordering": _("The videos cannot be put in this order."),
    "cursor": _("There is no such page of this list."),
}
_UNUSABLE = _("This cannot be used.")
# One page of the API, whatever it is set to give at most.
_MOST = 100
_SHOWN_TAGS = 20


@dataclass(frozen=True)
class Option:
    """One of the values that a field offers."""

    value: str
    label: str
    is_chosen: bool


def channel_names(api: PublicApi, wanted: Iterable[str]) -> dict[str, str]:
    """The names of the newest channels by uuid, and of those wanted; a channel that anyone may not know has none."""
    listed = api.get("/channels", {"pageSize": _MOST})
    names = {str(document["uuid"]): channel_name(document) for document in listed["data"]}
    # Few services have more channels than a page holds: only these pay for asking one by one.
    missing = {*wanted} - names.keys() if listed["next"] else set()
    found = [api.find(f"/channels/{uuid}") for uuid in sorted(missing)]
    return names | {str(document["uuid"]): channel_name(document) for document in found if document}


def channel_options(names: dict[str, str], chosen: str) -> list[Option]:
    """The channels by name; one that is asked for and has no name here is shown by its uuid."""
    chosen = canonical(chosen) or chosen
    known = names if not chosen or chosen in names else {**names, chosen: chosen}
    return [
        Option(uuid, name, uuid == chosen)
        for uuid, name in sorted(known.items(), key=lambda item: (item[1].casefold(), item[0]))
    ]


def canonical(uuid: str) -> str:
    """The uuid as the API writes it; empty where the text spells none."""
    try:
        return str(parse_uuid(uuid))
    except ValueError:
        return ""


def tags_in_use(api: PublicApi) -> list[str]:
    """The tags of listed videos, those of most videos first; of very many tags the first by name."""
    tags = api.get("/tags", {"pageSize": _MOST})["data"]
    return [item["tag"] for item in sorted(tags, key=lambda item: (-item["count"], item["tag"])) if item["tag"].strip()]


def tag_options(in_use: list[str], chosen: tuple[str, ...]) -> list[Option]:
    """The chosen tags, and some of those in use."""
    shown = dict.fromkeys([*chosen, *in_use[:_SHOWN_TAGS]])
    return [Option(tag, tag, tag in chosen) for tag in shown]


def length_options(chosen: str) -> list[Option]:
    """Lengths that people ask for; another one that the address holds is among them."""
    known = {value: str(label) for value, label in _LENGTHS.items()}
    if chosen and chosen not in known:
        is_seconds = chosen.isascii() and chosen.isdigit() and len(chosen) < 9
        known[chosen] = clock(timedelta(seconds=int(chosen)), is_short=True) if is_seconds else chosen
    return [Option(value, label, value == chosen) for value, label in known.items()]


def ordering_options(query: PageQuery) -> list[Option]:
    """The orders of a list. Without a choice it is the API's own: the best match of a search, else the newest."""
    first = gettext("Best match first") if query.search else str(_ORDERINGS["newest"])
    others = {word: str(label) for word, label in _ORDERINGS.items() if query.search or word != "newest"}
    chosen = "" if query.ordering == "relevance" else query.ordering
    return [Option(value, label, value == chosen) for value, label in {"": first, **others}.items()]


def next_address(query: PageQuery, link: str | None) -> str:
    """The address of the next page, from the API's link to it; empty at the end."""
    return query.after(parse_qs(urlsplit(link).query)["cursor"][0]).address if link else ""


def count_sentence(query: PageQuery, found: dict[str, Any]) -> str:
    """How many videos there are, or which of them a page shows: the API does not count all of a long list."""
    count, first = len(found["data"]), (found["page"] - 1) * found["pageSize"] + 1
    if not count:
        return gettext("No videos found") if query.is_filtered or first > 1 else gettext("No videos yet")
    if first > 1 or found["next"]:
        return gettext("Videos %(first)d to %(last)d") % {"first": first, "last": first + count - 1}
    return ngettext("%(count)d video", "%(count)d videos", count) % {"count": count}


def complaints(refused: RefusedError) -> list[str]:
    """What is wrong with the query: the API names the parameters, the page tells their fields in its own language."""
    told = (f"{_LABELS.get(name, name)}: {_EXPECTED.get(name, _UNUSABLE)}" for name in refused.fields)
    return list(told) or [gettext("The address of this page cannot be understood.")]
