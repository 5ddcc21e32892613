"""The statements that the predecessor sends, as shared/reference/predecessor.md describes them.

Its ORM reads `RETURNING *` into a struct and fails on a column it does not know, unless the column's name begins
with `_`; `returned` behaves the same. Some of its statements name columns without their table (`WHERE (active)`), so
that a new column of the same name anywhere in the join would break them. They are written that way on purpose.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import dict_row

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "ivs_channels": ("uuid", "owner", "created_at", "active", "arn", "rtmp_address", "stream_key", "channel_data"),
    "ivs_state_changes": ("timestamp", "ivs_channel_uuid", "state", "data"),
    "on_demand_videos": ("uuid", "ivs_channel_uuid", "created_at", "active", "data"),
    "on_demand_video_content": (
        "uuid",
        "on_demand_video_uuid",
        "created_at",
        "created_by",
        "title",
        "description",
        "tags",
        "data",
        "thumbnail",
    ),
}

NOBODY = UUID(int=0)

INSERT_CHANNEL = """
    INSERT INTO "ivs_channels" AS "channel"
        ("uuid", "owner", "created_at", "active", "arn", "rtmp_address", "stream_key", "channel_data")
    VALUES (%(uuid)s, %(owner)s, DEFAULT, DEFAULT, %(arn)s, %(rtmp_address)s, %(stream_key)s, %(channel_data)s::jsonb)
    RETURNING *
"""

INSERT_STATE_CHANGE = """
    INSERT INTO "ivs_state_changes" ("timestamp", "ivs_channel_uuid", "state", "data")
    VALUES (DEFAULT, %(channel)s, %(state)s, %(data)s::jsonb)
    RETURNING "timestamp"
"""

INSERT_VIDEO = """
    INSERT INTO "on_demand_videos" ("uuid", "ivs_channel_uuid", "created_at", "active", "data")
    VALUES (DEFAULT, %(channel)s, DEFAULT, DEFAULT, %(data)s::jsonb)
    RETURNING "uuid", "created_at", "active"
"""

UPSERT_CONTENT = """
    INSERT INTO "on_demand_video_content" AS "content"
        ("uuid", "on_demand_video_uuid", "created_at", "created_by",
            "title", "description", "tags", "data", "thumbnail")
    VALUES (DEFAULT, %(video)s, DEFAULT, %(created_by)s,
        %(title)s, %(description)s, %(tags)s, 'null'::jsonb, %(thumbnail)s)
    ON CONFLICT (on_demand_video_uuid) DO UPDATE
    SET title = EXCLUDED.title, description = EXCLUDED.description, tags = EXCLUDED.tags, data = EXCLUDED.data,
        thumbnail = EXCLUDED.thumbnail
    RETURNING *
"""

SET_ACTIVE = """
    UPDATE "on_demand_videos" AS "video" SET active = %(active)s WHERE (uuid = %(video)s) RETURNING *
"""

LIST = """
    SELECT "video"."uuid", "video"."ivs_channel_uuid", "video"."created_at", "video"."active", "video"."data",
        "content"."uuid" AS "content__uuid", "content"."title" AS "content__title",
        "content"."description" AS "content__description", "content"."tags" AS "content__tags",
        "content"."thumbnail" AS "content__thumbnail"
    FROM "on_demand_videos" AS "video"
    LEFT JOIN "on_demand_video_content" AS "content" ON ("content"."on_demand_video_uuid" = "video"."uuid")
    WHERE (active)
    LIMIT %(limit)s OFFSET %(offset)s
"""

VIDEO = """
    SELECT "video"."uuid", "video"."created_at", "video"."active", "video"."data",
        "content"."title" AS "content__title", "content"."tags" AS "content__tags"
    FROM "on_demand_videos" AS "video"
    LEFT JOIN "on_demand_video_content" AS "content" ON ("content"."on_demand_video_uuid" = "video"."uuid")
    WHERE ("video"."uuid" = %(video)s)
"""

SEARCH = """
    SELECT on_demand_video_uuid, title, description, tags, thumbnail
    FROM on_demand_video_content,
        to_tsvector(coalesce(title, '') || ' ' || coalesce(description, '') || ' '
            || coalesce(array_to_string(tags, ' '), '')) search,
        websearch_to_tsquery(%(search)s) querytext
    WHERE (querytext @@ search)
    ORDER BY ts_rank_cd(search, querytext) DESC
    LIMIT %(limit)s OFFSET %(offset)s
"""

LIVE = """
    SELECT state, timestamp FROM ivs_state_changes
    WHERE (ivs_channel_uuid = %(channel)s) ORDER BY timestamp DESC LIMIT 1
"""

Row = dict[str, Any]


class UnknownColumnError(Exception):
    """What the predecessor's ORM answers to a column that its struct lacks."""


def returned(cursor: Cursor[Row], table: str) -> Row | None:
    """The row of a `RETURNING *` as the predecessor's ORM takes it: `_` columns ignored, other unknown ones refused."""
    names = [column.name for column in cursor.description or ()]
    unknown = [name for name in names if name not in COLUMNS[table] and not name.startswith("_")]
    if unknown:
        raise UnknownColumnError(f"{table} does not have column {unknown[0]}")
    row = cursor.fetchone()
    return row and {name: row[name] for name in COLUMNS[table]}


def _execute(connection: Connection[Any], statement: str, **parameters: Any) -> Cursor[Row]:
    return connection.cursor(row_factory=dict_row).execute(statement, parameters)


def insert_channel(
    connection: Connection[Any],
    *,
    uuid: UUID,
    owner: UUID,
    arn: str,
    channel_data: str,
    rtmp_address: str = "ingest.example.com",
    stream_key: str = "sk_eu-west-1_plain",
) -> Row:
    """POST /channels, after CreateChannel."""
    cursor = _execute(
        connection,
        INSERT_CHANNEL,
        uuid=uuid,
        owner=owner,
        arn=arn,
        rtmp_address=rtmp_address,
        stream_key=stream_key,
        channel_data=channel_data,
    )
    row = returned(cursor, "ivs_channels")
    assert row
    return row


def insert_state_change(connection: Connection[Any], *, channel: UUID, state: str, data: str | None) -> Row:
    """Stream Start (`live`) and Stream End (`offline`)."""
    row = _execute(connection, INSERT_STATE_CHANGE, channel=channel, state=state, data=data).fetchone()
    assert row
    return row


def insert_video(connection: Connection[Any], *, channel: UUID | None, data: str) -> Row:
    """Recording End."""
    row = _execute(connection, INSERT_VIDEO, channel=channel, data=data).fetchone()
    assert row
    return row


def upsert_content(
    connection: Connection[Any],
    *,
    video: UUID,
    title: str | None = None,
    description: str | None = None,
    tags: Sequence[str | None] | None = None,
    thumbnail: str | None = None,
) -> Row:
    """PUT /on-demand/{uuid}."""
    cursor = _execute(
        connection,
        UPSERT_CONTENT,
        video=video,
        created_by=NOBODY,
        title=title,
        description=description,
        tags=None if tags is None else list(tags),
        thumbnail=thumbnail,
    )
    row = returned(cursor, "on_demand_video_content")
    assert row
    return row


def set_active(connection: Connection[Any], *, video: UUID, active: bool) -> Row | None:
    """DELETE (hide) and PATCH (show) /on-demand/{uuid}."""
    return returned(_execute(connection, SET_ACTIVE, video=video, active=active), "on_demand_videos")


def list_videos(connection: Connection[Any], *, page: int = 1, page_size: int = 25) -> list[Row]:
    """GET /on-demand."""
    return _execute(connection, LIST, limit=page_size, offset=(page - 1) * page_size).fetchall()


def get_video(connection: Connection[Any], *, video: UUID) -> Row | None:
    """GET /on-demand/{uuid}."""
    return _execute(connection, VIDEO, video=video).fetchone()


def search_videos(connection: Connection[Any], *, search: str, page: int = 1, page_size: int = 25) -> list[Row]:
    """GET /on-demand/search."""
    return _execute(connection, SEARCH, search=search, limit=page_size, offset=(page - 1) * page_size).fetchall()


def live_state(connection: Connection[Any], *, channel: UUID) -> Row | None:
    """GET /channels/{uuid}/live."""
    return _execute(connection, LIVE, channel=channel).fetchone()
