"""What the ready groups may do in the admin; takes no lock that anyone waits for.

Going back leaves the groups as they are: people may rely on them. What somebody gave to a group stays.
"""

from channels_app.audit import actor_tell
from django.db import migrations

# Django makes permissions after the last migration; it finds these then, by their codename.
NAMES = {
    ("channels_app", "channel"): "channel",
    ("channels_app", "stream"): "stream",
    ("channels_app", "inboxevent"): "event",
    ("channels_app", "auditentry"): "audit entry",
    ("ondemand", "video"): "video",
    ("ondemand", "content"): "content",
}
SENTENCES = {"reveal_stream_key": "Can reveal the stream key"}
WATCHING = {
    ("ondemand", "video"): ("view",),
    ("ondemand", "content"): ("view",),
    ("channels_app", "channel"): ("view",),
    ("channels_app", "stream"): ("view",),
}
GROUPS = {
    "Viewers": WATCHING,
    "Curators": {
        **WATCHING,
        ("ondemand", "video"): ("view", "change"),
        ("ondemand", "content"): ("view", "add", "change"),
        ("channels_app", "auditentry"): ("view",),
    },
    "Channel managers": {
        **WATCHING,
        ("channels_app", "channel"): ("view", "add", "change", "delete", "reveal_stream_key"),
        ("channels_app", "inboxevent"): ("view", "change"),
        ("channels_app", "auditentry"): ("view",),
    },
}


def give_permissions(apps, schema_editor):
    database = schema_editor.connection.alias
    content_types = apps.get_model("contenttypes", "ContentType").objects.using(database)
    permissions = apps.get_model("auth", "Permission").objects.using(database)
    groups = apps.get_model("auth", "Group").objects.using(database)
    # So that the audit log names the command.
    actor_tell()
    for name, rights in GROUPS.items():
        group, _ = groups.get_or_create(name=name)
        for model, words in rights.items():
            content_type, _ = content_types.get_or_create(app_label=model[0], model=model[1])
            for word in words:
                codename = word if word in SENTENCES else f"{word}_{model[1]}"
                sentence = SENTENCES.get(word, f"Can {word} {NAMES[model]}")
                permission, _ = permissions.get_or_create(
                    content_type=content_type, codename=codename, defaults={"name": sentence}
                )
                group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_second_factor_and_time_zones"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(give_permissions, migrations.RunPython.noop, elidable=False)]
