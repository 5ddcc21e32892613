"""What is derived from rows that this code did not write: SQL functions, triggers, and the backfill of old rows.

The functions take any `data`. A trigger sets only what is NULL; the rows of the predecessor, which has no streams,
reach the table of streams on the way.
"""

from collections.abc import Callable
from typing import Any


def pinned(*functions: str) -> str:
    """SQL that makes trigger functions run as their owner and find ours whatever the session's search path.

    The role that fires them may have rights on the predecessor's four tables alone, and the search path of a restore
    is empty. Who fired them is `session_user`.
    """
    return f"""
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY{list(functions)} LOOP
        EXECUTE format('ALTER FUNCTION %I() SECURITY DEFINER SET search_path = %I, pg_temp', name, current_schema());
        -- A trigger needs no right on its function. No other role may create a trigger with it.
        EXECUTE format('REVOKE ALL ON FUNCTION %I() FROM PUBLIC', name);
    END LOOP;
END $$;
"""


FUNCTIONS = r"""
-- The text at a path of a JSON document; NULL where there is none or it is no text.
CREATE OR REPLACE FUNCTION ivsvod_json_text(document jsonb, VARIADIC path text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN jsonb_typeof(document #> path) = 'string' THEN document #>> path END
$$;

-- A moment that every client can read: timestamptz goes from 4713 BC to 294276 AD, and to infinity.
CREATE OR REPLACE FUNCTION ivsvod_moment(moment timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN moment BETWEEN '1900-01-01 00:00+00' AND '9000-01-01 00:00+00' THEN moment
        ELSE '1970-01-01 00:00+00' END
$$;

CREATE OR REPLACE FUNCTION ivsvod_derive_channel() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kind text := ivsvod_json_text(NEW.channel_data, 'Channel', 'Type');
    latency text := ivsvod_json_text(NEW.channel_data, 'Channel', 'LatencyMode');
BEGIN
    NEW._name := coalesce(NEW._name, ivsvod_json_text(NEW.channel_data, 'Channel', 'Tags', 'Name'), '');
    NEW._type := coalesce(NEW._type,
        CASE WHEN kind IN ('BASIC', 'ADVANCED_SD', 'ADVANCED_HD') THEN kind ELSE 'STANDARD' END);
    NEW._latency_mode := coalesce(NEW._latency_mode, CASE WHEN latency = 'NORMAL' THEN latency ELSE 'LOW' END);
    NEW._private := coalesce(NEW._private,
        coalesce(NEW.channel_data #> '{Channel,Authorized}' = 'true'::jsonb, false));
    NEW._record := coalesce(NEW._record,
        coalesce(ivsvod_json_text(NEW.channel_data, 'Channel', 'RecordingConfigurationArn'), '') <> '');
    NEW._playback_url := coalesce(NEW._playback_url, ivsvod_json_text(NEW.channel_data, 'Channel', 'PlaybackUrl'), '');
    NEW._status := coalesce(NEW._status, 'ready');
    RETURN NEW;
END $$;

"""
_HEAR_STATE_CHANGE = """
-- A row of the predecessor counts by `data.event_name`, or by `state` where there is none, at its `timestamp`.
-- Without a stream id it is a stream of its own.
CREATE OR REPLACE FUNCTION ivsvod_hear_state_change(
    row_id bigint, channel uuid, moment timestamptz, state text, data jsonb
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz := ivsvod_moment(moment);
    event text := coalesce(ivsvod_json_text(data, 'event_name'),
        CASE state WHEN 'live' THEN 'Stream Start' WHEN 'offline' THEN 'Stream End' END);
    stream text := coalesce(nullif(ivsvod_json_text(data, 'stream_id'), ''), 'row-' || row_id);
BEGIN
    IF octet_length(stream) > 200 THEN
        stream := 'row-' || row_id;
    END IF;
    INSERT INTO channels_app_stream AS known (channel_id, stream_id, first_event_at, started_at, ended_at)
    VALUES (channel, stream, at,
        CASE WHEN event = 'Stream Start' THEN at END, CASE WHEN event = 'Stream End' THEN at END)
    ON CONFLICT (channel_id, stream_id) DO UPDATE SET
        first_event_at = least(known.first_event_at, EXCLUDED.first_event_at),
        started_at = least(known.started_at, EXCLUDED.started_at),
        ended_at = least(known.ended_at, EXCLUDED.ended_at);
END $$;
"""
FUNCTIONS += _HEAR_STATE_CHANGE
FUNCTIONS += """
CREATE OR REPLACE FUNCTION ivsvod_derive_state_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW._event_id IS NULL THEN
        PERFORM ivsvod_hear_state_change(NEW._id, NEW.ivs_channel_uuid, NEW.timestamp, NEW.state, NEW.data);
    END IF;
    RETURN NEW;
END $$;
"""
FUNCTIONS += pinned("ivsvod_derive_channel", "ivsvod_derive_state_change")
# The one merge of what is heard of a stream, whether by an event or by a row of the predecessor. A real event outranks
# one that `reconcile` made of what IVS still knew, whichever comes first; of equals the earliest counts.
HEARING = """
CREATE OR REPLACE FUNCTION ivsvod_merge_stream(
    channel uuid, stream text, moment timestamptz, event text, reconciled boolean
) RETURNS channels_app_stream LANGUAGE plpgsql AS $$
DECLARE
    known channels_app_stream;
    is_start boolean := event IS NOT DISTINCT FROM 'Stream Start';
    is_end boolean := event IS NOT DISTINCT FROM 'Stream End';
BEGIN
    INSERT INTO channels_app_stream (channel_id, stream_id, first_event_at, start_reconciled, end_reconciled)
    VALUES (channel, stream, moment, false, false) ON CONFLICT DO NOTHING;
    SELECT * INTO known FROM channels_app_stream WHERE channel_id = channel AND stream_id = stream FOR UPDATE;
    is_start := is_start AND (known.started_at IS NULL
        OR (reconciled, moment) < (known.start_reconciled, known.started_at));
    is_end := is_end AND (known.ended_at IS NULL OR (reconciled, moment) < (known.end_reconciled, known.ended_at));
    IF NOT (is_start OR is_end OR moment < known.first_event_at) THEN
        RETURN known;
    END IF;
    IF NOT reconciled AND (is_start AND known.start_reconciled OR is_end AND known.end_reconciled) THEN
        -- A real row follows: the trigger on deleted rows shall not take the start or end away.
        PERFORM set_config('ivsvod.replaces_rows', 'true', true);
        DELETE FROM ivs_state_changes WHERE ivs_channel_uuid = channel AND _event_id LIKE 'reconcile:%'
            AND state = CASE WHEN is_start THEN 'live' ELSE 'offline' END AND data ->> 'stream_id' = stream;
        PERFORM set_config('ivsvod.replaces_rows', '', true);
    END IF;
    UPDATE channels_app_stream SET
        first_event_at = least(first_event_at, moment),
        started_at = CASE WHEN is_start THEN moment ELSE started_at END,
        start_reconciled = CASE WHEN is_start THEN reconciled ELSE start_reconciled END,
        ended_at = CASE WHEN is_end THEN moment ELSE ended_at END,
        end_reconciled = CASE WHEN is_end THEN reconciled ELSE end_reconciled END
    WHERE id = known.id RETURNING * INTO known;
    RETURN known;
END $$;

-- What an event tells of a stream: the stream, its history, and the row that the predecessor's clients read of a start
-- or an end. Returns the last stream of the channel that has either, as the live state goes by it, and whether the
-- place of the event's own stream in their order is that of its first event.
CREATE OR REPLACE FUNCTION ivsvod_hear_event(
    channel uuid, stream text, moment timestamptz, event text, event_key text, detail jsonb, history jsonb,
    OUT last_stream_id text, OUT last_started_at timestamptz, OUT last_ended_at timestamptz, OUT by_first_event boolean
) LANGUAGE plpgsql AS $$
DECLARE
    reconciled boolean := event_key LIKE 'reconcile:%';
    told text := CASE event WHEN 'Stream Start' THEN 'live' WHEN 'Stream End' THEN 'offline' END;
    known channels_app_stream := ivsvod_merge_stream(channel, stream, moment, event, reconciled);
BEGIN
    IF told IS NOT NULL
        -- Of one that reconcile made only what the stream goes by.
        AND (NOT reconciled OR told = 'live' AND known.start_reconciled OR told = 'offline' AND known.end_reconciled)
    THEN
        INSERT INTO ivs_state_changes ("timestamp", ivs_channel_uuid, state, data, _event_id)
        SELECT moment, channel, told, detail, event_key
        WHERE NOT EXISTS (
            SELECT FROM ivs_state_changes
            WHERE ivs_channel_uuid = channel AND "timestamp" = moment AND _event_id = event_key
        );
    END IF;
    IF history IS NOT NULL AND NOT reconciled THEN
        -- IVS may have told reconcile the fraction of a second that an event leaves out.
        DELETE FROM channels_app_streamhistoryentry
        WHERE stream_id = known.id AND name = event AND event_id LIKE 'reconcile:%'
            AND at BETWEEN moment - interval '1 second' AND moment + interval '1 second';
    END IF;
    IF history IS NOT NULL THEN
        INSERT INTO channels_app_streamhistoryentry (stream_id, event_id, at, name, detail)
        SELECT known.id, event_key, moment, event, history
        WHERE NOT reconciled OR NOT EXISTS (
            SELECT FROM channels_app_streamhistoryentry
            WHERE stream_id = known.id AND name = event AND event_id NOT LIKE 'reconcile:%'
                AND at BETWEEN moment - interval '1 second' AND moment + interval '1 second'
        )
        ON CONFLICT DO NOTHING;
    END IF;
    by_first_event := known.started_at IS NULL AND known.ended_at IS NOT NULL;
    SELECT s.stream_id, s.started_at, s.ended_at INTO last_stream_id, last_started_at, last_ended_at
    FROM channels_app_stream AS s
    WHERE s.channel_id = channel AND (s.started_at IS NOT NULL OR s.ended_at IS NOT NULL)
    ORDER BY s.order_at DESC, s.stream_id DESC LIMIT 1;
END $$;
"""
HEAR_STATE_CHANGE_BY_MERGE = """
CREATE OR REPLACE FUNCTION ivsvod_hear_state_change(
    row_id bigint, channel uuid, moment timestamptz, state text, data jsonb
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    event text := coalesce(ivsvod_json_text(data, 'event_name'),
        CASE state WHEN 'live' THEN 'Stream Start' WHEN 'offline' THEN 'Stream End' END);
    stream text := coalesce(nullif(ivsvod_json_text(data, 'stream_id'), ''), 'row-' || row_id);
BEGIN
    IF octet_length(stream) > 200 THEN
        stream := 'row-' || row_id;
    END IF;
    PERFORM ivsvod_merge_stream(channel, stream, ivsvod_moment(moment), event, false);
END $$;
"""
HEARING += HEAR_STATE_CHANGE_BY_MERGE
DROP_HEARING = (
    _HEAR_STATE_CHANGE
    + """
DROP FUNCTION ivsvod_hear_event(uuid, text, timestamptz, text, text, jsonb, jsonb);
DROP FUNCTION ivsvod_merge_stream(uuid, text, timestamptz, text, boolean);
"""
)
DROP_FUNCTIONS = """
DROP FUNCTION IF EXISTS ivsvod_derive_state_change();
DROP FUNCTION IF EXISTS ivsvod_hear_state_change(bigint, uuid, timestamptz, text, jsonb);
DROP FUNCTION IF EXISTS ivsvod_derive_channel();
DROP FUNCTION IF EXISTS ivsvod_moment(timestamptz);
DROP FUNCTION IF EXISTS ivsvod_json_text(jsonb, text[]);
"""

BATCH = 1000


def touch_in_batches(cursor: Any, statement: str, first_key: Any, said: Callable[[str], None] | None = None) -> int:
    """Run a statement that takes (last key, batch size) and returns the keys that it passed, until none is left.

    Each call is a transaction of its own when the connection is in autocommit mode.
    """
    passed, last = 0, first_key
    while True:
        cursor.execute(statement, [last, BATCH])
        keys = [row[0] for row in cursor.fetchall()]
        if not keys:
            return passed
        passed, last = passed + len(keys), max(keys)
        if said:
            said(f"{passed} rows")


# Filling in what is derived changes nothing that anybody asked for: the audit log does not tell it.
TOUCH_CHANNELS = """
WITH batch AS (
    SELECT uuid, set_config('ivsvod.actor', '{"way": "none"}', true)
    FROM ivs_channels WHERE uuid > %s AND _status IS NULL ORDER BY uuid LIMIT %s FOR NO KEY UPDATE
)
UPDATE ivs_channels SET owner = owner FROM batch WHERE ivs_channels.uuid = batch.uuid RETURNING ivs_channels.uuid
"""
HEAR_STATE_CHANGES = """
SELECT _id, ivsvod_hear_state_change(_id, ivs_channel_uuid, timestamp, state, data)
FROM (
    SELECT * FROM ivs_state_changes WHERE _id > %s AND _event_id IS NULL ORDER BY _id LIMIT %s
) AS batch
"""
NIL = "00000000-0000-0000-0000-000000000000"


def backfill(cursor: Any, said: Callable[[str], None] | None = None) -> None:
    """Derive what old rows of channels and state changes lack; safe to stop and to run again."""
    touch_in_batches(cursor, TOUCH_CHANNELS, NIL, said)
    touch_in_batches(cursor, HEAR_STATE_CHANGES, 0, said)


def backfill_by_migration(apps: Any, schema_editor: Any) -> None:
    """`backfill`, as a step of a migration that is not one transaction."""
    with schema_editor.connection.cursor() as cursor:
        backfill(cursor)
