"""The pages: call the public API, and render its answers by a template."""

from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

from csp.constants import NONE
from csp.decorators import csp_replace, csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import get_script_prefix, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.clickjacking import xframe_options_exempt

from common.rest.filters import LONGEST_TEXT
from common.rest.times import rfc_3339
from ivsvod.site import controls
from ivsvod.site.client import PublicApi, RefusedError
from ivsvod.site.pages import Page, public_page
from ivsvod.site.presenters import live_card, playing_of, private_card, video_card
from ivsvod.site.query import PageQuery, day_of
from ondemand.videos.links import embed_code, video_embed_url, video_page_url

# The first playlist is at `*.playback.live-video.net`; it names playlists, and these segments, on other hosts below.
_LIVE_HOSTS = ["https://*.live-video.net"]
_MORE = 6


@public_page
def start(api: PublicApi) -> Page:
    """Show the live channels, and the newest videos or those of the query."""
    query = PageQuery.of(api.request.GET)
    return _list_page("catalogue/start.html", _list(api, query, reverse("catalogue:start")) | _form(api, query))


@public_page
def channel(api: PublicApi, uuid: str) -> Page:
    """Show a public channel: whether it is live, and its videos."""
    card = live_card(api.get(f"/channels/{_canonical_or_404(uuid)}"))
    listed = _list(api, PageQuery.of(api.request.GET).of_list, card["videos_url"], channel=card["uuid"])
    context = {"card": card, "page_url": urljoin(api.origin, card["videos_url"])}
    return _list_page("catalogue/channel.html", listed | context)


@public_page
def watch(api: PublicApi, uuid: str) -> Page:
    """Show a video: its player, its details, and what to watch next."""
    document = api.get(f"/on-demand/{_canonical_or_404(uuid)}")
    base = api.origin
    card, *others = [video_card(each, base) for each in (document, *_related(api, document))]
    context = {
        "card": card,
        "playing": playing_of(document, base),
        "next": others[:1],
        "others": others[1:],
        "page_url": video_page_url(card["uuid"], base),
        "embed_url": video_embed_url(card["uuid"], base),
        "embed_code": embed_code(card["uuid"], card["name"], base),
    }
    return Page("catalogue/watch.html", context, is_indexed=document["listing"] == "listed")


@csp_update({"connect-src": _LIVE_HOSTS, "media-src": _LIVE_HOSTS})
@public_page
def live(api: PublicApi, uuid: str) -> Page:
    """Show a channel: its live stream, or that it is not live. A private one plays with a grant alone."""
    address = f"/channels/{_canonical_or_404(uuid)}"
    try:
        card = live_card(api.get(address))
    except RefusedError as refused:
        if refused.status != 404:
            raise
        # The predecessor showed the live state of any channel to anyone.
        card = private_card(uuid, api.get(f"{address}/live"))
    context = {
        "card": card,
        "recording": _recording(api, card),
        "state_url": f"{get_script_prefix()}channels/{card['uuid']}/live",
        "page_url": urljoin(api.origin, reverse("catalogue:live", args=[card["uuid"]])),
    }
    return Page("catalogue/live.html", context, is_indexed=not card["needs_grant"])


def embed(request: HttpRequest, uuid: str) -> HttpResponseBase:
    """Show the player of a video alone, in frames of the pages that EMBED_ANCESTORS names."""
    policy = csp_replace({"frame-ancestors": settings.EMBED_ANCESTORS or [NONE]})
    return policy(xframe_options_exempt(_player))(request, uuid=uuid)


@partial(public_page, layout="catalogue/frame.html")
def _player(api: PublicApi, uuid: str) -> Page:
    card = video_card(api.get(f"/on-demand/{_canonical_or_404(uuid)}"), api.origin)
    context = {"card": card, "page_url": video_page_url(card["uuid"], api.origin)}
    return Page("catalogue/embed.html", context, is_indexed=False)


def _canonical_or_404(text: str) -> str:
    uuid = controls.canonical(text)
    if not uuid:
        # The API answers 400; a visitor followed a link that is cut off.
        raise Http404
    return uuid


def _recording(api: PublicApi, card: dict[str, Any]) -> dict[str, Any] | None:
    """Return the listed video of the last stream of a channel that is offline; None if there is none yet."""
    if card["is_live"] or not card["stream_id"]:
        return None
    newest = api.get("/on-demand", {"channel": card["uuid"], "pageSize": 1})["data"]
    found = [each for each in newest if card["stream_id"] in each["stream_ids"]]
    return video_card(found[0], api.origin) if found else None


def _related(api: PublicApi, document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what follows a video in the list of its channel, then videos with its first tag; none of them twice.

    A video without a public channel is followed by the next video of the whole catalogue. After the oldest video the
    list starts again.
    """
    started_at = document["started_at"]
    # Null unless the channel is public.
    of_channel = {} if document["channel_name"] is None else {"channel": document["channel"]}
    before = {"started_before": rfc_3339(started_at)} if started_at else {}
    found = api.get("/on-demand", {**of_channel, **before, "pageSize": _MORE})["data"]
    if before and not found:
        found = api.get("/on-demand", {**of_channel, "pageSize": _MORE})["data"]
    tags = document["content"].get("tags", [])
    # The predecessor kept tags of any length, for which the API has no filter.
    if tag := next((tag for tag in tags if tag.strip() and len(tag) <= LONGEST_TEXT), ""):
        found += api.get("/on-demand", {"tag": tag, "pageSize": _MORE})["data"]
    others = {each["uuid"]: each for each in found if each["uuid"] != document["uuid"]}
    return list(others.values())


def _list(api: PublicApi, query: PageQuery, path: str, **fixed: str) -> dict[str, Any]:
    """Return the context of the list of the videos of a query, on the page at the path."""
    context = {"query": query, "list_url": path, "orderings": controls.ordering_options(query)}
    try:
        answer = api.get("/on-demand", query.for_api() | fixed)
    except RefusedError as refused:
        if refused.status != 400:
            raise
        return context | {"complaints": controls.field_errors(refused)}
    cards = [video_card(each, api.origin) for each in answer["data"]]
    return context | {"cards": cards, **_paging(query, answer, path)}


def _list_page(template: str, context: dict[str, Any]) -> Page:
    """Return the page of a list. Search engines would index every search and every page of a list."""
    if "complaints" in context:
        return Page(template, context, status=400, is_indexed=False)
    return Page(template, context, is_indexed=context["query"].is_start)


def _form(api: PublicApi, query: PageQuery) -> dict[str, Any]:
    """Return the context of the filters."""
    in_use = controls.tags_in_use(api)
    tags = dict.fromkeys([*query.tag, *in_use[: controls.SHOWN_TAGS]])
    streams = api.get("/channels/live")["data"] if query.is_start else []
    return {
        "live": [live_card(document) for document in streams],
        "channels": controls.channel_options(api, query.channel),
        "tags": [controls.Option(tag, tag, tag in query.tag) for tag in tags],
        "tags_in_use": in_use,
        "tags_url": f"{get_script_prefix()}tags",
        "shortest": controls.length_options(query.min_duration),
        "longest": controls.length_options(query.max_duration),
        "first_day": day_of(query.started_after),
        "last_day": day_of(query.started_before, is_end=True),
        "zone": timezone.get_current_timezone_name(),
        "page_url": urljoin(api.origin, reverse("catalogue:start")),
    }


def _paging(query: PageQuery, answer: dict[str, Any], path: str) -> dict[str, Any]:
    """Return the links to other pages, and a sentence of how many videos there are: the API counts no long list.

    Of a search that finds nothing, also a link to a near miss.
    """
    number, link, shown = answer["page"], answer["next"], len(answer["data"])
    first = (number - 1) * answer["pageSize"] + 1
    if not shown:
        count = gettext("No videos found") if query.is_filtered or first > 1 else gettext("No videos yet")
    elif first > 1 or link:
        count = gettext("Videos %(first)d to %(last)d") % {"first": first, "last": first + shown - 1}
    else:
        count = ngettext("%(count)d video", "%(count)d videos", shown) % {"count": shown}
    before = replace(query, cursor="", page=str(number - 1) if number > 2 else "")
    after = replace(query, cursor=parse_qs(urlsplit(link).query)["cursor"][0], page="") if link else None
    near_miss = answer.get("did_you_mean", "")
    return {
        "count": count,
        "first": first,
        "last": first + shown - 1,
        "near_miss": near_miss,
        "near_miss_url": replace(query, search=near_miss).address_on(path) if near_miss else "",
        "previous_url": before.address_on(path) if number > 1 else "",
        "next_url": after.address_on(path) if after else "",
        "number": number,
    }
