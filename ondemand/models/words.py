"""The words of the catalogue, from which a search that finds nothing takes a near miss."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Func, Value


def _forms(word: F | Value) -> Func:
    return Func(word, function="ivsvod_word_forms", output_field=ArrayField(models.TextField()))


class SearchWordQuerySet(models.QuerySet["SearchWord"]):
    """Reads of words."""

    def near(self, word: str) -> Self:
        """Return the words that differ in about one letter: another one, one too many or too few, or two swapped."""
        return self.alias(forms=_forms(F("word"))).filter(forms__overlap=_forms(Value(word)))


class SearchWord(models.Model):
    """A word of a title, a tag or the name of a channel of a listed video, as it is written, in small letters.

    `add_words.sql` adds them. A word stays after its videos are hidden, so it is shown only if
    a search finds it now.
    """

    word = models.TextField(primary_key=True)

    objects = SearchWordQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        # Without a list of new rows, which each read would look through.
        indexes = [GinIndex(_forms(F("word")), name="search_word_forms", fastupdate=False)]

    def __str__(self) -> str:
        return self.word
