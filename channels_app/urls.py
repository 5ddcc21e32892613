"""Routes of channels. The path takes any text as uuid, because a malformed uuid is a 400, not a 404."""

from rest_framework.routers import SimpleRouter

from channels_app.api.viewsets import ChannelViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("channels", ChannelViewSet, basename="channel")
urlpatterns = router.urls
