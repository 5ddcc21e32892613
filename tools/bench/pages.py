"""The pages of the benchmark, and how long each takes in process: whole requests by the test client."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain, combinations
from time import perf_counter
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from common.admin.pages import COUNTED
from ivsvod.accounts.models import User
from ondemand.admin.filters import ListingFilter, QaFilter
from ondemand.models import VideoIndex
from tools.bench.figures import Figure
from tools.bench.rows import COMMON, LARGE_TABLES, MEDIUM, NOW, RARE, WORDS, YEARS, channel_uuid, video_uuid

ORDERINGS = ("newest", "oldest", "longest", "shortest", "title")
# A slow page is requested fewer times.
_ENOUGH_SECONDS = 2
_MIDDLE = NOW.year - YEARS // 2
_DAY = NOW - timedelta(days=400)
SEARCHED = {"rare": RARE, "1 %": MEDIUM, "10 %": COMMON}
# The filters of the contract, with values that many, few and no videos match.
FILTERS: dict[str, dict[str, Any]] = {
    "channel": {"channel": channel_uuid(1)},
    "no channel": {"channel": UUID(int=0)},
    "owner": {"owner": channel_uuid(2)},
    "tag of many": {"tag": "tag0"},
    "tag of few": {"tag": "tag199"},
    "tag of none": {"tag": "nobody"},
    "started, many": {"started_after": f"{_MIDDLE}-01-01T00:00:00Z"},
    "started in a day": {"started_after": f"{_DAY:%Y-%m-%d}T00:00:00Z", "started_before": f"{_DAY:%Y-%m-%d}T23:00:00Z"},
    "started, none": {"started_after": "2100-01-01T00:00:00Z"},
    "min_duration, many": {"min_duration": 3600},
    "min_duration, few": {"min_duration": 10_790},
    "min_duration, none": {"min_duration": 20_000},
    "max_duration, few": {"max_duration": 65},
    "max_duration, none": {"max_duration": 1},
    "metadata of all": {"metadata[all]": "yes"},
    "metadata of few": {"metadata[league]": "7"},
    "metadata of none": {"metadata[league]": "none"},
    **{f"search {kind}": {"search": word} for kind, word in SEARCHED.items()},
    "search none": {"search": "nowhere"},
}
# Those of curators alone.
_STATES: dict[str, dict[str, Any]] = {
    "status": {"status": "recording"},
    "active": {"active": "false"},
    **{f"listing {name}": {"listing": name} for name in ListingFilter.labels},
}


def public_pages(rows: int) -> dict[str, str]:
    """Return the address of each page of the API by its name, on a catalogue with this number of videos."""
    listed = VideoIndex.objects.listed(timezone.now()).count()
    half = _list(page=listed // 50)
    return {
        "page 1": "/on-demand",
        "half-way page": half,
        "last page": _list(page=(listed - 1) // 25 + 1),
        "cursor": Client().get(half).json()["next"],
        "a video": f"/on-demand/{video_uuid(rows // 2)}",
        "live": f"/channels/{channel_uuid(1)}/live",
        "tags": "/tags",
        "channels": "/channels",
        "a frequent word": _list(search=WORDS[0]),
        "100 words": _list(search=" ".join(WORDS[:100])),
        "any of 100 words": _list(search=" or ".join(WORDS[:100])),
        **{f"search, {kind}, ranked": _list(search=word) for kind, word in SEARCHED.items()},
        **{f"search, {kind}, newest": _list(search=word, ordering="newest") for kind, word in SEARCHED.items()},
    }


def filtered_pages(*, most: int) -> Iterator[tuple[str, str]]:
    """Yield the name and address of each combination of at most `most` filters, in each order."""
    for names in chain.from_iterable(combinations(FILTERS, size) for size in range(most + 1)):
        query = {key: value for name in names for key, value in FILTERS[name].items()}
        if len(query) == sum(len(FILTERS[name]) for name in names):
            kind = "pair" if len(names) == 2 else "filter"
            for ordering in ORDERINGS:
                yield f"{kind}: {' + '.join(names) or 'none'}, {ordering}", _list(**query, ordering=ordering)


def staff_pages(rows: int) -> dict[str, str]:
    """Return the address of each page for staff by its name, and of lists that curators alone may request."""
    # The rows of a long list are not counted, and its last page is -1.
    last = -1 if rows > COUNTED else (rows - 1) // 100 + 1
    queries: dict[str, dict[str, object]] = {
        "list": {},
        "page 10": {"p": 10},
        "last page": {"p": last},
        "search, a frequent word": {"q": WORDS[0]},
        "search, 10 %": {"q": COMMON},
        "search, a rare word": {"q": RARE},
        "search, a uuid": {"q": video_uuid(rows // 2)},
        "search, a stream": {"q": f"st-{rows // 2:010x}"},
        "waits for review": {"review": "yes"},
        "stuck": {"stuck": "yes"},
        "a tag": {"tag": "tag7"},
        "a channel": {"channel": channel_uuid(1)},
        "a year": {"started": _MIDDLE},
        "a month": {"started": f"{_MIDDLE}-03"},
        "a day": {"started": f"{NOW - timedelta(days=1):%Y-%m-%d}"},
        "listed, a search and a year": {"q": COMMON, "listing": "listed", "started": _MIDDLE},
        **{
            f"{each.parameter_name} {value}": {each.parameter_name: value}
            for each in (ListingFilter, QaFilter)
            for value in each.labels
        },
        "failed, not decided": {"listing": "failed", "shown": "open"},
    }
    return {
        **{f"admin: {name}": f"/admin/ondemand/video/?{urlencode(query)}" for name, query in queries.items()},
        "admin: a video": f"/admin/ondemand/video/{video_uuid(rows // 2)}/change/",
        "admin: start page": "/admin/",
        "admin: tags": "/admin/ondemand/video/tags/",
        "admin: channels": "/admin/channels_app/channel/",
        **{
            f"curator: {name}, {each}": _list(**query, ordering=each)
            for name, query in _STATES.items()
            for each in ORDERINGS
        },
    }


def _list(**query: object) -> str:
    return f"/on-demand?{urlencode(query)}"


def staff_client() -> Client:
    """Return a client with the session of a superuser."""
    client = Client()
    client.force_login(User.objects.filter(username="bench").first() or User.objects.create_superuser("bench"))
    return client


def page_measure(client: Client, address: str, *, times: int) -> Figure:
    """Request a page several times; the first one warms the caches of the server, and counts if it is the only one."""
    figure = Figure()
    for number in range(times):
        # Else the cache would be measured.
        cache.clear()
        before = _counters() if number == 0 else None
        began = perf_counter()
        answer = client.get(address)
        taken = perf_counter() - began
        if answer.status_code != 200:
            raise RuntimeError(f"{address} answered {answer.status_code}")
        if before:
            figure.rows_read, figure.scans = (after - was for after, was in zip(_counters(), before, strict=True))
        if number > 0 or times == 1:
            figure.seconds.append(taken)
        if sum(figure.seconds) > _ENOUGH_SECONDS:
            break
    return figure


def _counters() -> tuple[int, int]:
    """Return the rows and keys that were read in this database, and the number of scans of whole large tables."""
    with connection.cursor() as cursor:
        # The server adds up what its processes count when they are idle.
        # https://www.postgresql.org/docs/current/monitoring-stats.html
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT sum(seq_tup_read) + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes), "
            "sum(seq_scan) FILTER (WHERE relname = ANY (%s)) FROM pg_stat_user_tables WHERE schemaname = 'public'",
            [list(LARGE_TABLES)],
        )
        rows, scans = cursor.fetchone()
    return int(rows), int(scans)
