"""Times of videos that every client can read, one lock for inserts, and triggers that run as their owner.

Locks: `on_demand_videos` against writes for an instant (a trigger); functions.
"""

from django.db import migrations

from channels_app.derivation import pinned
from ondemand import derivation

# The functions themselves stand in earlier migrations too; a database that has these already is brought up to date.
FUNCTIONS = derivation.DERIVE_VIDEO + pinned(
    "ivsvod_derive_video", "ivsvod_derive_content", "ivsvod_publish_video", "ivsvod_know_tags"
)
FUNCTIONS += "DROP FUNCTION IF EXISTS ivsvod_place_lock(text, text);"


class Migration(migrations.Migration):
    dependencies = [("ondemand", "0017_removed_recordings"), ("channels_app", "0018_rights_and_audited_columns")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '10s'", migrations.RunSQL.noop),
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
        migrations.RunSQL(derivation.KEEP_TIMES, derivation.LEAVE_TIMES),
    ]
