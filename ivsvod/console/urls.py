"""The routes of the admin. Loaded when one is asked for: an event or a read of the API needs none of its pages."""

from django.contrib import admin
from django.urls import include, path

admin.autodiscover()

urlpatterns = [
    path("", include("ivsvod.accounts.urls")),
    path("", admin.site.urls),
]
