"""The page of the tags in use, and the autocompletion of tags and channel names."""

from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path, reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_app.models import Channel
from ondemand.admin.bulk import bulk_started, page_answer
from ondemand.admin.forms import OneLineField
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


class TagPages(admin.ModelAdmin):
    """List the tags in use; rename, merge and remove them."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("tags/", view(self.tags_view), name="ondemand_video_tags"),
            path("tags/change/", view(self.tag_view), name="ondemand_video_tag"),
            path("tags/complete/", view(self.tags_complete_view), name="ondemand_video_tags_complete"),
            path("channels/complete/", view(self.channels_complete_view), name="ondemand_video_channels_complete"),
            *super().get_urls(),
        ]

    def tags_view(self, request: HttpRequest) -> HttpResponse:
        self._require_access(request)
        text, after = _text(request, "q"), _text(request, "after")
        tags = tags_beginning(text, SHOWN_TAGS + 1, after=after)
        following = urlencode({"q": text, "after": tags[SHOWN_TAGS - 1]["tag"]}) if len(tags) > SHOWN_TAGS else ""
        context = {
            "title": _("Tags"),
            "tags": tags[:SHOWN_TAGS],
            "q": text,
            "is_first": not after,
            "following": following,
            "may_change": request.user.has_perm("ondemand.change_content"),
        }
        return page_answer(self, request, "tags.html", context)

    def tag_view(self, request: HttpRequest) -> HttpResponse:
        """Rename or remove one tag, by a bulk change that is confirmed on its own page."""
        if not request.user.has_perm("ondemand.change_content"):
            raise PermissionDenied
        # Not normalised: older tags may hold characters that are refused today.
        tag = request.GET.get("tag", "").replace("\0", "")
        form = TagNameForm(request.POST if "_rename" in request.POST else None, initial={"to": tag})
        if request.method == "POST" and "_remove" in request.POST:
            return self._tag_change(request, BulkChange.Kind.REMOVE_TAGS, tag)
        if form.is_valid():
            return self._tag_change(request, BulkChange.Kind.RENAME_TAG, tag, to=form.cleaned_data["to"])
        context = {"title": _("Tag"), "form": form, "tag": {"tag": tag, "uses": tag_uses(tag)}}
        return page_answer(self, request, "tag.html", context)

    def tags_complete_view(self, request: HttpRequest) -> HttpResponse:
        """Return the tags with this prefix, those of hidden videos too."""
        self._require_access(request)
        prefix = _text(request, "prefix")
        found = tags_beginning(prefix, COMPLETIONS) if prefix else []
        return JsonResponse({"values": [tag["tag"] for tag in found]})

    def channels_complete_view(self, request: HttpRequest) -> HttpResponse:
        self._require_access(request)
        text = _text(request, "prefix")
        channels = Channel.objects.filter(name__icontains=text).order_by("name")
        names = channels.values_list("name", flat=True).distinct()[:COMPLETIONS]
        return JsonResponse({"values": list(names) if text else []})

    def _tag_change(self, request: HttpRequest, kind: BulkChange.Kind, tag: str, **more: str) -> HttpResponse:
        videos = videos_tagged(tag)
        started = bulk_started(self, request, kind=kind, videos=videos, values={"tags": [tag], **more})
        return started or HttpResponseRedirect(reverse("admin:ondemand_video_tags"))

    def _require_access(self, request: HttpRequest) -> None:
        if not (self.has_view_or_change_permission(request) or request.user.has_perm("ondemand.change_content")):
            raise PermissionDenied


def _text(request: HttpRequest, name: str) -> str:
    """Return a query parameter with its whitespace normalised, as in stored tags."""
    return " ".join(request.GET.get(name, "").replace("\0", "").split())
