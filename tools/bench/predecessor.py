"""The statements of the predecessor on its own tables: no order, an offset, a vector for each row of a search."""

from time import perf_counter
from typing import Any

import psycopg

from tools.bench.figures import Figure

_LIST = """
    SELECT video.uuid, video.created_at, video.active, video.data, content.title, content.description, content.tags,
        content.thumbnail
    FROM predecessor.on_demand_videos AS video
    LEFT JOIN predecessor.on_demand_video_content AS content ON content.on_demand_video_uuid = video.uuid
    WHERE active LIMIT 25 OFFSET %(offset)s
"""
_SEARCH = """
    SELECT on_demand_video_uuid, title, description, tags, thumbnail
    FROM predecessor.on_demand_video_content,
        to_tsvector(coalesce(title, '') || ' ' || coalesce(description, '') || ' '
            || coalesce(array_to_string(tags, ' '), '')) AS search,
        websearch_to_tsquery(%(search)s) AS query
    WHERE query @@ search ORDER BY ts_rank_cd(search, query) DESC LIMIT 25 OFFSET 0
"""


def predecessor_measure(connection: psycopg.Connection, words: dict[str, str], rows: int) -> dict[str, Figure]:
    """Return the figures of its lists and searches: a search of a large catalogue takes minutes, so once."""
    return {
        "predecessor: page 1": _figure(connection, _LIST, {"offset": 0}, times=5),
        "predecessor: half-way page": _figure(connection, _LIST, {"offset": rows // 2}, times=3),
        **{
            f"predecessor: search, {kind}": _figure(connection, _SEARCH, {"search": word}, times=1)
            for kind, word in words.items()
        },
    }


def _figure(connection: psycopg.Connection, statement: str, parameters: dict[str, Any], *, times: int) -> Figure:
    figure = Figure()
    for _ in range(times):
        began = perf_counter()
        connection.execute(statement, parameters).fetchall()
        figure.seconds.append(perf_counter() - began)
    return figure
