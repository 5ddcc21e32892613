"""The filters of `GET /channels`."""

from channels_app.models import ChannelQuerySet
from channels_app.models.live_state import LIVE, OFFLINE
from common.rest.filters import BooleanFilter, ChoiceFilter, StrictFilterSet, UUIDFilter


class ChannelFilterSet(StrictFilterSet):
    """Filter channels by owner, live state, and whether they are active."""

    owner = UUIDFilter(scope="channels", help_text="Of this owner; needs the scope `channels`.")
    state = ChoiceFilter(
        choices=[LIVE, OFFLINE],
        method=lambda channels, _, state: channels.in_state(state),
        help_text="Channels that are live, or offline.",
    )
    active = BooleanFilter(
        method=lambda channels, _, active: by_active(channels, is_active=active),
        help_text="`true`: active channels; `false`: the others, which need the scope `channels`.",
    )


def by_active(channels: ChannelQuerySet, *, is_active: bool) -> ChannelQuerySet:
    """Return the active channels, or the others; NULL is not active."""
    return channels.filter(active=True) if is_active else channels.exclude(active=True)
