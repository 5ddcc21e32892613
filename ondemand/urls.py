"""Routes of videos. A malformed uuid is a 400, not a 404, so the path takes any text."""

from rest_framework.routers import SimpleRouter

from ondemand.api.grants import ChannelGrantViewSet, PlaybackGrantViewSet, VideoGrantViewSet
from ondemand.api.play import GrantedPlayViewSet, PlayViewSet
from ondemand.api.viewsets import StreamViewSet, TagViewSet, VideoViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
# Here and not in channels_app, which may not import this app: each stream shows its videos, and grants are of both.
router.register("channels/<str:uuid>/streams", StreamViewSet, basename="stream")
router.register("channels/<str:uuid>/playback-grants", ChannelGrantViewSet, basename="channel-grant")
router.register("on-demand/<str:uuid>/playback-grants", VideoGrantViewSet, basename="video-grant")
router.register("on-demand", VideoViewSet, basename="video")
router.register("playback-grants", PlaybackGrantViewSet, basename="grant")
router.register("play/g/<str:token>", GrantedPlayViewSet, basename="granted-play")
router.register("play/<str:uuid>", PlayViewSet, basename="play")
router.register("tags", TagViewSet, basename="tag")
urlpatterns = router.urls
