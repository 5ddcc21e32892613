"""The filters of `GET /channels`."""

from channels_app.filters import BooleanFilter, StrictFilterSet, UUIDFilter, WordFilter
from channels_app.livestate import LIVE, OFFLINE
from channels_app.models import ChannelQuerySet


class ChannelFilterSet(StrictFilterSet):
    """By whose they are, by their live state, and by whether they are active."""

    scopes = {"owner": "channels"}

    owner = UUIDFilter()
    state = WordFilter(words=[LIVE, OFFLINE], method="in_state")
    active = BooleanFilter(method="by_active")

    def in_state(self, channels: ChannelQuerySet, name: str, value: str) -> ChannelQuerySet:
        """Live or offline ones."""
        return channels.in_state(value)

    def by_active(self, channels: ChannelQuerySet, name: str, value: bool) -> ChannelQuerySet:
        """Active ones or the others; NULL is not active."""
        return channels.filter(active=True) if value else channels.exclude(active=True)
