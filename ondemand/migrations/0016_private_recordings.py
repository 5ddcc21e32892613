"""New recordings of private channels are hidden until staff decide, those that the predecessor writes too.

Changes no row: what anyone can open today stays so, and stands under "Needs attention". Locks: a function alone.
"""

from django.db import migrations

from ondemand import derivation


class Migration(migrations.Migration):
    dependencies = [("ondemand", "0015_words")]
    operations = [migrations.RunSQL(derivation.PRIVATE_RECORDINGS, derivation.AWAITING_REVIEW)]
