"""drf-spectacular's schemas of operations, parameters, serializers and fields, with the additions of this API."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from drf_spectacular.drainage import set_override
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiRequest, OpenApiResponse
from rest_framework.serializers import BaseSerializer

from common.rest.description import Answer, Description
from common.rest.fields import UUID_SCHEMA, StrictSerializer
from ondemand.videos.limits import METADATA_KEY_LENGTH
from tools.openapi.components import page_of, reference
from tools.openapi.errors import REFUSALS
from tools.openapi.examples import GIVEN

_CONDITIONS = {
    "If-None-Match": "ETags that the caller holds: the answer is 304 if one of them is still the version.",
    "If-Match": "ETags of `GET`: the answer is 412 if none of them is the version now, and nothing is written.",
}
_IDEMPOTENCY_KEY = (
    "Any text: a request repeated within 24 hours with the same key and body makes nothing a second time and gets the "
    "same answer."
)
_REQUEST_ID = "An id for this request, which is in the log and in the answer."
_HEADER_TEXT = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[!-~]([ -~]*[!-~])?$"}
# By the first part of the path.
_TAG_OF = {
    **{"channels": "Channels", "on-demand": "Videos", "tags": "Videos"},
    **{"play": "Playback", "playback-grants": "Playback"},
}
_PATH_PARTS = {
    "path": "`master.m3u8`, or a path that a playlist or the API names.",
    "token": "The token in the URL of a playback grant.",
}


def filter_parameters(filterset_class: Any) -> list[OpenApiParameter]:
    """Return the query parameters of a filter set; raise ImproperlyConfigured for a filter without a `help_text`."""
    made = [_query(name, _text(name, each), each.schema) for name, each in filterset_class.base_filters.items()]
    for name, each in getattr(filterset_class, "by_key", {}).items():
        schema = {
            "type": "object",
            "additionalProperties": each.schema,
            "propertyNames": {"minLength": 1, "maxLength": METADATA_KEY_LENGTH},
            # Without an example Swagger UI fills in made-up text.
            "examples": [{}],
        }
        made.append(_query(name, _text(name, each), schema, style="deepObject", explode=True))
    return made


def _text(name: str, described: Any) -> str:
    text: str = described.extra.get("help_text", "")
    if not text:
        raise ImproperlyConfigured(f"The filter {name} has no help_text")
    return text


def paging_parameters() -> list[OpenApiParameter]:
    """Return the parameters of `PagePagination`, which uses the default for a malformed page or size."""
    size = "Rows of a page, at most 100 unless configured. Anything but a whole number from 1 counts as 25."
    page = "The page, from 1. Anything but a whole number from 1 counts as 1."
    cursor = "The position in the list, from the link `next`; not together with `page`."
    return [
        _query("page", page, {"type": ["integer", "string"], "examples": [1]}),
        _query("pageSize", size, {"type": ["integer", "string"], "examples": [25]}),
        _query("cursor", cursor, {"type": "string"}),
    ]


def _query(name: str, text: str, schema: dict[str, Any], **options: Any) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=text, **options)


class ApiSchema(AutoSchema):
    """An operation: its action describes it, the method, the path and the view give the rest."""

    method: str
    path: str

    @property
    def described(self) -> Description:
        """Return the description of the action; raise ImproperlyConfigured, which names the operation, without one."""
        action = getattr(self.view, getattr(self.view, "action", None) or self.method.lower())
        found: Description | None = getattr(action, "description", None)
        if found is None or not found.summary:
            raise ImproperlyConfigured(f"{self.method} {self.path} has no summary: describe {action.__qualname__}")
        return found

    @property
    def scope(self) -> str:
        """Return the scope that a caller needs; empty if the operation is open to all."""
        if self.method != "GET":
            return str(self.view.write_scope)
        if not self.is_public:
            return str(self.view.read_scope)
        return "" if getattr(self.view, "is_open", False) else "read"

    @property
    def has_version(self) -> bool:
        """Return whether the answer has an ETag."""
        return self.method == "GET" and self.path != "/healthz"

    @property
    def is_creation(self) -> bool:
        """Return whether it takes an `Idempotency-Key`."""
        return getattr(self.view, "action", "") == "create"

    @property
    def is_conditional(self) -> bool:
        """Return whether it takes `If-Match` or `If-None-Match`."""
        return self.has_version if self.method == "GET" else getattr(self.view, "has_versions", True)

    @property
    def refusals(self) -> list[int]:
        """Return the error statuses of the operation."""
        possible = {400, 503} | ({401, 403, 429} if self.scope else set()) | ({404} if "{" in self.path else set())
        if self.method != "GET":
            possible |= {411, 413, 415} | ({422} if self.is_creation else {412} if self.is_conditional else set())
            # Every write to a channel, and to a grant for one, calls or needs Amazon IVS; an edit of a video reads S3.
            is_edit = self.method == "PATCH" or self.path.endswith(("/join", "/clips"))
            possible |= {409, 502} if is_edit or self.scope in {"channels", "playback"} else set()
        elif self.path.startswith("/play/"):
            possible |= {409, 429, 502} | ({401} if self.view.authentication_classes else set())
        return sorted(possible)

    def get_operation(self, *args: Any) -> dict[str, Any] | None:
        """Add the scope and the error statuses to the description."""
        operation: dict[str, Any] | None = super().get_operation(*args)
        if operation is not None:
            statuses = ", ".join(map(str, self.refusals))
            parts = [operation.get("description"), f"Scope: {self.scope_text}. Errors: {statuses}."]
            operation["description"] = "\n\n".join(filter(None, parts))
        return operation

    @property
    def scope_text(self) -> str:
        """Return which scope a caller needs."""
        if not self.scope:
            return "none"
        return "none, or `read` where reads are closed" if self.is_public else f"`{self.scope}`"

    @property
    def is_public(self) -> bool:
        """Return whether the operation needs no credential, unless the service closes its reads."""
        return self.method == "GET" and not getattr(self.view, "read_scope", "")

    def get_operation_id(self) -> str:
        return self.described.operation_id

    def get_summary(self) -> str:
        return self.described.summary

    def get_description(self) -> str:
        return self.described.text

    def get_tags(self) -> list[str]:
        """Return the part of the API that the path belongs to."""
        first, *_, last = self.path.split("/")[1:] * 2
        return [_TAG_OF.get(last, _TAG_OF.get(first, "Service"))]

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Return the credentials that are accepted; the scope stands beside the scheme."""
        # An open route that reads a credential shows more to curators.
        is_read = self.path.startswith("/play/") and self.view.authentication_classes
        scope = self.scope or ("curate" if is_read else "")
        needed = [{"bearer": [scope]}, {"session": [scope]}] if scope else []
        return [{}, *needed] if self.is_public else needed

    def get_request_serializer(self) -> Any:
        body = self.described.body
        return {"application/json": OpenApiRequest(body)} if body else {}

    def _get_request_body(self, direction: str = "request") -> Any:
        """Require a body even if each field may be absent."""
        body = super()._get_request_body(direction)
        return body and {**body, "required": self.described.needs_body}

    def get_response_serializers(self) -> Any:
        return {(answer.status, answer.media_type): self._response(answer) for answer in self.described.answers}

    def _response(self, answer: Answer) -> OpenApiResponse:
        examples = [OpenApiExample("answer", answer.example, media_type=answer.media_type)] if answer.example else []
        if answer.content is None or isinstance(answer.content, dict):
            return OpenApiResponse(answer.content, answer.text, examples)
        rows = [self._row(kind) for kind in (answer.content if isinstance(answer.content, tuple) else [answer.content])]
        schema = {"anyOf": rows} if len(rows) > 1 else rows[0]
        if answer.page_of:
            name = f"{answer.page_of}Page"
            page = ResolvedComponent(name, ResolvedComponent.SCHEMA, page_of(schema, answer.page_of), object=name)
            self.registry.register_on_missing(page)
            schema = page.ref
        return OpenApiResponse(schema, answer.text, examples)

    def _get_response_bodies(self, direction: str = "response") -> Any:
        """Add the 304 and the errors."""
        answers = super()._get_response_bodies(direction)
        not_modified = {"304": reference("NotModified", "responses")} if self.has_version else {}
        errors = {str(status): reference(REFUSALS[status].name, "responses") for status in self.refusals}
        return answers | not_modified | errors

    def get_override_parameters(self) -> list[OpenApiParameter]:
        """Return path, query and headers, of the request and of the answers."""
        made, header = [], OpenApiParameter.HEADER
        if "{uuid}" in self.path:
            text = "The uuid, with or without hyphens, in any letter case."
            made.append(OpenApiParameter("uuid", UUID_SCHEMA, OpenApiParameter.PATH, description=text))
        for name, text in _PATH_PARTS.items():
            if f"{{{name}}}" in self.path:
                made.append(OpenApiParameter(name, str, OpenApiParameter.PATH, description=text))
        if self.described.answers[0].page_of:
            made += filter_parameters(self.view.filterset_class) + paging_parameters()
        if self.is_creation:
            made.append(OpenApiParameter("Idempotency-Key", _HEADER_TEXT, header, description=_IDEMPOTENCY_KEY))
        elif self.is_conditional:
            name = "If-None-Match" if self.method == "GET" else "If-Match"
            made.append(OpenApiParameter(name, str, header, description=_CONDITIONS[name]))
        made.append(OpenApiParameter("X-Request-ID", str, header, description=_REQUEST_ID))
        return made

    def _get_parameters(self) -> list[dict[str, Any]]:
        """Return references: operations share their parameters. One that differs from others of its name stays."""
        return [self._shared(parameter) for parameter in super()._get_parameters()]

    def _shared(self, parameter: dict[str, Any]) -> dict[str, Any]:
        part = ResolvedComponent(parameter["name"], ResolvedComponent.PARAMETER, parameter, object=parameter["name"])
        self.registry.register_on_missing(part)
        return part.ref if self.registry[part].schema == parameter else parameter

    def _get_response_headers_for_code(self, status_code: str, direction: str = "response") -> dict[str, Any]:
        """Return references to the headers of an answer that is no error."""
        names = ["ETag", "Cache-Control"] if self.has_version and status_code == "200" else []
        return {name: reference(name, "headers") for name in [*names, "X-Request-ID"]}

    def _is_list_view(self, serializer: Any = None) -> bool:
        """Return False: `page_of` describes the pages of lists, which are no bare arrays."""
        return False

    def get_filter_backends(self) -> list[Any]:
        """Return none: `get_override_parameters` names the filters."""
        return []

    def _get_serializer_name(self, serializer: Any, direction: str, bypass_extensions: bool = False) -> str:
        """Return the name without the mark of a partial body: no body here has two forms."""
        name: str = super()._get_serializer_name(serializer, direction, bypass_extensions)
        return name.removeprefix("Patched")

    def _map_serializer_field(self, field: Any, direction: str, bypass_extensions: bool = False) -> Any:
        """Return the derived schema with the additions of the field."""
        more = {} if isinstance(field, BaseSerializer) else getattr(field, "schema", {})
        if "type" in more:
            set_override(field, "field", more)
        return {**super()._map_serializer_field(field, direction, bypass_extensions), **more}

    def _map_basic_serializer(self, serializer: Any, direction: str) -> dict[str, Any]:
        """Return the derived schema with the additions of the serializer, and the `example` as a mark."""
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)
        kinds = [vars(kind) for kind in reversed(type(serializer).__mro__)]
        properties = schema.get("properties", {})
        for name, more in (item for kind in kinds for item in kind.get("schema", {}).items() if item[0]):
            if isinstance(more, list):
                properties[name] |= {"type": "array", "items": self._row(more[0])}
            else:
                merged = {**properties[name], **more}
                properties[name] = {key: value for key, value in merged.items() if value is not None}
        if isinstance(serializer, StrictSerializer):
            schema["additionalProperties"] = False
        schema[GIVEN] = {name: value for kind in kinds for name, value in kind.get("example", {}).items()}
        return schema | vars(type(serializer)).get("schema", {}).get("", {})

    def _row(self, serializer_class: Any) -> dict[str, Any]:
        return self.resolve_serializer(serializer_class(), "response").ref
