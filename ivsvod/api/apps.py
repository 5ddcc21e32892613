"""Static files of the service."""

from django.contrib.staticfiles.apps import StaticFilesConfig as DjangoStaticFilesConfig


class StaticFilesConfig(DjangoStaticFilesConfig):
    """Without what no page here uses: the sidecar of drf-spectacular holds a second reader of OpenAPI."""

    ignore_patterns = [*DjangoStaticFilesConfig.ignore_patterns, "redoc"]
