"""The pages of the benchmark, and their timings."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from time import perf_counter
from urllib.parse import urlencode

from django.core.cache import cache
from django.test import Client

from channels_app.admin.pages import COUNTED
from ivsvod.accounts.models import User
from ivsvod.local.bench.databases import name_of, using
from ivsvod.local.bench.rows import NOW, YEARS, channel_uuid, video_uuid
from ondemand.admin.filters import ListingFilter, QaFilter, StatusFilter

VIDEOS = "/admin/ondemand/video/"
_MIDDLE = NOW.year - YEARS // 2


def pages(rows: int) -> dict[str, str]:
    """Return the URL of each page on a catalogue with this number of videos."""
    # The rows of a long list are not counted, and its last page is -1.
    last = -1 if rows > COUNTED else (rows - 1) // 100 + 1
    queries: dict[str, dict[str, object]] = {
        "list": {},
        "page 10": {"p": 10},
        "last page": {"p": last},
        "search, a frequent word": {"q": "word1"},
        "search, a rare word": {"q": "word1234"},
        "search, a uuid": {"q": video_uuid(rows // 2)},
        "search, a stream": {"q": f"st-{rows // 2:010x}"},
        "waits for review": {"review": "yes"},
        "stuck": {"stuck": "yes"},
        "a tag": {"tag": "tag7"},
        "a channel": {"channel": channel_uuid(1)},
        "a year": {"started": _MIDDLE},
        "a month": {"started": f"{_MIDDLE}-03"},
        "a day": {"started": f"{NOW - timedelta(days=1):%Y-%m-%d}"},
        "listed, a search and a year": {"q": "word1", "listing": "listed", "started": _MIDDLE},
        **{
            f"{each.parameter_name} {value}": {each.parameter_name: value}
            for each in (ListingFilter, QaFilter, StatusFilter)
            for value in each.labels
        },
    }
    return {
        **{f"videos: {name}": f"{VIDEOS}?{urlencode(query)}" for name, query in queries.items()},
        "a video": f"{VIDEOS}{video_uuid(rows // 2)}/change/",
        "start page": "/admin/",
        "channels": "/admin/channels_app/channel/",
        "API: list": "/on-demand",
        "API: search": "/on-demand?search=word1",
    }


@dataclass
class Timings:
    """The seconds of each request for a page, by page and number of videos, and the rows that it showed."""

    seconds: dict[tuple[str, int], list[float]] = field(default_factory=lambda: defaultdict(list))
    shown: dict[tuple[str, int], int] = field(default_factory=dict)


def measure(sizes: list[int], *, rounds: int, progress: Callable[[str], None]) -> Timings:
    """Request each page several times on each size, in turns, so that the load of the machine affects both alike."""
    timings = Timings()
    for number in range(rounds):
        for rows in sizes:
            progress(f"round {number + 1} of {rounds}, {rows} videos")
            with using(name_of(rows)):
                _measure_size(timings, rows)
    return timings


def _measure_size(timings: Timings, rows: int) -> None:
    client = Client()
    client.force_login(User.objects.filter(username="bench").first() or User.objects.create_superuser("bench"))
    for page, address in pages(rows).items():
        # The first request warms the caches of the server.
        for is_timed in (False, True):
            # Else the cache would be measured.
            cache.clear()
            began = perf_counter()
            answer = client.get(address)
            taken = perf_counter() - began
            if answer.status_code != 200:
                raise RuntimeError(f"{address} answered {answer.status_code} on {rows} videos")
            if is_timed:
                timings.seconds[page, rows].append(taken)
        is_api = answer["Content-Type"] == "application/json"
        timings.shown[page, rows] = (
            len(answer.json()["data"]) if is_api else answer.content.count(b'name="_selected_action"')
        )
