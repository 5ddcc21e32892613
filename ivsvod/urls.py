"""All routes."""

from django.conf import settings
from django.urls import URLResolver, include, path
from django.urls.resolvers import RoutePattern

from ivsvod.api.views import DocsView, HealthView, SchemaView

urlpatterns = [
    # `include` would load it at once.
    URLResolver(RoutePattern("admin/"), "ivsvod.console.urls"),
    path("healthz", HealthView.as_view()),
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", DocsView.as_view(), name="docs"),
    path("", include("channels_app.urls")),
    path("", include("ondemand.urls")),
]
if settings.CATALOGUE_PAGE:
    urlpatterns.append(path("", include("ivsvod.site.urls")))

handler400 = "ivsvod.api.errors.bad_request"
handler403 = "ivsvod.console.refused.permission_denied"
handler404 = "ivsvod.console.refused.not_found"
handler500 = "ivsvod.api.errors.server_error"
