"""Forms that create and edit a channel; they are no model forms, because services write the rows."""

import json
import re
from typing import Any, Self
from uuid import uuid4

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from channels_app.channels.idempotency import body_digest
from channels_app.channels.provisioning import LONGEST_NAME
from channels_app.models import Channel, ChannelType, LatencyMode, NewVideoState
from common.rest.times import NOTHING

_LINE_ENDS = re.compile("[\r\n]")
_WIDE = {"class": "vTextField", "dir": "auto"}
# Named as in Amazon IVS.
_TYPES = [(value, value) for value in ChannelType.values]
_LATENCY_MODES = [(value, value) for value in LatencyMode.values]
LABELS = {
    "name": _("Name"),
    "type": _("Type"),
    "latency_mode": _("Latency mode"),
    "private": _("Private"),
    "record": _("Record"),
    "new_video_state": _("New videos"),
    "active": _("Active"),
}
_HELP = {
    "type": _("STANDARD and ADVANCED transcode each stream to several qualities; BASIC passes it on unchanged."),
    "latency_mode": _("LOW suits interaction, NORMAL a stable picture."),
    "private": _(
        "The live stream plays with a grant alone, for which the service needs a key (IVS_PLAYBACK_PRIVATE_KEY)."
        " New recordings are hidden until a curator shows them, and are played with a grant alone."
    ),
    "record": _("Each stream is recorded into the catalogue."),
    "active": _("No public list shows an inactive channel."),
    "new_video_state": _("Default: the setting NEW_VIDEO_STATE, or hidden while the channel is private."),
}
NEW_VIDEO_STATES: dict[str, Any] = {
    NewVideoState.LISTED: _("Listed: anyone finds them"),
    NewVideoState.UNLISTED: _("Unlisted: anyone with the address plays them"),
    NewVideoState.HIDDEN: _("Hidden until a curator shows them"),
}


def _field(name: str, kind: type[forms.Field], **options: Any) -> Any:
    return kind(label=LABELS[name], help_text=_HELP.get(name, ""), **{"required": False, **options})


class ChannelCreateForm(forms.Form):
    """The values of a new channel; `once` stays the same each time one form is sent."""

    name = _field("name", forms.CharField, required=True, max_length=LONGEST_NAME, widget=forms.TextInput(attrs=_WIDE))
    owner = forms.UUIDField(
        label=_("Owner"),
        widget=forms.TextInput(attrs=_WIDE),
        help_text=_("The uuid of the owner of the channel, at first your own."),
    )
    channel_type = _field("type", forms.ChoiceField, required=True, choices=_TYPES, initial=ChannelType.STANDARD)
    latency_mode = _field(
        "latency_mode", forms.ChoiceField, required=True, choices=_LATENCY_MODES, initial=LatencyMode.LOW
    )
    private = _field("private", forms.BooleanField)
    record = _field("record", forms.BooleanField, initial=True)
    once = forms.UUIDField(required=False, widget=forms.HiddenInput, label="", initial=uuid4)

    def creation(self) -> dict[str, Any]:
        """Return the arguments of `channel_create_once`; the idempotency key is a new one if `once` is missing."""
        values = {name: value for name, value in self.cleaned_data.items() if name != "once"}
        digest = body_digest({name: str(value) for name, value in values.items()})
        return {"key": f"admin:{self.cleaned_data['once'] or uuid4()}", "digest": digest, "values": values}


class ChannelEditForm(forms.Form):
    """The fields of a channel that `control.channel_edit` changes; the hidden `shown` holds the values of the page.

    A field that keeps its shown value is not validated: old rows may hold anything.
    """

    name = _field("name", forms.CharField, strip=False, widget=forms.TextInput(attrs=_WIDE))
    type = _field("type", forms.ChoiceField)
    latency_mode = _field("latency_mode", forms.ChoiceField)
    private = _field("private", forms.BooleanField)
    record = _field("record", forms.BooleanField)
    new_video_state = _field("new_video_state", forms.ChoiceField)
    active = _field("active", forms.BooleanField)
    shown = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, channel: Channel) -> None:
        now = editable_of(channel)
        super().__init__(data, initial={**_as_sent(now), "shown": json.dumps(now)})
        self.channel = channel
        by_setting = _("Default: %(state)s") % {"state": NewVideoState(settings.NEW_VIDEO_STATE).label}
        offered: dict[str, list[Any]] = {
            "type": _TYPES,
            "latency_mode": _LATENCY_MODES,
            "new_video_state": [("", by_setting), *NEW_VIDEO_STATES.items()],
        }
        for name, choices in offered.items():
            current = self.initial[name]
            unknown = [] if current in dict(choices) else [(current, current or NOTHING)]
            self.fields[name].choices = [*unknown, *choices]  # type: ignore[attr-defined]

    def clean_shown(self) -> dict[str, Any] | None:
        """Return the values that the page showed, or None if this form did not send them."""
        try:
            shown = json.loads(self.cleaned_data["shown"])
        except (ValueError, RecursionError):
            return None
        return shown if isinstance(shown, dict) and shown.keys() == editable_of(self.channel).keys() else None

    def clean(self) -> dict[str, Any]:
        """Validate the values that differ from those shown, which must not be missing."""
        if self.cleaned_data.get("shown") is None:
            raise ValidationError(_("The form is incomplete: load the page again."))
        changes = self.changes()
        if len(changes.get("name", "")) > LONGEST_NAME:
            self.add_error("name", _("At most %(most)d characters.") % {"most": LONGEST_NAME})
        for name in ("type", "latency_mode"):
            if changes.get(name) == "":
                self.add_error(name, _("This field is required."))
        return self.cleaned_data

    @property
    def was_shown(self) -> dict[str, Any]:
        return dict(self.cleaned_data.get("shown") or {})

    def changes(self) -> dict[str, Any]:
        """Return the values that differ from those shown."""
        before = _as_sent(self.was_shown)
        changed = {name: value for name, value in self.cleaned_data.items() if name in before and value != before[name]}
        return {name: None if (name, value) == ("new_video_state", "") else value for name, value in changed.items()}

    def rebased(self, channel: Channel) -> Self:
        """Return the form over the current row: the person's changes stay, every other value is the current one."""
        now = editable_of(channel)
        form = type(self)({**_as_sent(now), **_as_sent(self.changes()), "shown": json.dumps(now)}, channel=channel)
        form.is_valid()
        return form


def editable_of(channel: Channel) -> dict[str, Any]:
    """Return the fields that staff edit, with their values."""
    return {name: getattr(channel, name) for name in ChannelEditForm.base_fields if name != "shown"}


def _as_sent(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values as a browser sends them: NULL as empty or unchecked, and text without line ends."""
    checkboxes = {"private", "record", "active"}
    return {
        name: bool(value) if name in checkboxes else _LINE_ENDS.sub("", str(value or ""))
        for name, value in values.items()
    }
