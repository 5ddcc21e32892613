"""What is derived from videos and content that this code did not write; see `channels_app/derivation.py`."""

from collections.abc import Callable
from typing import Any

from psycopg import sql

from channels_app.derivation import NIL, pinned, touch_in_batches

# A weighted vector. One of over 1 MB raises, so very long texts are searched by their beginning.
# https://www.postgresql.org/docs/current/textsearch-limitations.html
_SEARCH_VECTOR = r"""
CREATE OR REPLACE FUNCTION ivsvod_search_vector(title text, description text, tags text[]) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    longest integer := 400000;
BEGIN
    LOOP
        BEGIN
            RETURN setweight(to_tsvector(CONFIGURATION, left(coalesce(title, ''), longest / 4)), 'A')
                || setweight(to_tsvector(CONFIGURATION, left(array_to_string(tags, ' '), longest / 4)), 'B')
                || setweight(to_tsvector(CONFIGURATION, left(coalesce(description, ''), longest / 2)), 'C');
        EXCEPTION WHEN program_limit_exceeded THEN
            longest := longest / 2;
        END;
    END LOOP;
END $$;
"""
SEARCH_VECTOR_IN_ENGLISH = _SEARCH_VECTOR.replace("CONFIGURATION", "'english'")
FUNCTIONS = r"""
-- Milliseconds at a key; 0 where there are none, or more than a year of them: a recording is cut after 48 hours, and
-- a number that fits bigint can still carry `created_at` out of the range of timestamps.
CREATE OR REPLACE FUNCTION ivsvod_json_milliseconds(document jsonb, key text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    text_value text := document ->> key;
    number numeric := CASE jsonb_typeof(document -> key)
        WHEN 'number' THEN text_value::numeric
        WHEN 'string' THEN CASE WHEN text_value ~ '^[0-9]{1,15}$' THEN text_value::numeric END
    END;
BEGIN
    RETURN CASE WHEN number BETWEEN 0 AND 31622400000 THEN trunc(number)::bigint ELSE 0 END;
END $$;

-- A bucket's name or an object's key, without slashes at its ends; '' where there is none or S3 could not have it.
CREATE OR REPLACE FUNCTION ivsvod_s3_name(document jsonb, key text, longest integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN octet_length(name) <= longest THEN name ELSE '' END
    FROM (SELECT trim(BOTH '/' FROM coalesce(ivsvod_json_text(document, key), '')) AS name) AS found
$$;

CREATE OR REPLACE FUNCTION ivsvod_stream_ids(document jsonb) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    found text[];
BEGIN
    IF jsonb_typeof(document -> 'recording_session_stream_ids') = 'array' THEN
        SELECT array_agg(value #>> '{}' ORDER BY ordinality) INTO found
        FROM jsonb_array_elements(document -> 'recording_session_stream_ids') WITH ORDINALITY
        WHERE jsonb_typeof(value) = 'string';
    END IF;
    RETURN coalesce(found, array_remove(ARRAY[ivsvod_json_text(document, 'stream_id')], NULL));
END $$;

"""
DERIVE_VIDEO = """
CREATE OR REPLACE FUNCTION ivsvod_derive_video() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    foreign_row boolean := NEW._status IS NULL;
BEGIN
    NEW._status := coalesce(NEW._status, 'available');
    NEW._qa := coalesce(NEW._qa, 'unverified');
    NEW._bucket := coalesce(NEW._bucket, ivsvod_s3_name(NEW.data, 'recording_s3_bucket_name', 63));
    NEW._prefix := coalesce(NEW._prefix, ivsvod_s3_name(NEW.data, 'recording_s3_key_prefix', 1000));
    NEW._session_id := coalesce(NEW._session_id, ivsvod_json_text(NEW.data, 'recording_session_id'), '');
    NEW._stream_ids := coalesce(NEW._stream_ids, ivsvod_stream_ids(NEW.data));
    NEW._duration_ms := coalesce(NEW._duration_ms, ivsvod_json_milliseconds(NEW.data, 'recording_duration_ms'));
    IF foreign_row THEN
        NEW._started_at := coalesce(NEW._started_at,
            ivsvod_moment(NEW.created_at) - NEW._duration_ms * interval '1 millisecond');
        NEW._ended_at := coalesce(NEW._ended_at, ivsvod_moment(NEW.created_at));
    END IF;
    IF foreign_row AND TG_OP = 'INSERT' AND NEW._prefix <> '' AND NEW._duplicate_of IS NULL THEN
        -- Two sessions that insert the same recording at once must see each other. One lock for all recordings, since a
        -- statement may insert any number of them and the memory for locks is bounded. It is taken before any channel
        -- row, so that two such statements wait for each other here, and never in the middle.
        PERFORM pg_advisory_xact_lock(hashtextextended('ivsvod_derive_video', 0));
        -- Events of the channel are written under the lock of its row: this insert waits for them, and they for it.
        PERFORM FROM ivs_channels WHERE uuid = NEW.ivs_channel_uuid FOR NO KEY UPDATE;
        SELECT uuid INTO NEW._duplicate_of FROM on_demand_videos
        WHERE _bucket = NEW._bucket AND _prefix = NEW._prefix AND _duplicate_of IS NULL AND uuid <> NEW.uuid
            -- One that has not ended here is no better, for its Recording End may never come; one that staff hid is.
            AND (_status = 'available' OR active = false)
        ORDER BY created_at, uuid LIMIT 1;
    END IF;
    RETURN NEW;
END $$;
"""
FUNCTIONS += DERIVE_VIDEO
FUNCTIONS += SEARCH_VECTOR_IN_ENGLISH
FUNCTIONS += r"""
-- The vector follows the text, whoever changes it.
CREATE OR REPLACE FUNCTION ivsvod_derive_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' OR NEW._search IS NULL
        OR (NEW.title, NEW.description, NEW.tags) IS DISTINCT FROM (OLD.title, OLD.description, OLD.tags)
    THEN
        NEW._search := ivsvod_search_vector(NEW.title, NEW.description, coalesce(NEW.tags, '{}'));
    END IF;
    RETURN NEW;
END $$;
"""
FUNCTIONS += pinned("ivsvod_derive_video", "ivsvod_derive_content")
# The one text search configuration, of vectors and of queries; `search_config_set` puts another in its place.
PUBLICATION = """
CREATE OR REPLACE FUNCTION ivsvod_search_config() RETURNS regconfig
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT 'pg_catalog.english'::regconfig $$;

-- The beginnings of tags, for an index: a key of it may have 2,700 bytes, and a tag any length.
CREATE OR REPLACE FUNCTION ivsvod_tag_beginnings(tags text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT array_agg(left(tag, 100)) FROM unnest(tags) AS tag $$;

-- Each tag of each video, once.
CREATE OR REPLACE VIEW ivsvod_video_tags AS
    SELECT content.on_demand_video_uuid AS video_uuid, found.tag
    FROM on_demand_video_content AS content
    CROSS JOIN LATERAL (SELECT DISTINCT tag FROM unnest(content.tags) AS tag WHERE tag <> '') AS found;
"""
_PUBLISH_VIDEO = """
-- A row of the predecessor gets what staff chose for the recording while it ran, else what its channel says. Rows of
-- this code say it themselves; the predecessor knows none of these columns, so that they have their defaults.
CREATE OR REPLACE FUNCTION ivsvod_publish_video() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    known on_demand_videos;
    state text;
BEGIN
    IF NEW._prefix = '' OR (NEW.active, NEW._held, NEW._visibility) IS DISTINCT FROM (true, false, 'public') THEN
        RETURN NEW;
    END IF;
    SELECT * INTO known FROM on_demand_videos
    WHERE _bucket = NEW._bucket AND _prefix = NEW._prefix AND _duplicate_of IS NULL AND uuid <> NEW.uuid
    ORDER BY created_at, uuid LIMIT 1;
    SELECT _new_video_state INTO state FROM ivs_channels WHERE uuid = NEW.ivs_channel_uuid;
    NEW._visibility := coalesce(known._visibility, CASE state WHEN 'unlisted' THEN 'unlisted' ELSE 'public' END);
    NEW._held := coalesce(known._held, state = 'hidden', false);
    NEW._publish_from := coalesce(NEW._publish_from, known._publish_from);
    NEW._publish_until := coalesce(NEW._publish_until, known._publish_until);
    IF NEW._metadata = '{}' THEN
        NEW._metadata := coalesce(known._metadata, NEW._metadata);
    END IF;
    RETURN NEW;
END $$;
"""
_PUBLISH_VIDEO += pinned("ivsvod_publish_video")
PUBLICATION += _PUBLISH_VIDEO
# Its name comes after that of the trigger that finds bucket and prefix: PostgreSQL goes by the alphabet.
PUBLICATION += """
CREATE OR REPLACE TRIGGER ivsvod_publish BEFORE INSERT ON on_demand_videos
    FOR EACH ROW EXECUTE FUNCTION ivsvod_publish_video();
"""
PUBLICATION += _SEARCH_VECTOR.replace("CONFIGURATION", "ivsvod_search_config()")
DROP_PUBLICATION = SEARCH_VECTOR_IN_ENGLISH
DROP_PUBLICATION += """
DROP TRIGGER ivsvod_publish ON on_demand_videos;
DROP FUNCTION ivsvod_publish_video();
DROP VIEW ivsvod_video_tags;
DROP FUNCTION ivsvod_tag_beginnings(text[]);
DROP FUNCTION ivsvod_search_config();
"""
# What its channel made unlisted waits for review, as what this code made so; what is held waits already.
AWAITING_REVIEW = _PUBLISH_VIDEO.replace(
    "    IF NEW._metadata",
    """    NEW._awaits_review := known._visibility IS NULL AND NEW._visibility = 'unlisted';
    IF NEW._metadata""",
)
AWAITING_NOTHING = _PUBLISH_VIDEO
# The recordings of a private channel are hidden until staff decide, unless the channel itself says what new videos
# become.
PRIVATE_RECORDINGS = """
-- A row of the predecessor gets what staff chose for the recording while it ran, else what its channel says; a private
-- channel that says nothing holds it back. Rows of this code say it themselves; the predecessor knows none of these
-- columns, so that they have their defaults.
CREATE OR REPLACE FUNCTION ivsvod_publish_video() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    known on_demand_videos;
    state text;
BEGIN
    IF (NEW.active, NEW._held, NEW._visibility) IS DISTINCT FROM (true, false, 'public') THEN
        RETURN NEW;
    END IF;
    IF NEW._prefix <> '' THEN
        SELECT * INTO known FROM on_demand_videos
        WHERE _bucket = NEW._bucket AND _prefix = NEW._prefix AND _duplicate_of IS NULL AND uuid <> NEW.uuid
        ORDER BY created_at, uuid LIMIT 1;
    END IF;
    -- `_private` is NULL until it is derived; what IVS answered to the creation of the channel says the same.
    SELECT coalesce(_new_video_state, CASE WHEN
            coalesce(_private, channel_data #> '{Channel,Authorized}' = 'true'::jsonb) THEN 'hidden' END)
        INTO state FROM ivs_channels WHERE uuid = NEW.ivs_channel_uuid;
    NEW._visibility := coalesce(known._visibility, CASE state WHEN 'unlisted' THEN 'unlisted' ELSE 'public' END);
    NEW._held := coalesce(known._held, state = 'hidden', false);
    NEW._publish_from := coalesce(NEW._publish_from, known._publish_from);
    NEW._publish_until := coalesce(NEW._publish_until, known._publish_until);
    NEW._awaits_review := known._visibility IS NULL AND NEW._visibility = 'unlisted';
    IF NEW._metadata = '{}' THEN
        NEW._metadata := coalesce(known._metadata, NEW._metadata);
    END IF;
    RETURN NEW;
END $$;
"""
PRIVATE_RECORDINGS += pinned("ivsvod_publish_video")
# Each tag of content once. Sorted, so that two writers of new tags do not deadlock.
_KNOWN_TAGS = """
SELECT DISTINCT found.tag FROM {rows} AS content CROSS JOIN LATERAL unnest(content.tags) AS found(tag)
WHERE found.tag <> '' AND NOT EXISTS (SELECT FROM ondemand_knowntag AS known WHERE md5(known.tag) = md5(found.tag))
ORDER BY found.tag
ON CONFLICT DO NOTHING
"""
KNOW_TAGS_IN_USE = "INSERT INTO ondemand_knowntag (tag)" + _KNOWN_TAGS.format(rows="on_demand_video_content")
KNOWN_TAGS = f"""
CREATE OR REPLACE FUNCTION ivsvod_know_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ondemand_knowntag (tag) {_KNOWN_TAGS.format(rows="new_rows")};
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER ivsvod_know_tags_made AFTER INSERT ON on_demand_video_content
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_know_tags();
CREATE OR REPLACE TRIGGER ivsvod_know_tags_changed AFTER UPDATE ON on_demand_video_content
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_know_tags();
"""
KNOWN_TAGS += pinned("ivsvod_know_tags")
UNKNOWN_TAGS = """
DROP TRIGGER ivsvod_know_tags_changed ON on_demand_video_content;
DROP TRIGGER ivsvod_know_tags_made ON on_demand_video_content;
DROP FUNCTION ivsvod_know_tags();
"""
DROP_FUNCTIONS = """
DROP FUNCTION IF EXISTS ivsvod_derive_content();
DROP FUNCTION IF EXISTS ivsvod_search_vector(text, text, text[]);
DROP FUNCTION IF EXISTS ivsvod_derive_video();
DROP FUNCTION IF EXISTS ivsvod_stream_ids(jsonb);
DROP FUNCTION IF EXISTS ivsvod_s3_name(jsonb, text, integer);
DROP FUNCTION IF EXISTS ivsvod_json_milliseconds(jsonb, text);
"""
# For every writer. A row that no trigger sees, as by logical replication, is made readable by `ivsvod/postgresql`.
KEEP_TIMES = """
-- When publication begins. A time that clients cannot hold is no beginning if it is past, else the last they can hold.
CREATE OR REPLACE FUNCTION ivsvod_publish_from(moment timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN moment >= '1900-01-01 00:00+00' THEN least(moment, '9000-12-31 23:59:59.999999+00') END
$$;

-- When publication ends. A time that clients cannot hold is no end if it is to come, else the first they can hold.
CREATE OR REPLACE FUNCTION ivsvod_publish_until(moment timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN moment <= '9000-12-31 23:59:59.999999+00' THEN greatest(moment, '1900-01-01 00:00+00') END
$$;

CREATE OR REPLACE FUNCTION ivsvod_keep_times() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW._publish_from := ivsvod_publish_from(NEW._publish_from);
    NEW._publish_until := ivsvod_publish_until(NEW._publish_until);
    NEW._started_at := CASE WHEN NEW._started_at IS NOT NULL THEN ivsvod_moment(NEW._started_at) END;
    NEW._ended_at := CASE WHEN NEW._ended_at IS NOT NULL THEN ivsvod_moment(NEW._ended_at) END;
    RETURN NEW;
END $$;
"""
KEEP_TIMES += pinned("ivsvod_keep_times")
# Its name comes last: the triggers before it fill these columns.
KEEP_TIMES += """
CREATE OR REPLACE TRIGGER ivsvod_times BEFORE INSERT OR UPDATE ON on_demand_videos FOR EACH ROW WHEN (
    NEW._publish_from IS DISTINCT FROM ivsvod_publish_from(NEW._publish_from)
    OR NEW._publish_until IS DISTINCT FROM ivsvod_publish_until(NEW._publish_until)
    OR NEW._started_at <> ivsvod_moment(NEW._started_at)
    OR NEW._ended_at <> ivsvod_moment(NEW._ended_at)
) EXECUTE FUNCTION ivsvod_keep_times();
"""
LEAVE_TIMES = """
DROP TRIGGER ivsvod_times ON on_demand_videos;
DROP FUNCTION ivsvod_keep_times();
DROP FUNCTION ivsvod_publish_until(timestamptz);
DROP FUNCTION ivsvod_publish_from(timestamptz);
"""
# Updates rows from before the trigger, which then mends them.
KEEP_EARLIER_TIMES = """
SELECT set_config('ivsvod.actor', '{"way": "none"}', true);
WITH unreadable AS (
    SELECT uuid FROM on_demand_videos
    WHERE _publish_from IS DISTINCT FROM ivsvod_publish_from(_publish_from)
        OR _publish_until IS DISTINCT FROM ivsvod_publish_until(_publish_until)
        OR _started_at <> ivsvod_moment(_started_at)
        OR _ended_at <> ivsvod_moment(_ended_at)
    ORDER BY uuid FOR NO KEY UPDATE
)
UPDATE on_demand_videos AS video SET created_at = created_at FROM unreadable WHERE video.uuid = unreadable.uuid;
"""

# As for channels, the audit log does not tell what is filled in.
TOUCH_VIDEOS = """
WITH batch AS (
    SELECT uuid, set_config('ivsvod.actor', '{"way": "none"}', true)
    FROM on_demand_videos WHERE uuid > %s AND _status IS NULL ORDER BY uuid LIMIT %s FOR NO KEY UPDATE
)
UPDATE on_demand_videos AS video SET created_at = video.created_at
FROM batch WHERE video.uuid = batch.uuid RETURNING video.uuid
"""
TOUCH_CONTENT = """
WITH batch AS (
    SELECT uuid FROM on_demand_video_content WHERE uuid > %s AND _search IS NULL ORDER BY uuid LIMIT %s
    FOR NO KEY UPDATE
)
UPDATE on_demand_video_content AS content SET created_by = content.created_by
FROM batch WHERE content.uuid = batch.uuid RETURNING content.uuid
"""
# A vector that is right already, as after an interruption, is not written again.
REWRITE_VECTORS = """
WITH batch AS (
    SELECT uuid FROM on_demand_video_content WHERE uuid > %s ORDER BY uuid LIMIT %s FOR NO KEY UPDATE
), vector AS (
    SELECT uuid, ivsvod_search_vector(title, description, coalesce(tags, '{}')) AS vector
    FROM on_demand_video_content JOIN batch USING (uuid)
), written AS (
    UPDATE on_demand_video_content AS content SET _search = vector
    FROM vector WHERE content.uuid = vector.uuid AND content._search IS DISTINCT FROM vector
)
SELECT uuid FROM batch
"""
FIND_CONFIG = """
SELECT format('%%I.%%I', nspname, cfgname) FROM pg_ts_config JOIN pg_namespace ON pg_namespace.oid = cfgnamespace
WHERE pg_ts_config.oid = (
    SELECT coalesce(
        (SELECT oid FROM pg_ts_config WHERE cfgname = %(name)s AND pg_ts_config_is_visible(oid)),
        (SELECT pg_ts_config.oid FROM pg_ts_config JOIN pg_namespace ON pg_namespace.oid = cfgnamespace
         WHERE nspname || '.' || cfgname = %(name)s)
    )
)
"""
SET_CONFIG = """
CREATE OR REPLACE FUNCTION ivsvod_search_config() RETURNS regconfig
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS {body}
"""
DOUBLED = """
SELECT _bucket, _prefix FROM on_demand_videos WHERE _prefix <> '' GROUP BY _bucket, _prefix HAVING count(*) > 1
"""
# Somebody removed the first row: what it was the first of stands for itself again.
FORGET_REMOVED = """
WITH orphan AS (
    SELECT uuid, set_config('ivsvod.actor', '{"way": "none"}', true) FROM on_demand_videos AS video
    WHERE _duplicate_of IS NOT NULL AND NOT EXISTS (SELECT FROM on_demand_videos WHERE uuid = video._duplicate_of)
    ORDER BY uuid FOR NO KEY UPDATE
)
UPDATE on_demand_videos AS video SET _duplicate_of = NULL FROM orphan WHERE video.uuid = orphan.uuid
"""
# All rows of a recording point to the earliest that is available or hidden, and is a duplicate of none already: those
# too that a trigger marked while older ones were not derived.
MARK_DUPLICATES = """
WITH place AS (
    SELECT uuid, created_at, active, _status, _duplicate_of, set_config('ivsvod.actor', '{"way": "none"}', true)
    FROM on_demand_videos WHERE _bucket = %s AND _prefix = %s ORDER BY uuid FOR NO KEY UPDATE
), first AS (
    SELECT uuid FROM place
    ORDER BY (_status = 'available' OR active IS FALSE) DESC, _duplicate_of IS NULL DESC, created_at, uuid LIMIT 1
)
UPDATE on_demand_videos AS video SET _duplicate_of = nullif(first.uuid, video.uuid)
FROM place, first
WHERE video.uuid = place.uuid AND video._duplicate_of IS DISTINCT FROM nullif(first.uuid, video.uuid)
"""


def backfill(cursor: Any, said: Callable[[str], None] | None = None) -> None:
    """Derive what old rows of videos and content lack, and mark duplicates; safe to stop and to run again."""
    touch_in_batches(cursor, TOUCH_VIDEOS, NIL, said)
    touch_in_batches(cursor, TOUCH_CONTENT, NIL, said)
    cursor.execute(FORGET_REMOVED)
    cursor.execute(DOUBLED)
    for place in cursor.fetchall():
        cursor.execute(MARK_DUPLICATES, place)


class UnknownSearchConfigError(Exception):
    """PostgreSQL has no text search configuration of this name."""


def search_config_find(cursor: Any, name: str) -> str:
    """The configuration with its schema, quoted.

    Raises:
        UnknownSearchConfigError: there is none of this name.
    """
    cursor.execute(FIND_CONFIG, {"name": name})
    row = cursor.fetchone()
    if row is None:
        raise UnknownSearchConfigError(f"PostgreSQL has no text search configuration {name!r} (see pg_ts_config)")
    return row[0]


def search_config_set(cursor: Any, name: str, said: Callable[[str], None] | None = None) -> None:
    """Search in this configuration from now on, and rewrite all vectors; safe to stop and to run again.

    Until the last vector is rewritten, words that the two configurations see differently may not be found.

    Raises:
        UnknownSearchConfigError: there is none of this name.
    """
    body = sql.Literal(f"SELECT {sql.Literal(search_config_find(cursor, name)).as_string()}::regconfig")
    cursor.execute(sql.SQL(SET_CONFIG).format(body=body))
    touch_in_batches(cursor, REWRITE_VECTORS, NIL, said)


def backfill_by_migration(apps: Any, schema_editor: Any) -> None:
    """`backfill`, as a step of a migration that is not one transaction."""
    with schema_editor.connection.cursor() as cursor:
        backfill(cursor)
