"""Routes of channels; a malformed uuid is a 400, so the path takes any text."""

from django.urls import path

from channels_app import views

urlpatterns = [
    path("channels", views.ChannelListView.as_view()),
    path("channels/live", views.LiveChannelListView.as_view()),
    path("channels/<str:uuid>", views.ChannelView.as_view()),
    path("channels/<str:uuid>/live", views.LiveStateView.as_view()),
    path("channels/<str:uuid>/stream-key", views.StreamKeyView.as_view()),
    path("channels/<str:uuid>/stop", views.StreamStopView.as_view()),
]
