"""The form that creates a channel."""

from typing import Any

from django import forms

from channels_app.models import ChannelType, LatencyMode
from channels_app.services import LONGEST_NAME


class ChannelCreateForm(forms.Form):
    """What `services.channel_create` takes; no model form, for the row is not saved by the admin."""

    name = forms.CharField(max_length=LONGEST_NAME, widget=forms.TextInput(attrs={"class": "vTextField"}))
    owner = forms.UUIDField(
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text="The uuid of who the channel belongs to. It stands here as yours.",
    )
    channel_type = forms.ChoiceField(label="Type", choices=ChannelType.choices, initial=ChannelType.STANDARD)
    latency_mode = forms.ChoiceField(choices=LatencyMode.choices, initial=LatencyMode.LOW)
    private = forms.BooleanField(required=False, help_text="Viewers need a grant to play the live stream.")
    record = forms.BooleanField(required=False, initial=True, help_text="Each stream is recorded into the catalogue.")

    def arguments(self) -> dict[str, Any]:
        """The arguments of `services.channel_create`."""
        return dict(self.cleaned_data)
