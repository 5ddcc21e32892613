"""Routes of videos. A malformed uuid is a 400, not a 404, so the path takes any text."""

from rest_framework.routers import SimpleRouter

from ondemand.api.viewsets import StreamViewSet, TagViewSet, VideoViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
# Here and not in channels_app, which may not import this app: each stream shows its videos.
router.register("channels/<str:uuid>/streams", StreamViewSet, basename="stream")
router.register("on-demand", VideoViewSet, basename="video")
router.register("tags", TagViewSet, basename="tag")
urlpatterns = router.urls
