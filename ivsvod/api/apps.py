"""The app that collects static files."""

from django.contrib.staticfiles.apps import StaticFilesConfig as DjangoStaticFilesConfig


class StaticFilesConfig(DjangoStaticFilesConfig):
    """Leave out files that no page uses: those of DRF's pages, and all of drf-spectacular's sidecar but Swagger UI."""

    ignore_patterns = [
        *DjangoStaticFilesConfig.ignore_patterns,
        "rest_framework",
        "redoc",
        "swagger-ui-es-*",
        "swagger-ui-standalone-preset*",
    ]
