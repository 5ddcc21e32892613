"""The form in which people write about a video, and decide who finds it."""

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any, cast

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import MaxLengthValidator, ProhibitNullCharactersValidator
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels_app.times import zone_named
from ondemand import limits, uploads
from ondemand.editing import (
    CONTENT,
    HIDDEN,
    PUBLICATION,
    SHOWN,
    UNDECIDED,
    VideoChangedError,
    awaits_decision,
    edited_values,
    offered_title,
    one_line,
    plain_text,
    tags_of,
    version_text,
    versions_from,
    versions_of,
)
from ondemand.models import Video

FIRST_YEAR, LAST_YEAR = 1900, 9000
# The choice of the file that is sent along.
UPLOAD = "upload"


class PlainTextField(forms.CharField):
    """A text of several lines."""

    def to_python(self, value: Any) -> str:
        """The text with line ends of one form."""
        return plain_text(super().to_python(value) or "")


class OneLineField(forms.CharField):
    """A text of one line."""

    widget = AdminTextInputWidget

    def to_python(self, value: Any) -> str:
        """The text on one line."""
        return one_line(super().to_python(value) or "")


class TagsField(forms.CharField):
    """Tags, one a line."""

    def prepare_value(self, value: Any) -> Any:
        """One tag a line."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        """The tags in their order, each once."""
        text = super().to_python(value) or ""
        # The library's validator would look for it in the list.
        ProhibitNullCharactersValidator()(text)
        return tags_of(text.splitlines())


class MomentField(forms.DateTimeField):
    """A moment as the clock of the reader shows it. `stored` stays what it is while its text does."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"})
    default_error_messages = {"range": _("Not a time from the year 1900 to 9000.")}
    stored: datetime | None = None

    def prepare_value(self, value: Any) -> Any:
        """The text of browsers, which have no zone in it."""
        return _on_the_clock(value).isoformat() if isinstance(value, datetime) else value

    def to_python(self, value: Any) -> datetime | None:
        """The moment. A time that the clock shows twice, or never, is refused unless it was there before."""
        if self.stored and _parsed(value) == _on_the_clock(self.stored):
            return self.stored
        moment = super().to_python(value)
        if moment and not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise forms.ValidationError(self.error_messages["range"], code="range")
        return moment


def zone_shown(data: Mapping[str, Any]) -> tzinfo:
    """The zone in which the page that sends a form showed its times: the reader may have chosen another since."""
    return zone_named(str(data.get("zone", ""))) or timezone.get_current_timezone()


class PictureField(forms.FileField):
    """A picture that somebody gives; its value are the bytes that are kept of it."""

    widget = forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"})

    def clean(self, data: Any, initial: Any = None) -> bytes | None:
        """What is kept; None where no file was sent."""
        file = super().clean(data, initial)
        if not file:
            return None
        if file.size > uploads.LARGEST_FILE:
            most = uploads.LARGEST_FILE // (1024 * 1024)
            raise forms.ValidationError(gettext("The file has more than {most} MB.").format(most=most))
        try:
            return uploads.picture_normalised(file.file)
        except uploads.PictureError as error:
            raise forms.ValidationError(str(error)) from None


class VideoForm(forms.Form):
    """All that is edited of a video, as far as somebody may: `names`. It is written by `services.video_update`.

    Limits hold for what is changed alone; what is stored already may be older than they are.
    """

    title = OneLineField(label=_("Title"), required=False)
    description = PlainTextField(
        label=_("Description"), required=False, widget=AdminTextareaWidget(attrs={"rows": 5, "dir": "auto"})
    )
    tags = TagsField(label=_("Tags"), required=False, help_text=_("One a line."))
    thumbnail = OneLineField(label=_("Picture"), required=False)
    picture = PictureField(
        label=_("Upload a picture"), required=False, help_text=_("JPEG, PNG or WebP, at most 10 MB.")
    )
    address = OneLineField(label=_("The https address of a picture"), required=False)
    shown = forms.ChoiceField(label=_("Shown"), required=False, widget=forms.RadioSelect)
    visibility = forms.ChoiceField(label=_("Who finds it"), required=False, widget=forms.RadioSelect)
    publish_from = MomentField(label=_("Publish from"), required=False)
    publish_until = MomentField(label=_("Publish until"), required=False)
    version = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: QueryDict | None = None,
        files: MultiValueDict[str, UploadedFile] | None = None,
        *,
        video: Video,
        names: tuple[str, ...],
    ) -> None:
        self.video = video
        self.names = names
        self.values = edited_values(video)
        self.versions = versions_of(self.values, names)
        initial = {**self.values, "version": version_text(self.versions)}
        super().__init__(data, files, initial=initial, label_suffix="")
        self._fit()

    def _fit(self) -> None:
        parts = {"thumbnail": ("picture", "address")}
        kept = {"version", *self.names, *(part for name in self.names for part in parts.get(name, ()))}
        for name in set(self.fields) - kept:
            del self.fields[name]
        choices = publication_choices(self.video, self.values)
        for name in choices.keys() & kept:
            self.fields[name].choices = choices[name]  # type: ignore[attr-defined]
        for name in {"publish_from", "publish_until"} & kept:
            self.fields[name].stored = self.values[name]  # type: ignore[attr-defined]
        if "tags" in kept:
            self.fields["tags"].widget = AdminTextareaWidget(attrs=tags_attributes())
        if "title" in kept:
            offered = "" if self.values["title"] else offered_title(self.video)
            self.fields["title"].widget.attrs |= {"dir": "auto", "placeholder": offered}

    def clean_title(self) -> str:
        """Of limited length, as the other texts are."""
        return self._checked("title", MaxLengthValidator(limits.TITLE_LENGTH))

    def clean_description(self) -> str:
        """Of limited length."""
        return self._checked("description", MaxLengthValidator(limits.DESCRIPTION_LENGTH))

    def clean_tags(self) -> list[str]:
        """Not too many, and none too long."""
        return self._checked("tags", check_tags)

    def clean_thumbnail(self) -> str:
        """Empty, or one of the pictures that are offered; the file that is sent along is a choice of its own."""
        chosen: str = self.cleaned_data["thumbnail"]
        if chosen != UPLOAD:
            return self._picture_url(chosen)
        if "picture" not in self.files:
            raise forms.ValidationError(gettext("Choose the file again, or another picture."))
        return self.values["thumbnail"]

    def clean_address(self) -> str:
        """Empty, or an https URL."""
        return self._picture_url(self.cleaned_data["address"])

    def clean_shown(self) -> str:
        """What nobody chose stays."""
        return self.cleaned_data["shown"] or self.values["shown"]

    def clean_visibility(self) -> str:
        """What nobody chose stays."""
        return self.cleaned_data["visibility"] or self.values["visibility"]

    def clean(self) -> dict[str, Any]:
        """A file or an address that was given is what was meant, whichever picture is chosen beside it."""
        values = self.cleaned_data
        if values.get("address") and not values.get("picture"):
            values["thumbnail"] = values["address"]
        is_inverted = limits.is_inverted_window(values.get("publish_from"), values.get("publish_until"))
        if is_inverted and {"publish_from", "publish_until"} & self.changes().keys():
            self.add_error("publish_until", gettext("Publication must end after it begins."))
        if values.get("shown") == UNDECIDED and awaits_decision(self.video):
            for name in {"publish_from", "publish_until"} & self.changes().keys():
                if values[name]:
                    self.add_error(name, gettext("Choose Shown, or this date has no effect."))
        return values

    def use_picture(self, url: str) -> None:
        """The file that was sent along is kept at this URL: it is chosen, now and if the page is shown again."""
        self.cleaned_data["thumbnail"] = url
        data = self.sent()
        data["thumbnail"] = url
        self.data = data
        self.errors.pop("thumbnail", None)

    def sent(self) -> QueryDict:
        """What was sent, as a copy that can be written."""
        return cast("QueryDict", self.data).copy()

    @property
    def chosen_picture(self) -> str:
        """The picture that the page shows as chosen: a URL, a path, or empty. A file that was not kept is none."""
        chosen = self["thumbnail"].value() if "thumbnail" in self.fields else UPLOAD
        return self.values["thumbnail"] if chosen == UPLOAD else chosen or ""

    def changes(self) -> dict[str, Any]:
        """The values that differ from what the row holds."""
        given = {name: self.cleaned_data[name] for name in self.names if name in self.cleaned_data}
        return {
            name: given[name] for name, version in versions_of(given, given).items() if version != self.versions[name]
        }

    def written(self) -> dict[str, Any]:
        """The changes as `services.video_update` takes them."""
        values = self.changes()
        return {**values, **({"active": values["shown"] == SHOWN} if "shown" in values else {})}

    def check(self, video: Video) -> None:
        """Refuse to write over what somebody else wrote after the page was shown.

        Raises:
            VideoChangedError: somebody did.
        """
        if versions_of(edited_values(video), self.names) != self.seen:
            raise VideoChangedError(video)

    @property
    def seen(self) -> dict[str, str]:
        """The versions of what the page showed."""
        return versions_from(self.cleaned_data.get("version") or "")

    def _checked(self, name: str, check: Callable[[Any], None]) -> Any:
        value = self.cleaned_data[name]
        if value != self.values[name]:
            check(value)
        return value

    def _picture_url(self, text: str) -> str:
        if text == self.values["thumbnail"] or uploads.is_stored_picture(text):
            return text
        try:
            return limits.thumbnail_address(text, self.video.pictures)
        except ValueError:
            raise forms.ValidationError(gettext("Neither an https URL nor a picture of this recording.")) from None


def editable_names(video: Video, *, may_content: bool, may_publish: bool) -> tuple[str, ...]:
    """Return what somebody with these rights edits; of a recording that failed there is nothing to publish."""
    is_publishable = may_publish and video.status != Video.Status.FAILED
    return (*(CONTENT if may_content else ()), *(PUBLICATION if is_publishable else ()))


def publication_choices(video: Video, values: Mapping[str, Any]) -> dict[str, list[tuple[str, Any]]]:
    """What can be decided; that nothing was is no decision, and offered only until one is made."""
    later = video.status != Video.Status.AVAILABLE
    choices: dict[str, list[tuple[str, Any]]] = {
        "shown": [(SHOWN, _("Shown when its recording ends") if later else _("Shown")), (HIDDEN, _("Hidden"))],
        "visibility": [
            (Video.Visibility.PUBLIC.value, _("Everybody")),
            (Video.Visibility.UNLISTED.value, _("Only who has its address")),
        ],
    }
    undecided = {"shown": _("Not decided yet"), "visibility": _("As its channel says")}
    for name in undecided:
        if values.get(name) == UNDECIDED:
            choices[name].append((UNDECIDED, undecided[name]))
    return choices


def tags_attributes() -> dict[str, Any]:
    """Of a box for tags, one a line: what the script needs that makes more of it."""
    return {
        "rows": 4,
        "dir": "auto",
        "data-tags": "",
        "data-tags-address": reverse("admin:ondemand_video_tags_complete"),
        "data-tags-add": _("Add a tag"),
        "data-tags-remove": _("Remove {tag}"),
        "data-tags-found": _("{count} tags found"),
    }


def check_tags(tags: list[str]) -> None:
    """Refuse tags that are too many, or too long.

    Raises:
        ValidationError: they are.
    """
    if len(tags) > limits.MOST_TAGS:
        raise forms.ValidationError(gettext("More than {most} tags.").format(most=limits.MOST_TAGS))
    if any(len(tag) > limits.TAG_LENGTH for tag in tags):
        raise forms.ValidationError(gettext("A tag has more than {most} characters.").format(most=limits.TAG_LENGTH))


def _on_the_clock(moment: datetime) -> datetime:
    return timezone.localtime(moment).replace(tzinfo=None, microsecond=0)


def _parsed(value: Any) -> datetime | None:
    try:
        return parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        return None
