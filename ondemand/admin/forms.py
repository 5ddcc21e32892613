"""The form of a video: its content and its publication."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta, tzinfo
from typing import Any, NoReturn, cast

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.core.validators import MaxLengthValidator, ProhibitNullCharactersValidator
from django.forms import BoundField
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.rest.times import NOTHING, clock, is_readable, zone_named, zoned
from ondemand.models import Video
from ondemand.models.chapters import MOST_CHAPTERS, TITLE_LENGTH, Chapter, end_of, last_fits, position
from ondemand.videos import form_values, limits, uploads
from ondemand.videos.chapters import chapter_from, chapter_lines
from ondemand.videos.form_values import HIDDEN, PUBLICATION, SHOWN, UNDECIDED, VideoChangedError, versions_of
from ondemand.videos.titles import suggested_title

# The thumbnail choice of an uploaded file.
UPLOAD = "upload"


class PlainTextField(forms.CharField):
    """A text of several lines; its line ends become `\\n`."""

    def to_python(self, value: Any) -> str:
        return form_values.plain_text(super().to_python(value) or "")


class OneLineField(forms.CharField):
    """A text of one line; line ends become spaces."""

    widget = AdminTextInputWidget

    def to_python(self, value: Any) -> str:
        return form_values.one_line(super().to_python(value) or "")


class TagsWidget(AdminTextareaWidget):
    """A textarea with the texts and the address that `tags.js` uses."""

    def build_attrs(self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None) -> dict[str, Any]:
        return {
            **super().build_attrs(base_attrs, extra_attrs),
            "rows": 4,
            "dir": "auto",
            "data-tags": "",
            "data-tags-address": reverse("admin:ondemand_video_tags_complete"),
            "data-tags-add": _("Add a tag"),
            "data-tags-remove": _("Remove {tag}"),
            "data-tags-found": _("{count} tags found"),
        }


class TagsField(forms.CharField):
    """Tags, one a line; the value is a list without duplicates."""

    widget = TagsWidget

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        text = super().to_python(value) or ""
        # CharField's own validator would look for a NUL item in the list.
        ProhibitNullCharactersValidator()(text)
        return form_values.tags_of(text.splitlines())


class ChaptersField(forms.CharField):
    """Chapters, one a line, in any order; the value is a list in rising order."""

    widget = AdminTextareaWidget(attrs={"rows": 4, "dir": "auto", "spellcheck": "true"})
    default_error_messages = {
        "line": _("Line {number} is not a time and a title, as in “0:01:30 Opening”."),
        "title": _("Line {number} has a title of more than {most} characters."),
        "many": _("More than {most} chapters."),
        "twice": _("Two chapters begin at {time}."),
    }

    def prepare_value(self, value: Any) -> Any:
        return chapter_lines(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[Chapter]:  # type: ignore[override]
        text = super().to_python(value) or ""
        ProhibitNullCharactersValidator()(text)
        by_time: dict[int, Chapter] = {}
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip():
                continue
            chapter = chapter_from(line)
            if chapter is None:
                self._fail("line", number=number)
            elif len(chapter["title"]) > TITLE_LENGTH:
                self._fail("title", number=number, most=TITLE_LENGTH)
            elif chapter["at_ms"] in by_time:
                self._fail("twice", time=clock(position(chapter)))
            else:
                by_time[chapter["at_ms"]] = chapter
        if len(by_time) > MOST_CHAPTERS:
            self._fail("many", most=MOST_CHAPTERS)
        return [by_time[at_ms] for at_ms in sorted(by_time)]

    def _fail(self, code: str, **values: Any) -> NoReturn:
        raise forms.ValidationError(str(self.error_messages[code]).format(**values), code=code)


class LocalDateTimeField(forms.DateTimeField):
    """A time in the current time zone, to the second. An unchanged text keeps the `stored` value exactly.

    A local time that is ambiguous or does not exist at a clock change is refused, unless it is unchanged.
    """

    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"})
    default_error_messages = {"range": _("Not a time from the year 1900 to 9000.")}
    stored: datetime | None = None

    def prepare_value(self, value: Any) -> Any:
        return _local_time(value).isoformat() if isinstance(value, datetime) else value

    def to_python(self, value: Any) -> datetime | None:
        if self.stored and isinstance(value, str):
            with suppress(ValueError):
                if parse_datetime(value) == _local_time(self.stored):
                    return self.stored
        time = super().to_python(value)
        if time and not is_readable(time):
            raise forms.ValidationError(self.error_messages["range"], code="range")
        return time


def posted_zone(data: Mapping[str, Any]) -> tzinfo:
    """Return the time zone in which the submitted page was shown; the user may have chosen another one since."""
    return zone_named(str(data.get("zone", ""))) or timezone.get_current_timezone()


class PictureField(forms.FileField):
    """An uploaded picture; the value is the normalised JPEG as bytes, None if there is no file."""

    widget = forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"})

    def clean(self, data: Any, initial: Any = None) -> bytes | None:
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
    """The editable fields `names` of a video; `services.video_update` writes them.

    Limits hold for changed values only: stored values may be older than the limits.
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
    chapters = ChaptersField(
        label=_("Chapters"), required=False, help_text=_("One a line: where it begins, and its title.")
    )
    address = OneLineField(label=_("The https address of a picture"), required=False)
    shown = forms.ChoiceField(label=_("Shown"), required=False, widget=forms.RadioSelect)
    visibility = forms.ChoiceField(label=_("Who finds it"), required=False, widget=forms.RadioSelect)
    playback = forms.ChoiceField(label=_("Who plays it"), required=False, widget=forms.RadioSelect)
    publish_from = LocalDateTimeField(label=_("Publish from"), required=False)
    publish_until = LocalDateTimeField(label=_("Publish until"), required=False)
    version = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, files: Any = None, *, video: Video, names: tuple[str, ...]) -> None:
        self.video = video
        self.names = names
        self.values = form_values.edited_values(video)
        self.versions = versions_of(self.values, names)
        initial = {**self.values, "version": form_values.version_text(self.versions)}
        super().__init__(data, files, initial=initial, label_suffix="")
        parts = {"thumbnail": ("picture", "address")}
        kept = {"version", *names, *(part for name in names for part in parts.get(name, ()))}
        for name in set(self.fields) - kept:
            del self.fields[name]
        choices = publication_choices(video, self.values)
        for name in choices.keys() & kept:
            self.fields[name].choices = choices[name]  # type: ignore[attr-defined]
        for name in {"publish_from", "publish_until"} & kept:
            self.fields[name].stored = self.values[name]  # type: ignore[attr-defined]
        if "title" in kept:
            suggested = "" if self.values["title"] else suggested_title(video)
            self.fields["title"].widget.attrs |= {"dir": "auto", "placeholder": suggested}

    def clean_thumbnail(self) -> str:
        """Return the URL of the chosen picture, or an empty string; an uploaded file is stored later."""
        chosen: str = self.cleaned_data["thumbnail"]
        if chosen != UPLOAD:
            return self._picture_url(chosen)
        if "picture" not in self.files:
            raise forms.ValidationError(gettext("Choose the file again, or another picture."))
        return self.values["thumbnail"]

    def clean_chapters(self) -> list[Chapter]:
        """Refuse a chapter that begins after the end of the video."""
        chapters: list[Chapter] = self.cleaned_data["chapters"]
        if not last_fits(chapters, self.video.length_ms):
            end = clock(timedelta(milliseconds=end_of(self.video.length_ms)))
            raise forms.ValidationError(
                gettext("A chapter must begin before the end of the video, {time}.").format(time=end)
            )
        return chapters

    def clean_address(self) -> str:
        return self._picture_url(self.cleaned_data["address"])

    def clean(self) -> dict[str, Any]:
        """Check the limits of changed values, and what depends on more than one field."""
        values = self.cleaned_data
        for name in {"shown", "visibility", "playback"} & values.keys():
            values[name] = values[name] or self.values[name]
        for name in [name for name in _LIMITS if name in values and values[name] != self.values[name]]:
            try:
                _LIMITS[name](values[name])
            except forms.ValidationError as error:
                self.add_error(name, error)
        # An uploaded file or an address takes precedence over the chosen picture.
        if values.get("address") and not values.get("picture"):
            values["thumbnail"] = values["address"]
        changed_dates = {"publish_from", "publish_until"} & self.changes().keys()
        try:
            if changed_dates:
                limits.check_window(values.get("publish_from"), values.get("publish_until"))
        except forms.ValidationError as error:
            self.add_error("publish_until", error)
        if values.get("shown") == UNDECIDED and form_values.awaits_decision(self.video):
            for name in changed_dates & values.keys():
                if values[name]:
                    self.add_error(name, gettext("Choose Shown, or this date has no effect."))
        return values

    def use_picture(self, url: str) -> None:
        """Choose the uploaded picture, which is stored at this URL, now and if the page is shown again."""
        self.cleaned_data["thumbnail"] = url
        data = self.sent()
        data["thumbnail"] = url
        self.data = data
        self.errors.pop("thumbnail", None)

    def sent(self) -> QueryDict:
        """Return a mutable copy of the submitted data."""
        return cast("QueryDict", self.data).copy()

    @property
    def chosen_picture(self) -> str:
        """Return the picture that the page shows as chosen: a URL, a path, or empty; no unsaved file."""
        chosen = self["thumbnail"].value() if "thumbnail" in self.fields else UPLOAD
        return self.values["thumbnail"] if chosen == UPLOAD else chosen or ""

    def changes(self) -> dict[str, Any]:
        """Return the valid values that differ from the stored ones."""
        values = {name: self.cleaned_data[name] for name in self.names if name in self.cleaned_data}
        versions = versions_of(values, values)
        return {name: value for name, value in values.items() if versions[name] != self.versions[name]}

    def written(self) -> dict[str, Any]:
        """Return the changes in the form that `services.video_update` takes."""
        values = self.changes()
        return {**values, **({"active": values["shown"] == SHOWN} if "shown" in values else {})}

    def check(self, video: Video) -> None:
        """Raise VideoChangedError if the video has changes that were saved after the page was shown."""
        if versions_of(form_values.edited_values(video), self.names) != self.seen:
            raise VideoChangedError(video)

    @property
    def seen(self) -> dict[str, str]:
        """Return the versions of the values that the page showed."""
        return form_values.versions_from(self.cleaned_data.get("version") or "")

    def text_of(self, name: str, value: Any) -> str:
        """Return a value of a field as the page shows it to read."""
        field = self.base_fields[name]
        if isinstance(value, datetime):
            return zoned(value)
        if isinstance(field, TagsField):
            return ", ".join(value) or NOTHING
        if isinstance(field, forms.ChoiceField):
            choices = publication_choices(self.video, {name: value}).get(name, field.choices)
            return str(dict(choices).get(value, value or NOTHING))  # type: ignore[arg-type]
        return str(field.prepare_value(value) or NOTHING)

    @property
    def content(self) -> list[BoundField]:
        """Return the fields of the content without the picture, which has a section of its own."""
        return [self[name] for name in _CONTENT_NAMES if name in self.fields and name != "thumbnail"]

    @property
    def content_texts(self) -> list[tuple[Any, str]]:
        """Return label and text of each field of the content for readers; a failed recording has no chapters."""
        names = editable_names(self.video, may_content=True, may_publish=False)
        return self._texts(name for name in names if name != "thumbnail")

    @property
    def publication(self) -> list[list[BoundField]]:
        """Return the fields of the publication, the choices apart from the times."""
        fields = [self[name] for name in PUBLICATION if name in self.fields]
        choices = [each for each in fields if isinstance(each.field, forms.ChoiceField)]
        return [choices, [each for each in fields if each not in choices]] if fields else []

    @property
    def publication_texts(self) -> list[tuple[Any, str]]:
        return self._texts(PUBLICATION)

    def _texts(self, names: Iterable[str]) -> list[tuple[Any, str]]:
        return [(self.base_fields[name].label, self.text_of(name, self.values[name])) for name in names]

    def _picture_url(self, text: str) -> str:
        if text == self.values["thumbnail"] or uploads.is_stored_picture(text):
            return text
        try:
            return limits.thumbnail_address(text, self.video.pictures)
        except ValueError:
            raise forms.ValidationError(gettext("Neither an https URL nor a picture of this recording.")) from None


# Every other field of the form is content; a field that is added to the form shows on the page and in conflicts.
_CONTENT_NAMES = tuple(
    name for name in VideoForm.base_fields if name not in {*PUBLICATION, "picture", "address", "version"}
)


def editable_names(video: Video, *, may_content: bool, may_publish: bool) -> tuple[str, ...]:
    """Return the field names that these rights may edit; a failed recording has only texts and tags."""
    if video.status == Video.Status.FAILED:
        return ("title", "description", "tags") if may_content else ()
    return (*(_CONTENT_NAMES if may_content else ()), *(PUBLICATION if may_publish else ()))


def publication_choices(video: Video, values: Mapping[str, Any]) -> dict[str, list[tuple[str, Any]]]:
    """Return the choices of a publication; undecided is a choice only until a decision is made."""
    later = video.status != Video.Status.AVAILABLE
    choices: dict[str, list[tuple[str, Any]]] = {
        "shown": [(SHOWN, _("Shown when its recording ends") if later else _("Shown")), (HIDDEN, _("Hidden"))],
        "visibility": [
            (Video.Visibility.PUBLIC.value, _("Everybody")),
            (Video.Visibility.UNLISTED.value, _("Only who has its address")),
        ],
        "playback": [
            (Video.Playback.PUBLIC.value, _("Everybody who finds it")),
            (Video.Playback.GRANT.value, _("Only who has a grant")),
        ],
    }
    undecided = {"shown": _("Not decided yet"), "visibility": _("As its channel says")}
    for name in undecided:
        if values.get(name) == UNDECIDED:
            choices[name].append((UNDECIDED, undecided[name]))
    return choices


_LIMITS: dict[str, Callable[[Any], None]] = {
    "title": MaxLengthValidator(limits.TITLE_LENGTH),
    "description": MaxLengthValidator(limits.DESCRIPTION_LENGTH),
    "tags": limits.check_tags,
}


def _local_time(time: datetime) -> datetime:
    """Return the time as a browser shows it: in the current zone, without zone and microseconds."""
    return timezone.localtime(time).replace(tzinfo=None, microsecond=0)
