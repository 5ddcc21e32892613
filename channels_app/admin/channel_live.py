"""What Amazon IVS says of a channel at this moment: for a script that asks again and again, and as a page."""

from dataclasses import dataclass, field

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels_app import aws
from channels_app.admin.pages import refusal_sentence
from channels_app.control import refusals, refuse_unusable
from channels_app.errors import ServiceError
from channels_app.models import Channel
from channels_app.times import zoned

# In the order in which they stand.
LABELS: dict[str, str | Promise] = {
    "viewers": _("Viewers"),
    "health": _("Health"),
    "since": _("On air since"),
    "stream": _("Stream"),
}
_HEALTH: dict[str, str | Promise] = {
    "HEALTHY": _("healthy"),
    "STARVING": _("starving: the encoder sends too little"),
}


@dataclass(frozen=True)
class Asked:
    """What IVS answered: facts by the names of `LABELS`, none where it has no stream, and a sentence about it."""

    told: str
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> list[tuple[str | Promise, str]]:
        """The facts with their labels."""
        return [(LABELS[name], value) for name, value in self.facts.items()]


def ask(channel: Channel) -> Asked:
    """Ask IVS about the stream of a channel; that it cannot be asked is an answer, too."""
    try:
        refuse_unusable(channel)
        with refusals():
            stream = aws.stream_now(channel_arn=channel.arn)
    except ServiceError as error:
        return Asked(refusal_sentence(error))
    moment = {"moment": zoned(timezone.now())}
    if stream is None:
        return Asked(gettext("Asked at %(moment)s: Amazon IVS has no stream of this channel.") % moment)
    return Asked(gettext("Asked at %(moment)s.") % moment, _facts(stream))


def _facts(stream: aws.StreamNow) -> dict[str, str]:
    return {
        "viewers": gettext("not counted yet") if stream.viewers is None else str(stream.viewers),
        "health": str(_HEALTH.get(stream.health, _("not known yet"))),
        "since": zoned(stream.started_at),
        "stream": stream.stream_id,
    }
