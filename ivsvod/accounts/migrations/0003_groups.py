"""Make the ready groups, with what each may do in the API and in the admin. Takes no lock that anyone waits for.

Going back leaves the groups as they are: people may rely on them. A permission that was given to a group stays.
"""

from common.audit import set_actor
from django.db import migrations

# Django makes permissions after the last migration; it finds these then, by their codename.
NAMES = {
    ("accounts", "user", "read"): "May read the API",
    ("accounts", "user", "curate"): "May edit, hide and show videos by the API",
    ("accounts", "user", "channels"): "May create and manage channels by the API",
    ("channels_app", "channel", "view_channel"): "Can view channel",
    ("channels_app", "channel", "add_channel"): "Can add channel",
    ("channels_app", "channel", "change_channel"): "Can change channel",
    ("channels_app", "channel", "delete_channel"): "Can delete channel",
    ("channels_app", "channel", "reveal_stream_key"): "Can reveal the stream key",
    ("channels_app", "stream", "view_stream"): "Can view stream",
    ("channels_app", "inboxevent", "view_inboxevent"): "Can view event",
    ("channels_app", "inboxevent", "change_inboxevent"): "Can change event",
    ("channels_app", "auditentry", "view_auditentry"): "Can view audit entry",
    ("ondemand", "video", "view_video"): "Can view video",
    ("ondemand", "video", "change_video"): "Can change video",
    ("ondemand", "content", "view_content"): "Can view content",
    ("ondemand", "playbackgrant", "view_playbackgrant"): "Can view playback grant",
    ("ondemand", "playbackgrant", "change_playbackgrant"): "Can change playback grant",
    ("ondemand", "content", "add_content"): "Can add content",
    ("ondemand", "content", "change_content"): "Can change content",
}
GRANTS = {"view_playbackgrant", "change_playbackgrant"}
VIEWER = {"read", "view_video", "view_content", "view_channel", "view_stream"}
GROUPS = {
    "Viewers": VIEWER,
    "Curators": VIEWER | {"curate", "change_video", "add_content", "change_content", "view_auditentry"}
    | GRANTS,
    "Channel managers": VIEWER
    | {"channels", "add_channel", "change_channel", "delete_channel", "reveal_stream_key"}
    | {"view_inboxevent", "change_inboxevent", "view_auditentry"}
    | GRANTS,
}


def make_groups(apps, schema_editor):
    database = schema_editor.connection.alias
    content_types = apps.get_model("contenttypes", "ContentType").objects.using(database)
    permissions = apps.get_model("auth", "Permission").objects.using(database)
    groups = apps.get_model("auth", "Group").objects.using(database)
    # So that the audit log names the command.
    set_actor()
    made = {}
    for (app, model, codename), name in NAMES.items():
        content_type, _ = content_types.get_or_create(app_label=app, model=model)
        made[codename], _ = permissions.get_or_create(
            content_type=content_type, codename=codename, defaults={"name": name}
        )
    for name, codenames in GROUPS.items():
        group, _ = groups.get_or_create(name=name)
        group.permissions.add(*(made[codename] for codename in sorted(codenames)))


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_audit"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop, elidable=False)]
