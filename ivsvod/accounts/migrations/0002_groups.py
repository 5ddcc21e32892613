"""The ready groups, with the scopes of the API; takes no lock that anyone waits for.

Going back leaves the groups: people may be in them.
"""

from django.db import migrations

SCOPES = {
    "read": "May read the API",
    "curate": "May edit, hide and show videos by the API",
    "channels": "May create and manage channels by the API",
}
GROUPS = {
    "Curators": ("read", "curate"),
    "Channel managers": ("read", "channels"),
    "Viewers": ("read",),
}


def make_groups(apps, schema_editor):
    database = schema_editor.connection.alias
    content_types = apps.get_model("contenttypes", "ContentType").objects.using(database)
    permissions = apps.get_model("auth", "Permission").objects.using(database)
    groups = apps.get_model("auth", "Group").objects.using(database)
    # Django makes the permissions after the last migration; it finds these then.
    user_type, _ = content_types.get_or_create(app_label="accounts", model="user")
    for name, scopes in GROUPS.items():
        group, _ = groups.get_or_create(name=name)
        for scope in scopes:
            permission, _ = permissions.get_or_create(
                content_type=user_type, codename=scope, defaults={"name": SCOPES[scope]}
            )
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop, elidable=False)]
