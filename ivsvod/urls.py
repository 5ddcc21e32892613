"""All routes."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import URLResolver, include, path
from django.urls.resolvers import RoutePattern

from ivsvod.api.views import DocsView, HealthView, SchemaView
from ivsvod.branding import stylesheet

_API = [
    path("healthz", HealthView.as_view()),
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", DocsView.as_view(), name="docs"),
    path("", include("channels_app.urls")),
    path("", include("ondemand.urls")),
]
urlpatterns = [
    # `include` would load it at once.
    URLResolver(RoutePattern("admin/"), "ivsvod.console.urls"),
    path("site.css", stylesheet, name="brand"),
    *_API,
]
if settings.CATALOGUE_PAGE:
    urlpatterns.append(path("", include("ivsvod.site.urls")))

handler400 = "ivsvod.api.errors.bad_request"
handler403 = "ivsvod.console.refused.permission_denied"
handler404 = "ivsvod.urls.not_found"
handler500 = "ivsvod.api.errors.server_error"


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return a 404: a page of the admin or the catalogue for a browser there, else the error of the API."""
    first = request.path_info.removeprefix("/").partition("/")[0]
    routes = [route for part in _API for route in getattr(part, "url_patterns", [part])]
    is_api = first in {str(route.pattern).partition("/")[0] for route in routes}
    accepts_page = "text/html" in request.headers.get("Accept", "")
    if settings.CATALOGUE_PAGE and accepts_page and not is_api and first != "admin":
        from ivsvod.site.pages import no_such_page

        return no_such_page()
    from ivsvod.console import refused

    return refused.not_found(request, exception)
