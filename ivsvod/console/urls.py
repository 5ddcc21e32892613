"""The routes of the admin, loaded at the first request of one: events and reads of the API need none of its pages."""

from django.contrib import admin
from django.urls import include, path

admin.autodiscover()

urlpatterns = [
    path("", include("ivsvod.accounts.urls")),
    path("", admin.site.urls),
]
