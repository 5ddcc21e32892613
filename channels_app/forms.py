"""The forms that create a channel and edit one; no model forms, for services write the rows."""

import json
import re
from typing import Any, Self
from uuid import uuid4

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from channels_app.control import EDITABLE, editable_of
from channels_app.idempotency import body_digest
from channels_app.models import Channel, ChannelType, LatencyMode, NewVideoState
from channels_app.services import LONGEST_NAME
from channels_app.times import NOTHING

_CHECKED = {"private", "record", "active"}
_LINE_ENDS = re.compile("[\r\n]")
_WIDE = {"class": "vTextField", "dir": "auto"}
# By the words of Amazon IVS.
_TYPES = [(word, word) for word in ChannelType.values]
_LATENCY_MODES = [(word, word) for word in LatencyMode.values]
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
    "type": _("STANDARD and ADVANCED make several qualities of each stream; BASIC passes on what comes."),
    "latency_mode": _("LOW is for interaction, NORMAL for a stable picture."),
    "private": _(
        "Nobody can play the live stream through this service: Amazon IVS wants a playback token, which must come from"
        " elsewhere. New videos are hidden until somebody shows them, and only curators get their files."
    ),
    "record": _("Each stream is recorded into the catalogue."),
    "active": _("An inactive channel is in no public list."),
}
NEW_VIDEO_STATES: dict[str, Any] = {
    NewVideoState.LISTED: _("Listed: anyone finds them"),
    NewVideoState.UNLISTED: _("Unlisted: whoever has the address plays them"),
    NewVideoState.HIDDEN: _("Hidden until somebody shows them"),
}


class ChannelCreateForm(forms.Form):
    """What `idempotency.channel_create_once` takes: `once` is the same however often one form is sent."""

    name = forms.CharField(label=LABELS["name"], max_length=LONGEST_NAME, widget=forms.TextInput(attrs=_WIDE))
    owner = forms.UUIDField(
        label=_("Owner"),
        widget=forms.TextInput(attrs=_WIDE),
        help_text=_("The uuid of who the channel belongs to. It stands here as yours."),
    )
    channel_type = forms.ChoiceField(
        label=LABELS["type"], choices=_TYPES, initial=ChannelType.STANDARD, help_text=_HELP["type"]
    )
    latency_mode = forms.ChoiceField(
        label=LABELS["latency_mode"],
        choices=_LATENCY_MODES,
        initial=LatencyMode.LOW,
        help_text=_HELP["latency_mode"],
    )
    private = forms.BooleanField(label=LABELS["private"], required=False, help_text=_HELP["private"])
    record = forms.BooleanField(label=LABELS["record"], required=False, initial=True, help_text=_HELP["record"])
    once = forms.UUIDField(required=False, widget=forms.HiddenInput, label="", initial=uuid4)

    @cached_property
    def key(self) -> str:
        """By which the form is known when it comes again; that of a form without one never does."""
        return f"admin:{self.cleaned_data['once'] or uuid4()}"

    @property
    def digest(self) -> str:
        """By which two forms with the same values are known."""
        return body_digest({name: str(value) for name, value in self.arguments().items()})

    def arguments(self) -> dict[str, Any]:
        """The values of the channel."""
        return {name: value for name, value in self.cleaned_data.items() if name != "once"}


class ChannelEditForm(forms.Form):
    """The fields of a channel that `control.channel_edit` changes, and hidden among them what the person was shown.

    A field that stays as it was shown is not checked: old rows may hold anything.
    """

    name = forms.CharField(label=LABELS["name"], required=False, strip=False, widget=forms.TextInput(attrs=_WIDE))
    type = forms.ChoiceField(label=LABELS["type"], required=False, help_text=_HELP["type"])
    latency_mode = forms.ChoiceField(label=LABELS["latency_mode"], required=False, help_text=_HELP["latency_mode"])
    private = forms.BooleanField(label=LABELS["private"], required=False, help_text=_HELP["private"])
    record = forms.BooleanField(label=LABELS["record"], required=False, help_text=_HELP["record"])
    new_video_state = forms.ChoiceField(label=LABELS["new_video_state"], required=False)
    active = forms.BooleanField(label=LABELS["active"], required=False, help_text=_HELP["active"])
    shown = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, channel: Channel) -> None:
        now = editable_of(channel)
        super().__init__(data, initial={**_as_sent(now), "shown": json.dumps(now)})
        self.channel = channel
        as_set = _("As the setting NEW_VIDEO_STATE says: %(state)s; hidden while the channel is private") % {
            "state": NewVideoState(settings.NEW_VIDEO_STATE).label
        }
        self._offer("type", _TYPES)
        self._offer("latency_mode", _LATENCY_MODES)
        self._offer("new_video_state", [("", as_set), *NEW_VIDEO_STATES.items()])

    def _offer(self, name: str, choices: list[Any]) -> None:
        current = self.initial[name]
        known = current in dict(choices)
        self.fields[name].choices = choices if known else [(current, current or NOTHING), *choices]  # type: ignore[attr-defined]

    def clean_shown(self) -> dict[str, Any] | None:
        """What the person was shown; None where it is not what this form sends."""
        try:
            shown = json.loads(self.cleaned_data["shown"])
        except (ValueError, RecursionError):
            return None
        return shown if isinstance(shown, dict) and set(shown) == set(EDITABLE) else None

    def clean(self) -> dict[str, Any]:
        """All values; those that stay as they were shown are taken as they are.

        Raises:
            ValidationError: what was shown is missing.
        """
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
        """What the person was shown."""
        return dict(self.cleaned_data.get("shown") or {})

    def changes(self) -> dict[str, Any]:
        """The values that differ from what the person was shown."""
        was = _as_sent(self.was_shown)
        sent = {name: self.cleaned_data[name] for name in was if name in self.cleaned_data}
        return {name: _as_stored(name, value) for name, value in sent.items() if value != was[name]}

    def rebased(self, channel: Channel) -> Self:
        """The form over the channel as it is now, with the person's own changes kept and all else as it is now."""
        now = editable_of(channel)
        form = type(self)({**_as_sent(now), **_as_sent(self.changes()), "shown": json.dumps(now)}, channel=channel)
        form.is_valid()
        return form


def _as_sent(values: dict[str, Any]) -> dict[str, Any]:
    """The values as a browser sends them: NULL is empty or not checked, and a line of text has no ends of lines."""
    texts = {name: _LINE_ENDS.sub("", str(value or "")) for name, value in values.items()}
    return {name: bool(value) if name in _CHECKED else texts[name] for name, value in values.items()}


def _as_stored(name: str, value: Any) -> Any:
    return None if name == "new_video_state" and value == "" else value
