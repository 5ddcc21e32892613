"""`on_delete` for a foreign key with ON DELETE CASCADE in the database.

Another program can then delete the referenced rows by SQL. Works for keys of new tables (`_create_fk_sql`), not for
`AddField`.

`ivsvod/postgresql/base.py` writes ON DELETE CASCADE for it. Django has this as `DB_CASCADE` from version 6.1.
https://docs.djangoproject.com/en/6.1/ref/models/fields/#django.db.models.DB_CASCADE
"""

from typing import Any

from django.db.models import CASCADE


def cascade_in_database(collector: Any, field: Any, sub_objs: Any, using: str) -> None:
    """Delete as `CASCADE` does."""
    CASCADE(collector, field, sub_objs, using)
