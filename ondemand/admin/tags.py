"""The page of the tags in use, and the autocompletion of tags and channel names."""

from urllib.parse import urlencode

from django import forms
from django.contrib.admin.widgets import AdminTextInputWidget
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_app.models import Channel
from ondemand.admin.bulk import bulk_started
from ondemand.admin.forms import OneLineField
from ondemand.admin.views import AdminView
from ondemand.models import BulkChange
from ondemand.search.lookups import tag_uses, tags_beginning, videos_tagged
from ondemand.videos.form_values import tags_of
from ondemand.videos.limits import TAG_LENGTH

SHOWN_TAGS = 50
COMPLETIONS = 10


class TagNameForm(forms.Form):
    """The new name of a tag."""

    to = OneLineField(
        label=gettext_lazy("New name"),
        help_text=gettext_lazy("The name of a tag in use: the two become one."),
        max_length=TAG_LENGTH,
        widget=AdminTextInputWidget(
            {
                "dir": "auto",
                "autocomplete": "off",
                "list": "complete-to",
                "data-complete": reverse_lazy("admin:ondemand_video_tags_complete"),
            }
        ),
    )

    def clean_to(self) -> str:
        name = next(iter(tags_of([self.cleaned_data["to"]])), "")
        if not name:
            raise forms.ValidationError(_("A tag has at least one character."))
        if name == self.initial["to"]:
            raise forms.ValidationError(_("That is its name already."))
        return name


class TagsView(AdminView):
    """A view of tags for those who see videos or edit their content."""

    def is_allowed(self) -> bool:
        return super().is_allowed() or self.request.user.has_perm("ondemand.change_content")


class TagsPage(TagsView):
    """List the tags in use."""

    def get(self, request: HttpRequest) -> HttpResponse:
        text, after = _text(request, "q"), _text(request, "after")
        tags = tags_beginning(text, SHOWN_TAGS + 1, after=after)
        following = urlencode({"q": text, "after": tags[SHOWN_TAGS - 1]["tag"]}) if len(tags) > SHOWN_TAGS else ""
        return self.page(
            "tags.html",
            title=_("Tags"),
            tags=tags[:SHOWN_TAGS],
            q=text,
            is_first=not after,
            following=following,
            may_change=request.user.has_perm("ondemand.change_content"),
        )


class TagPage(AdminView):
    """Rename, merge or remove one tag, by a bulk change that is confirmed on its own page."""

    def is_allowed(self) -> bool:
        return self.request.user.has_perm("ondemand.change_content")

    def get(self, request: HttpRequest) -> HttpResponse:
        # Not normalised: older tags may hold characters that are refused today.
        tag = request.GET.get("tag", "").replace("\0", "")
        form = TagNameForm(request.POST if "_rename" in request.POST else None, initial={"to": tag})
        if "_remove" in request.POST:
            return self._change(BulkChange.Kind.REMOVE_TAGS, tag)
        if form.is_valid():
            return self._change(BulkChange.Kind.RENAME_TAG, tag, to=form.cleaned_data["to"])
        return self.page("tag.html", title=_("Tag"), form=form, tag={"tag": tag, "uses": tag_uses(tag)})

    post = get

    def _change(self, kind: BulkChange.Kind, tag: str, **more: str) -> HttpResponse:
        values = {"tags": [tag], **more}
        started = bulk_started(self.model_admin, self.request, kind=kind, videos=videos_tagged(tag), values=values)
        return started or HttpResponseRedirect(reverse("admin:ondemand_video_tags"))


class TagsCompletion(TagsView):
    """The tags with a prefix, those of hidden videos too, as JSON."""

    def get(self, request: HttpRequest) -> HttpResponse:
        prefix = _text(request, "prefix")
        found = tags_beginning(prefix, COMPLETIONS) if prefix else []
        return JsonResponse({"values": [tag["tag"] for tag in found]})


class ChannelsCompletion(TagsView):
    """The names of channels that hold a text, as JSON."""

    def get(self, request: HttpRequest) -> HttpResponse:
        text = _text(request, "prefix")
        channels = Channel.objects.filter(name__icontains=text).order_by("name")
        names = channels.values_list("name", flat=True).distinct()[:COMPLETIONS]
        return JsonResponse({"values": list(names) if text else []})


def _text(request: HttpRequest, name: str) -> str:
    """Return a query parameter with its whitespace normalised, as in stored tags."""
    return " ".join(request.GET.get(name, "").replace("\0", "").split())
