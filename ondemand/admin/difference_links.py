"""From a difference that `reconcile` found to the video that it is about."""

from django.utils.translation import gettext_lazy as _

from channels_app.admin import PageLink, ReportedDifferenceAdmin, row_address
from channels_app.models import ReportedDifference
from ondemand.models import Video


def video_address(difference: ReportedDifference) -> str | None:
    """The page of the video of its recording, where one is here."""
    if not difference.prefix:
        return None
    place = Video.objects.filter(bucket=difference.bucket, prefix=difference.prefix, duplicate_of__isnull=True)
    video = place.only("pk").first()
    return row_address(Video, video.pk) if video else None


ReportedDifferenceAdmin.links += (PageLink("ondemand.view_video", _("Video"), video_address),)
