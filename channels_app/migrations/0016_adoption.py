"""When the tables of the predecessor were adopted. It locks nothing: the table is new, and the others are only read."""

from django.db import migrations, models

# A database that has stored events is in use already: its rows are those of this service.
NOTE_ADOPTION = """
DO $$
DECLARE
    has_rows boolean := EXISTS (SELECT FROM ivs_channels) OR EXISTS (SELECT FROM ivs_state_changes);
BEGIN
    IF NOT has_rows AND to_regclass('on_demand_videos') IS NOT NULL THEN
        has_rows := EXISTS (SELECT FROM on_demand_videos);
    END IF;
    IF has_rows AND NOT EXISTS (SELECT FROM channels_app_inboxevent) THEN
        INSERT INTO channels_app_adoption (id, adopted_at) VALUES (1, now());
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("channels_app", "0015_words")]
    operations = [
        migrations.CreateModel(
            name="Adoption",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("adopted_at", models.DateTimeField()),
                ("repairs_enabled_at", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": (),
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="one_adoption")],
            },
        ),
        migrations.RunSQL(NOTE_ADOPTION, migrations.RunSQL.noop),
    ]
