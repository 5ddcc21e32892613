"""Make the OpenAPI document by drf-spectacular, from the views, serializers and filters.

Actions are described by `common.rest.description.describe`, fields and filters by their `help_text`.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
from drf_spectacular.settings import patched_settings
from rest_framework.settings import api_settings

from tools.openapi.components import HEADERS, NAMED, RESPONSES
from tools.openapi.errors import error_table
from tools.openapi.examples import GIVEN, add_examples
from tools.openapi.schema import ApiSchema

# Not in the settings: routers look the class up when they load, and production has no drf-spectacular.
api_settings.DEFAULT_SCHEMA_CLASS = ApiSchema  # type: ignore[assignment]  # the stubs type the setting, not its import

_TAGS = {
    "Channels": "Channels of Amazon IVS: create, run, and see what is live.",
    "Videos": "The catalogue: find, play, and curate recordings.",
    "Playback": "Who may play: grants for videos and channels, and the URLs that players load.",
    "Service": "The service itself.",
}
_SETTINGS = {
    "TITLE": "ivsvod",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVERS": [{"url": "/", "description": "This service"}],
    "TAGS": [{"name": name, "description": text} for name, text in _TAGS.items()],
    "APPEND_COMPONENTS": {
        "schemas": NAMED,
        "headers": HEADERS,
        "responses": RESPONSES,
        "securitySchemes": {
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "The shared key, an API token, or a JWT of the identity provider.",
            },
            "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": "sessionid",
                "description": "A session of the admin; writes also need the header X-CSRFToken.",
            },
        },
    },
    "POSTPROCESSING_HOOKS": [],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "COMPONENT_SPLIT_PATCH": True,
    "SORT_OPERATIONS": False,
    "SORT_OPERATION_PARAMETERS": False,
    "SCHEMA_PATH_PREFIX": "",
}


class _Enumerator(EndpointEnumerator):
    """Endpoints with their methods in a fixed order: drf-spectacular takes those of view sets from a set."""

    def get_allowed_methods(self, callback: Any) -> list[str]:
        """Return the methods of a route, `GET` first."""
        return sorted(super().get_allowed_methods(callback), key=["GET", "POST", "PUT", "PATCH", "DELETE"].index)


class _Generator(SchemaGenerator):
    endpoint_inspector_cls = _Enumerator


def document() -> dict[str, Any]:
    """Return the whole document, ready to be written as JSON.

    Raises:
        ImproperlyConfigured: an operation, field or filter is not described; the message names it.
    """
    # The views load the classes of all errors.
    import_module(settings.ROOT_URLCONF)
    guide = Path(__file__).with_name("guide.md").read_text()
    with patched_settings({**_SETTINGS, "DESCRIPTION": guide + error_table()}):
        made = _Generator().get_schema(public=True)
        add_examples(made)
        return _without_marks(made)


def _without_marks(result: Any) -> Any:
    """Return the document without the marks of `examples.py`, and those that drf-spectacular leaves for its hooks."""
    if isinstance(result, dict):
        return {name: _without_marks(value) for name, value in result.items() if name not in {"x-spec-enum-id", GIVEN}}
    return [_without_marks(value) for value in result] if isinstance(result, list) else result
