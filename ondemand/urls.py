"""Routes of videos; a malformed uuid is a 400, so the path takes any text."""

from django.urls import path

from ondemand import stream_views, views

urlpatterns = [
    path("channels/<str:uuid>/streams", stream_views.StreamListView.as_view()),
    path("on-demand", views.VideoListView.as_view()),
    path("on-demand/search", views.VideoSearchView.as_view()),
    path("on-demand/<str:uuid>", views.VideoView.as_view()),
    path("tags", views.TagListView.as_view()),
]
