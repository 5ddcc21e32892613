"""Make the OpenAPI document by drf-spectacular, from the views, serializers, filters and `operations.py`."""

from typing import Any

from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
from drf_spectacular.settings import patched_settings

from ivsvod.openapi import operations  # noqa: F401  (describes the views)
from ivsvod.openapi.components import NAMED

_TAGS = {
    "Channels": "Channels of Amazon IVS: create, run, and see what is live.",
    "Videos": "The catalogue: find, play, and curate recordings.",
    "Service": "The service itself.",
}
_SETTINGS = {
    "TITLE": "ivsvod",
    "DESCRIPTION": (
        "Channels of Amazon IVS, and the catalogue of their recordings.\n\n"
        "Every error has one shape, `Error`. Reads are open unless the service is configured otherwise; writes need a "
        "token with the scope of the operation. A token is sent as `Authorization: Bearer …`: the shared key of the "
        "service, one of its API tokens, or an access token of its identity provider."
    ),
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVERS": [{"url": "/", "description": "This service"}],
    "TAGS": [{"name": name, "description": text} for name, text in _TAGS.items()],
    "APPEND_COMPONENTS": {
        "schemas": NAMED,
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
        KeyError: a route of the API is not described in `operations.py`; the message names it.
    """
    with patched_settings(_SETTINGS):
        return _without_marks(_Generator().get_schema(public=True))


def _without_marks(result: Any) -> Any:
    """Return the document without the marks that drf-spectacular leaves for its own hooks."""
    if isinstance(result, dict):
        return {name: _without_marks(value) for name, value in result.items() if name != "x-spec-enum-id"}
    return [_without_marks(value) for value in result] if isinstance(result, list) else result
