"""Derive what rows from before the triggers lack, in batches that are committed one by one, and note the known tags.

Locks: the rows of a batch. It can be killed, and goes on where it was when it is run again.
"""

from functools import partial
from typing import Any

from django.db import migrations

from common.sql.backfill import NIL, first_blocks, run_for_each, touch_blocks_by_two, touch_in_batches
from common.sql.ddl import sql_files

statement = partial(sql_files, "ondemand/sql/0004")


def backfill_rows(apps: Any, schema_editor: Any) -> None:
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        touch_blocks_by_two(connection, statement("touch_videos"), first_blocks(cursor, statement("video_blocks")))
        touch_in_batches(cursor, statement("index_missing"), NIL)
        cursor.execute(statement("forget_removed"))
        run_for_each(cursor, statement("doubled_recordings"), statement("mark_duplicates"))
        cursor.execute(statement("sum_tags"))
        cursor.execute(statement("add_words"), [50_000])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("ondemand", "0003_triggers")]
    operations = [migrations.RunPython(backfill_rows, migrations.RunPython.noop)]
