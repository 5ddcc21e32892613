"""Events that were applied before streams had a history come open again, and `process_inbox` fills it of them.

Processing an event again changes nothing else. Locks: rows of the inbox alone.
"""

from django.db import migrations

OPEN_AGAIN = """
UPDATE channels_app_inboxevent SET outcome = 'received'
WHERE outcome = 'applied' AND name IN (
    'Session Created', 'Session Ended', 'Stream Takeover', 'Stream Takeover Failure', 'Stream Failure',
    'Recording Start Failure', 'Recording End Failure', 'Starvation Start', 'Starvation End',
    'Ingest Bitrate', 'Ingest Resolution'
)
"""


class Migration(migrations.Migration):
    dependencies = [("channels_app", "0006_channel_control")]
    operations = [migrations.RunSQL(OPEN_AGAIN, migrations.RunSQL.noop)]
