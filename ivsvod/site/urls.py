"""Routes of the catalogue page."""

from django.urls import path

from ivsvod.site import views

app_name = "catalogue"
urlpatterns = [
    path("", views.start, name="start"),
    path("c/<str:uuid>", views.channel, name="channel"),
    path("watch/<str:uuid>", views.watch, name="watch"),
    path("watch/live/<str:uuid>", views.live, name="live"),
    path("embed/<str:uuid>", views.embed, name="embed"),
]
