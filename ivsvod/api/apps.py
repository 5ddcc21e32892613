"""Static files of the service."""

from django.contrib.staticfiles.apps import StaticFilesConfig as DjangoStaticFilesConfig


class StaticFilesConfig(DjangoStaticFilesConfig):
    """Without what no page here uses: DRF's own pages, and of the sidecar of drf-spectacular all but Swagger UI."""

    ignore_patterns = [
        *DjangoStaticFilesConfig.ignore_patterns,
        "rest_framework",
        "redoc",
        "swagger-ui-es-*",
        "swagger-ui-standalone-preset*",
    ]
