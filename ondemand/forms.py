"""The form in which people write about a video."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.core.validators import MaxLengthValidator

from ondemand import limits
from ondemand.models import Content


class StoredTextField(forms.CharField):
    """A text that counts as changed only when a person changed it: browsers send line ends in another form."""

    def to_python(self, value: Any) -> str:
        """The text with the line ends that the API's clients use."""
        return re.sub(r"\r\n?", "\n", super().to_python(value) or "")

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare what both mean."""
        return self.to_python(initial) != self.to_python(data)


class OneLineField(StoredTextField):
    """A text of one line; stored line ends are shown as spaces, for a browser would drop them."""

    widget = AdminTextInputWidget

    def prepare_value(self, value: Any) -> Any:
        """The text on one line."""
        return " ".join(value.splitlines()) if isinstance(value, str) else value

    def to_python(self, value: Any) -> str:
        """The text on one line."""
        return self.prepare_value(super().to_python(value))


class TagsField(forms.CharField):
    """Tags, one a line; NULL and empty ones in the row are not shown."""

    def prepare_value(self, value: Any) -> Any:
        """One tag a line."""
        return "\n".join(_one_lined(value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        """The tags in their order, each once."""
        lines = value.splitlines() if isinstance(value, str) else value or []
        return list(dict.fromkeys(_one_lined(lines)))

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare the lists."""
        return self.to_python(initial) != self.to_python(data)


class ContentForm(forms.ModelForm):
    """The content of a video; it is written by `services.video_update`, not by this form."""

    title = OneLineField(required=False)
    description = StoredTextField(required=False, widget=AdminTextareaWidget(attrs={"rows": 5}))
    tags = TagsField(required=False, widget=AdminTextareaWidget(attrs={"rows": 4}), help_text="One a line.")
    thumbnail = OneLineField(
        required=False,
        help_text="The https URL of a picture. Empty: one of those that Amazon IVS made.",
    )

    class Meta:
        model = Content
        fields = ("title", "description", "tags", "thumbnail")

    def clean_title(self) -> str:
        """Of limited length, as the other fields are; what is stored already stays until it is edited."""
        return self._checked("title", MaxLengthValidator(limits.TITLE_LENGTH))

    def clean_description(self) -> str:
        """Of limited length."""
        return self._checked("description", MaxLengthValidator(limits.DESCRIPTION_LENGTH))

    def clean_tags(self) -> list[str]:
        """Not too many, and none too long."""
        return self._checked("tags", _check_tags)

    def clean_thumbnail(self) -> str:
        """Empty, an https URL, or a picture of this recording."""
        if "thumbnail" not in self.changed_data:
            return self.cleaned_data["thumbnail"]
        try:
            return limits.thumbnail_address(self.cleaned_data["thumbnail"], self.instance.video.pictures)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def _checked(self, name: str, check: Callable[[Any], None]) -> Any:
        if name in self.changed_data:
            check(self.cleaned_data[name])
        return self.cleaned_data[name]

    def changes(self) -> dict[str, Any]:
        """What the service is to write: the fields that differ from what the row holds."""
        return {name: self.cleaned_data[name] for name in self.changed_data}


def _check_tags(tags: list[str]) -> None:
    if len(tags) > limits.MOST_TAGS:
        raise forms.ValidationError(f"More than {limits.MOST_TAGS} tags.")
    if any(len(tag) > limits.TAG_LENGTH for tag in tags):
        raise forms.ValidationError(f"A tag has more than {limits.TAG_LENGTH} characters.")


def _one_lined(tags: Iterable[Any]) -> list[str]:
    texts = (" ".join(str(tag).split()) for tag in tags if tag)
    return [text for text in texts if text]
