"""The pages: ask the public API, hand its answers to a template."""

from typing import Any
from urllib.parse import urljoin

from csp.constants import NONE
from csp.decorators import csp_replace, csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import get_script_prefix, reverse
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_exempt

from ivsvod.catalogue import controls
from ivsvod.catalogue.cards import Card, LiveCard
from ivsvod.catalogue.client import PublicApi, RefusedError
from ivsvod.catalogue.pages import Page, framed_page, public_page
from ivsvod.catalogue.query import PageQuery, day_of
from ondemand.public_pages import embed_code, public_origin, video_embed_url, video_page_url

# The first playlist is at `*.playback.live-video.net`; it names playlists, and these segments, on further hosts of it.
_LIVE_HOSTS = ["https://*.live-video.net"]
_MORE = 6


@public_page
def start(api: PublicApi) -> Page:
    """What is live, and the newest videos or those that the visitor asks for."""
    query = PageQuery.of(api.request.GET)
    try:
        found = api.get("/on-demand", query.for_api())
    except RefusedError as refused:
        if refused.status != 400:
            raise
        return Page("catalogue/start.html", _form(api, query, []) | _wrong(refused), status=400, is_indexed=False)
    context = _form(api, query, found["data"]) | _paging(query, found)
    # A search without a word, and every page of a list, would each be one more page for those who collect pages.
    return Page("catalogue/start.html", context, is_indexed=query.is_start)


@public_page
def watch(api: PublicApi, uuid: str) -> Page:
    """A video: its player, what is known about it, and more of its channel."""
    document = api.get(f"/on-demand/{_known_uuid(uuid)}")
    others = _others(api, document)
    channel = document["channel"]
    names = controls.channel_names(api, [str(channel)]) if channel else {}
    card, base = Card(document, names.get(str(channel), "")), public_origin(api.request)
    context = {
        "card": card,
        "others": [Card(other, card.channel_name) for other in others],
        "channel_url": PageQuery(channel=str(channel)).address if channel else "",
        "page_url": video_page_url(card.uuid, base),
        "embed_url": video_embed_url(card.uuid, base),
        "embed_code": embed_code(card.uuid, card.name, base),
    }
    return Page("catalogue/watch.html", context, is_indexed=not card.is_unlisted)


@csp_update({"connect-src": _LIVE_HOSTS, "media-src": _LIVE_HOSTS})
@public_page
def live(api: PublicApi, uuid: str) -> Page:
    """A channel: its live stream, or that there is none now."""
    card = LiveCard(api.get(f"/channels/{_known_uuid(uuid)}"))
    page_url = urljoin(public_origin(api.request), reverse("catalogue:live", args=[card.uuid]))
    return Page("catalogue/live.html", {"card": card, "page_url": page_url})


def embed(request: HttpRequest, uuid: str) -> HttpResponseBase:
    """The player of a video alone, in the frames of those whom EMBED_ANCESTORS names."""
    policy = csp_replace({"frame-ancestors": settings.EMBED_ANCESTORS or [NONE]})
    return policy(xframe_options_exempt(_player))(request, uuid=uuid)


@framed_page
def _player(api: PublicApi, uuid: str) -> Page:
    card = Card(api.get(f"/on-demand/{_known_uuid(uuid)}"))
    context = {"card": card, "page_url": video_page_url(card.uuid, public_origin(api.request))}
    return Page("catalogue/embed.html", context, is_indexed=False)


def _known_uuid(text: str) -> str:
    uuid = controls.canonical(text)
    if not uuid:
        # To a caller of the API it is malformed; a visitor followed a link that is cut off.
        raise Http404
    return uuid


def _others(api: PublicApi, document: dict[str, Any]) -> list[dict[str, Any]]:
    if not document["channel"]:
        return []
    found = api.get("/on-demand", {"channel": document["channel"], "pageSize": _MORE + 1})["data"]
    return [other for other in found if other["uuid"] != document["uuid"]][:_MORE]


def _form(api: PublicApi, query: PageQuery, documents: list[dict[str, Any]]) -> dict[str, Any]:
    channel = controls.canonical(query.channel)
    wanted = {str(document["channel"]) for document in documents if document["channel"]} | ({channel} - {""})
    names = controls.channel_names(api, wanted)
    in_use = controls.tags_in_use(api)
    streams = api.get("/channels/live")["data"] if query.is_start else []
    return {
        "query": query,
        "cards": [Card(document, names.get(str(document["channel"]), "")) for document in documents],
        "live": [LiveCard(document) for document in streams],
        "channels": controls.channel_options(names, query.channel),
        "tags": controls.tag_options(in_use, query.tag),
        "tags_in_use": in_use,
        "tags_url": f"{get_script_prefix()}tags",
        "shortest": controls.length_options(query.min_duration),
        "longest": controls.length_options(query.max_duration),
        "orderings": controls.ordering_options(query),
        "first_day": day_of(query.started_after),
        "last_day": day_of(query.started_before, is_end=True),
        "zone": timezone.get_current_timezone_name(),
        "page_url": urljoin(public_origin(api.request), reverse("catalogue:start")),
    }


def _paging(query: PageQuery, found: dict[str, Any]) -> dict[str, Any]:
    number = found["page"]
    return {
        "count": controls.count_sentence(query, found),
        "previous_url": query.at_page(number - 1).address if number > 1 else "",
        "next_url": controls.next_address(query, found["next"]),
        "number": number,
    }


def _wrong(refused: RefusedError) -> dict[str, Any]:
    return {"complaints": controls.complaints(refused)}
