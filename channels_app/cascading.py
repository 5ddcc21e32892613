"""A foreign key whose rows the database deletes too, so that another program can delete by SQL what they refer to.

`ivsvod/postgresql/base.py` writes ON DELETE CASCADE for it. Django has this as `DB_CASCADE` from version 6.1.
https://docs.djangoproject.com/en/6.1/ref/models/fields/#django.db.models.DB_CASCADE
"""

from typing import Any

from django.db.models import CASCADE


def cascade_in_database(collector: Any, field: Any, sub_objs: Any, using: str) -> None:
    """Delete as `CASCADE` does; for `on_delete`."""
    CASCADE(collector, field, sub_objs, using)
