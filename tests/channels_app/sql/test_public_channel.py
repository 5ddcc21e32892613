"""What a public channel is: SQL, which keeps names of other channels out of the search, and Python agree."""

from itertools import product

import pytest
from django.db.models import BooleanField, F, Func

from channels_app.models import Channel
from tests.support.helpers import make_channel

pytestmark = pytest.mark.django_db


def test_sql_and_python_agree_on_public_channels() -> None:
    # A trigger derives what is NULL, `active` apart.
    for active, private, status in product((True, False, None), (True, False), ("ready", "failed")):
        channel = make_channel()
        Channel.objects.filter(pk=channel.pk).update(active=active, private=private, status=status)
    columns = (F(name) for name in ("active", "private", "status"))
    is_public = Func(*columns, function="ivsvod_is_public_channel", output_field=BooleanField())
    found = Channel.objects.alias(is_public=is_public).filter(is_public=True)
    assert set(found) == set(Channel.objects.shown(to_managers=False))
    assert 0 < found.count() < Channel.objects.count()
