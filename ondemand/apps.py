"""The app `ondemand`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from common.audit.registry import AUDITED, AuditedModel


class OndemandConfig(AppConfig):
    """Videos of the recordings."""

    name = "ondemand"
    verbose_name = _("On demand")

    def ready(self) -> None:
        AUDITED["ondemand.video"] = AuditedModel(_("video"), masked=("thumbnail", "qa_reasons"), names=_video_titles)
        AUDITED["ondemand.playbackgrant"] = AuditedModel(_("playback grant"))


def _video_titles(uuids: list[str]) -> dict[str, str]:
    """Return the titles that the admin shows of these videos, by the text of their uuids."""
    from ondemand.models import Video
    from ondemand.videos.titles import display_title

    videos = Video.objects.with_content().filter(pk__in=uuids)
    return {str(video.pk): display_title(video) for video in videos}
