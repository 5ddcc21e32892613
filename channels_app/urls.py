"""Routes of channels; a malformed uuid is a 400, so the path takes any text."""

from django.urls import path

from channels_app import views

urlpatterns = [
    path("channels", views.ChannelsView.as_view()),
    path("channels/<str:uuid>/live", views.LiveStateView.as_view()),
]
