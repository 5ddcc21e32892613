"""From a difference that `reconcile` found to the video that it is about."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from channels_app.admin import DifferenceLink, ReportedDifferenceAdmin
from channels_app.models import ReportedDifference
from ondemand.models import Video


def video_address(difference: ReportedDifference) -> str | None:
    """The page of the video of its recording, where one is here."""
    if not difference.prefix:
        return None
    place = Video.objects.filter(bucket=difference.bucket, prefix=difference.prefix, duplicate_of__isnull=True)
    video = place.only("pk").first()
    return reverse("admin:ondemand_video_change", args=[video.pk]) if video else None


ReportedDifferenceAdmin.links += (DifferenceLink("ondemand.view_video", _("Video"), video_address),)
