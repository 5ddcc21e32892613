"""The document: what the views, serializers and filters know, and for each operation what `operations.py` says."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.settings import patched_settings
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiRequest, OpenApiResponse

from channels_app.fields import StrictSerializer
from ivsvod.openapi.components import FIELDS, NAMED, WHOLE, Instead, page_of, reference
from ivsvod.openapi.operations import OPERATIONS, TAGS, Operation
from ivsvod.openapi.parameters import UUID_IN, filter_parameters, paging_parameters
from ivsvod.openapi.refusals import refusals

_ANSWER_HEADERS = {
    "ETag": ("The version of this answer; compared by its opaque value.", ["200"], ("GET",)),
    "Cache-Control": ("How long, and by whom, the answer may be kept.", ["200"], ("GET",)),
    "X-Request-ID": ("The name of this request in the log of the service.", True, None),
    "Retry-After": ("Seconds to wait before the request is sent again.", ["429", "503"], None),
    "WWW-Authenticate": ("`Bearer`.", ["401"], None),
}
_CONDITIONS = {
    "If-None-Match": "ETags that the caller holds: the answer is 304 where one of them is still the version.",
    "If-Match": "ETags of `GET`: the answer is 412 where none of them is the version now, and nothing is written.",
}
_IDEMPOTENCY_KEY = (
    "Any text of the caller's: sent again within 24 hours with the same body it makes no second channel and gives the "
    "same answer."
)
_REQUEST_ID = "A name for this request: it stands in the log and in the answer."
_HEADER_TEXT = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[!-~]([ -~]*[!-~])?$"}


_SETTINGS = {
    "TITLE": "ivsvod",
    "DESCRIPTION": (
        "Channels of Amazon IVS, and the catalogue of their recordings.\n\n"
        "Every error has one shape, `Error`. Reads are open unless the service is told otherwise; writes need a token "
        "with the scope that stands beside them. A token is sent as `Authorization: Bearer …`: the shared key of the "
        "service, one of its API tokens, or an access token of its identity provider."
    ),
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVERS": [{"url": "/", "description": "This service"}],
    "TAGS": [{"name": name, "description": text} for name, text in TAGS.items()],
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
                "description": "Who is signed in to the admin; writes also need the header X-CSRFToken.",
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


def document() -> dict[str, Any]:
    """The whole document, ready to be written as JSON.

    Raises:
        KeyError: a route of the API is not described in `operations.py`; names it.
    """
    with patched_settings(_SETTINGS):
        return _without_marks(SchemaGenerator().get_schema(public=True))


class ApiSchema(AutoSchema):
    """One operation, by its entry in `OPERATIONS`."""

    method: str
    path: str

    @property
    def operation(self) -> Operation:
        """What is said of it."""
        return OPERATIONS[f"{self.method} {self.path}"]

    def get_operation_id(self) -> str:
        """Its name in generated clients."""
        return self.operation.id

    def get_summary(self) -> str:
        """A line."""
        return self.operation.summary

    def get_description(self) -> str:
        """More than a line, where there is more to say."""
        return self.operation.description

    def get_tags(self) -> list[str]:
        """The part of the API that it stands under."""
        return [self.operation.tag]

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Who may ask; the scope stands beside the scheme."""
        scope = self.operation.scope
        if not scope:
            return [{}]
        asked = [{"bearer": [scope]}, {"session": [scope]}]
        return [{}, *asked] if scope == "read" else asked

    def get_request_serializer(self) -> Any:
        """The body, with its example."""
        body = self.operation.body
        if body is None:
            return {}
        example = OpenApiExample("body", self.operation.body_example)
        return {"application/json": OpenApiRequest(body, examples=[example])}

    def _get_request_body(self, direction: str = "request") -> Any:
        """A body is needed unless the operation says otherwise, even one in which every field may be absent."""
        body = super()._get_request_body(direction)
        return body and {**body, "required": not self.operation.is_body_optional}

    def get_response_serializers(self) -> Any:
        """The answer, and every refusal."""
        answers: dict[Any, Any] = {}
        for (status, media_type), (schema, sentence, example) in self.operation.answers.items():
            examples = [OpenApiExample("answer", example, media_type=media_type)]
            answers[status, media_type] = OpenApiResponse(self._schema(schema), sentence, examples)
        if self.operation.has_version:
            answers["304"] = OpenApiResponse(None, "The caller has this version.")
        for status, (sentence, example) in refusals(self.operation, self.path).items():
            examples = [OpenApiExample("error", example)]
            answers[status, "application/json"] = OpenApiResponse(reference("Error"), sentence, examples)
        return answers

    def get_override_parameters(self) -> list[OpenApiParameter]:
        """Path, query and headers, of the request and of the answers."""
        made = [_uuid_in_path()] if "{uuid}" in self.path else []
        made += filter_parameters(self.view, self.operation)
        made += paging_parameters() if self.operation.page_of else []
        if self.operation.has_idempotency_key:
            made.append(_header("Idempotency-Key", _IDEMPOTENCY_KEY, _HEADER_TEXT))
        if self.operation.has_version:
            made.append(_header("If-None-Match", _CONDITIONS["If-None-Match"], {"type": "string"}))
        if self.operation.has_condition:
            made.append(_header("If-Match", _CONDITIONS["If-Match"], {"type": "string"}))
        made.append(_header("X-Request-ID", _REQUEST_ID, {"type": "string"}))
        return made + list(self._answer_headers())

    def _answer_headers(self) -> Any:
        for name, (text, statuses, methods) in _ANSWER_HEADERS.items():
            if methods is None or (self.method in methods and self.operation.has_version):
                yield OpenApiParameter(name, str, OpenApiParameter.HEADER, description=text, response=statuses)

    def get_filter_backends(self) -> list[Any]:
        """None: `get_override_parameters` names the filters."""
        return []

    def _schema(self, schema: Any) -> Any:
        """What one answer holds: a row, or a page of rows."""
        if isinstance(schema, str):
            schema = reference(schema)
        if isinstance(schema, tuple):
            rows = [self._row(kind) for kind in schema]
            schema = {"anyOf": rows} if len(rows) > 1 else rows[0]
        name = self.operation.page_of
        if not name:
            return schema
        page = ResolvedComponent(f"{name}Page", ResolvedComponent.SCHEMA, page_of(schema), object=name)
        self.registry.register_on_missing(page)
        return page.ref

    def _get_serializer_name(self, serializer: Any, direction: str, bypass_extensions: bool = False) -> str:
        """No body has two forms: the library's mark of a partial one says nothing."""
        name: str = super()._get_serializer_name(serializer, direction, bypass_extensions)
        return name.removeprefix("Patched")

    def _map_basic_serializer(self, serializer: Any, direction: str) -> dict[str, Any]:
        """The fields as the library sees them, and what it cannot see."""
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)
        for kind, fields in FIELDS.items():
            if isinstance(serializer, kind):
                properties = schema["properties"]
                properties |= {name: self._refined(properties[name], more) for name, more in fields.items()}
        if isinstance(serializer, StrictSerializer):
            schema["additionalProperties"] = False
        return schema | WHOLE.get(type(serializer), {})

    def _refined(self, schema: dict[str, Any], more: Any) -> dict[str, Any]:
        if isinstance(more, list):
            return {**schema, "type": "array", "items": self._row(more[0])}
        if isinstance(more, type):
            return self._row(more)
        return dict(more) if isinstance(more, Instead) else {**schema, **more}

    def _row(self, serializer_class: Any) -> dict[str, Any]:
        return self.resolve_serializer(serializer_class(), "response").ref


def _uuid_in_path() -> OpenApiParameter:
    return OpenApiParameter("uuid", UUID_IN, OpenApiParameter.PATH, description="With or without hyphens, in any case.")


def _header(name: str, text: str, schema: dict[str, Any]) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.HEADER, description=text)


def _without_marks(result: Any) -> Any:
    """The document without what the library writes for its own steps."""
    if isinstance(result, dict):
        return {name: _without_marks(value) for name, value in result.items() if name != "x-spec-enum-id"}
    return [_without_marks(value) for value in result] if isinstance(result, list) else result


class LenientUUIDFieldExtension(OpenApiSerializerFieldExtension):
    """A uuid in any of the forms that the predecessor took."""

    target_class = "channels_app.fields.LenientUUIDField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        """By a pattern, for the format allows one form alone."""
        return dict(UUID_IN)
