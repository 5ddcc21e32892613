"""The filters of `GET /channels`."""

from channels_app.models import ChannelQuerySet
from channels_app.models.live_state import LIVE, OFFLINE
from ivsvod.rest.filters import BooleanFilter, ChoiceFilter, StrictFilterSet, UUIDFilter


class ChannelFilterSet(StrictFilterSet):
    """Filter channels by owner, live state, and whether they are active."""

    scopes = {"owner": "channels"}

    owner = UUIDFilter()
    state = ChoiceFilter(choices=[LIVE, OFFLINE], method="in_state")
    active = BooleanFilter(method="by_active")

    def in_state(self, channels: ChannelQuerySet, name: str, value: str) -> ChannelQuerySet:
        return channels.in_state(value)

    def by_active(self, channels: ChannelQuerySet, name: str, value: bool) -> ChannelQuerySet:
        # NULL is not active.
        return channels.filter(active=True) if value else channels.exclude(active=True)
