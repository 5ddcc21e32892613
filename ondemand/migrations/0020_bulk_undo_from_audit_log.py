"""Undo bulk changes from the audit log, which has two more columns of videos; a bulk change has one state.

Locks: `on_demand_videos` for an instant (three triggers), once the writes that run have ended.
"""

from django.db import migrations, models

AUDIT_VIDEOS = """
CREATE OR REPLACE TRIGGER ivsvod_audit_insert AFTER INSERT ON on_demand_videos REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_audit('ondemand', 'video', 'uuid', '',
'{"ivs_channel_uuid": "channel", "active": "active", "_status": "status", "_qa": "qa", "_qa_reasons": "qa_reasons", "_duplicate_of": "duplicate_of", "_visibility": "visibility", "_publish_from": "publish_from", "_publish_until": "publish_until", "_metadata": "metadata", "_held": "held", "_held_by_check": "held_by_check", "_awaits_review": "awaits_review", "_started_at": "started_at", "_ended_at": "ended_at", "_duration_ms": "duration_ms"}',
'False', 'uuid');
CREATE OR REPLACE TRIGGER ivsvod_audit_update AFTER UPDATE ON on_demand_videos REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_audit('ondemand', 'video', 'uuid', '',
'{"ivs_channel_uuid": "channel", "active": "active", "_status": "status", "_qa": "qa", "_qa_reasons": "qa_reasons", "_duplicate_of": "duplicate_of", "_visibility": "visibility", "_publish_from": "publish_from", "_publish_until": "publish_until", "_metadata": "metadata", "_held": "held", "_held_by_check": "held_by_check", "_awaits_review": "awaits_review", "_started_at": "started_at", "_ended_at": "ended_at", "_duration_ms": "duration_ms"}',
'False', 'uuid');
CREATE OR REPLACE TRIGGER ivsvod_audit_delete AFTER DELETE ON on_demand_videos REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_audit('ondemand', 'video', 'uuid', '',
'{"ivs_channel_uuid": "channel", "active": "active", "_status": "status", "_qa": "qa", "_qa_reasons": "qa_reasons", "_duplicate_of": "duplicate_of", "_visibility": "visibility", "_publish_from": "publish_from", "_publish_until": "publish_until", "_metadata": "metadata", "_held": "held", "_held_by_check": "held_by_check", "_awaits_review": "awaits_review", "_started_at": "started_at", "_ended_at": "ended_at", "_duration_ms": "duration_ms"}',
'False', 'uuid');
"""


class Migration(migrations.Migration):
    dependencies = [("ondemand", "0019_earlier_times")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '10s'", migrations.RunSQL.noop),
        migrations.RunSQL(AUDIT_VIDEOS, migrations.RunSQL.noop),
        migrations.RemoveField(model_name='bulkchange', name='begun_at'),
        migrations.RemoveField(model_name='bulkchange', name='done_at'),
        migrations.RemoveField(model_name='bulkchange', name='undoing_at'),
        migrations.RemoveField(model_name='bulkchange', name='undone_at'),
        migrations.RemoveField(model_name='bulkchangerow', name='after'),
        migrations.RemoveField(model_name='bulkchangerow', name='before'),
        migrations.AddField(
            model_name='bulkchange',
            name='state',
            field=models.TextField(choices=[('draft', 'Draft'), ('running', 'not finished'), ('done', 'done'), ('undoing', 'partly undone'), ('undone', 'undone')], default='draft'),
        ),
        migrations.AlterField(
            model_name='bulkchangerow',
            name='outcome',
            field=models.TextField(choices=[('waiting', 'not done yet'), ('changed', 'changed'), ('same', 'nothing to change'), ('too_many_tags', 'left as they are: they would have too many tags'), ('no_files', 'left as they are: they have no files that can be read'), ('gone', 'left: they are not there any more'), ('undone', 'undone'), ('changed_since', 'left as they are: somebody changed them since'), ('unrecorded', 'left as they are: the audit log has lost what they were before')], default='waiting'),
        ),
        migrations.AlterField(
            model_name='video',
            name='held_by_check',
            field=models.BooleanField(db_column='_held_by_check', db_default=False, default=False, verbose_name='held by the check of its files'),
        ),
        migrations.AlterField(
            model_name='video',
            name='qa_reasons',
            field=models.JSONField(db_column='_qa_reasons', null=True, verbose_name='findings in the files'),
        ),
    ]
