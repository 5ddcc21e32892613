"""Derive columns from rows of any writer, follow deletions, and write the audit log: functions and triggers.

Locks: each table against writes for an instant (triggers), in a transaction of its own, once the writes that run have
ended. The index that the triggers and the backfill read is built before, without stopping writes. It can be killed and
run again.
"""

from django.db import migrations, models

from common.sql.ddl import EnsureIndex, RunSQLInTransaction, sql_files

SQL = "ondemand/sql/0003"
FUNCTIONS = sql_files(
    SQL,
    *("json_milliseconds", "s3_name", "stream_ids", "search_config", "search_text", "chapters", "search_vector", "search_query"),
    *("tag_beginnings", "word_forms", "first_row_rank", "new_playback", "listing", "edited_videos", "index_videos"),
    "count_tags",
)
# As that of channels: `channels_app/migrations/0003_triggers.py`.
TYPES = "SELECT ivsvod_audit_type('ondemand', 'video')"
VIDEOS = sql_files(
    SQL,
    *("derive_video", "publish_video", "keep_times", "videos_deleted", "videos_inserted", "audit_videos"),
    *("index_of_videos", "protect_edited"),
)
CONTENT = sql_files(SQL, "audit_content", "index_of_content")
CHANNELS = sql_files(SQL, "index_of_channels")
# Not with the table: that migration locks the table of videos too.
GRANTS = """
ALTER TABLE ondemand_playbackgrant
    DROP CONSTRAINT IF EXISTS ondemand_playbackgrant_channel_id_fk_ivs_channels_uuid,
    ADD CONSTRAINT ondemand_playbackgrant_channel_id_fk_ivs_channels_uuid
    FOREIGN KEY (channel_id) REFERENCES ivs_channels (uuid) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
""" + sql_files(SQL, "audit_grants")
DROP_FUNCTIONS = """
DROP FUNCTION IF EXISTS ivsvod_count_tags CASCADE;
DROP FUNCTION IF EXISTS ivsvod_json_milliseconds, ivsvod_s3_name, ivsvod_stream_ids, ivsvod_search_config,
    ivsvod_search_text, ivsvod_chapter_titles, ivsvod_found_chapter, ivsvod_search_vector, ivsvod_search_query, ivsvod_tag_beginnings, ivsvod_word_forms,
    ivsvod_first_row_rank, ivsvod_new_playback, ivsvod_listing, ivsvod_index_videos, ivsvod_shows_granted,
    ivsvod_usable_edit, ivsvod_part_of;
"""
DROP_FROM_VIDEOS = """
DROP TRIGGER IF EXISTS ivsvod_audit_insert ON on_demand_videos;
DROP TRIGGER IF EXISTS ivsvod_audit_update ON on_demand_videos;
DROP TRIGGER IF EXISTS ivsvod_audit_delete ON on_demand_videos;
DROP FUNCTION IF EXISTS ivsvod_derive_video, ivsvod_publish_video, ivsvod_keep_times, ivsvod_videos_deleted,
    ivsvod_videos_inserted, ivsvod_index_of_videos, ivsvod_protect_edited CASCADE;
DROP FUNCTION IF EXISTS ivsvod_publish_from, ivsvod_publish_until;
"""
DROP_FROM_CONTENT = """
DROP TRIGGER IF EXISTS ivsvod_audit_insert ON on_demand_video_content;
DROP TRIGGER IF EXISTS ivsvod_audit_update ON on_demand_video_content;
DROP TRIGGER IF EXISTS ivsvod_audit_delete ON on_demand_video_content;
DROP FUNCTION IF EXISTS ivsvod_index_of_content CASCADE;
"""
DROP_FROM_GRANTS = """
DROP TRIGGER IF EXISTS ivsvod_audit_insert ON ondemand_playbackgrant;
DROP TRIGGER IF EXISTS ivsvod_audit_update ON ondemand_playbackgrant;
"""
DROP_FROM_CHANNELS = "DROP FUNCTION IF EXISTS ivsvod_index_of_channels CASCADE;"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("ondemand", "0002_own_tables")]
    operations = [
        EnsureIndex("video", models.Index(fields=["bucket", "prefix"], name="on_demand_videos_place_idx")),
        RunSQLInTransaction(FUNCTIONS, DROP_FUNCTIONS),
        RunSQLInTransaction(TYPES, migrations.RunSQL.noop),
        RunSQLInTransaction(VIDEOS, DROP_FROM_VIDEOS),
        RunSQLInTransaction(CONTENT, DROP_FROM_CONTENT),
        RunSQLInTransaction(CHANNELS, DROP_FROM_CHANNELS),
        RunSQLInTransaction(GRANTS, DROP_FROM_GRANTS),
    ]
