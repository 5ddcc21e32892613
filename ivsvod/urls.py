"""All routes."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from ivsvod.api.views import DocsView, HealthView, SchemaView

urlpatterns = [
    path("admin/", include("ivsvod.accounts.urls")),
    path("admin/", admin.site.urls),
    path("healthz", HealthView.as_view()),
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", DocsView.as_view()),
    path("", include("channels_app.urls")),
    path("", include("ondemand.urls")),
]
if settings.CATALOGUE_PAGE:
    urlpatterns.append(path("", include("ivsvod.catalogue.urls")))

handler400 = "ivsvod.api.errors.bad_request"
handler403 = "ivsvod.console.refused.permission_denied"
handler404 = "ivsvod.console.refused.not_found"
handler500 = "ivsvod.api.errors.server_error"
