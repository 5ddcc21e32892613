"""Events that `reconcile` makes, one merge of what is heard of a stream, and indexes of the inbox.

Locks: the inbox while its two small partial indexes are built; then the table of streams for an instant (columns with
a constant default, and functions).
"""

from channels_app import derivation
from django.db import migrations, models

COLUMNS = """
SET LOCAL lock_timeout = '10s';
ALTER TABLE channels_app_stream
    ADD COLUMN start_reconciled boolean NOT NULL DEFAULT false,
    ADD COLUMN end_reconciled boolean NOT NULL DEFAULT false;
"""
DROP_COLUMNS = "ALTER TABLE channels_app_stream DROP COLUMN start_reconciled, DROP COLUMN end_reconciled"


class Migration(migrations.Migration):
    dependencies = [("channels_app", "0007_history_of_stored_events")]
    operations = [
        # The inbox first: while its indexes are built, the predecessor writes streams.
        migrations.RemoveIndex("inboxevent", "inbox_open"),
        migrations.AddIndex(
            "inboxevent",
            models.Index(
                fields=["attempts", "id"],
                name="inbox_open",
                condition=models.Q(("outcome__in", ["received", "parked", "deferred", "failed"])),
            ),
        ),
        migrations.AddIndex(
            "inboxevent",
            models.Index(
                fields=["received_at", "id"],
                name="inbox_prunable",
                condition=models.Q(("outcome__in", ["applied", "ignored", "refused", "parked"])),
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(COLUMNS, DROP_COLUMNS),
                migrations.RunSQL(derivation.HEARING, derivation.DROP_HEARING),
            ],
            state_operations=[
                migrations.AddField("stream", "start_reconciled", models.BooleanField(default=False)),
                migrations.AddField("stream", "end_reconciled", models.BooleanField(default=False)),
            ],
        ),
    ]
