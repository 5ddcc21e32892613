"""Which videos are kept back because they are new, until somebody says who may find them.

Held ones wait already. What was made hidden or unlisted before cannot be told from what staff chose, and waits for nobody.
Locks: `on_demand_videos` exclusively for an instant (a column with a constant default rewrites no row); a function.
"""

from django.db import migrations, models

from ondemand import derivation


class Migration(migrations.Migration):
    dependencies = [("ondemand", "0009_audit")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '10s'", migrations.RunSQL.noop),
        migrations.AddField('video', 'awaits_review', models.BooleanField(db_column='_awaits_review', db_default=False, default=False)),
        migrations.RunSQL(derivation.AWAITING_REVIEW, derivation.AWAITING_NOTHING),
    ]
