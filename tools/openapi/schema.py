"""drf-spectacular's schemas of operations, parameters, serializers and fields, with the additions of this API."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from common.rest import filters
from common.rest.fields import StrictSerializer
from ondemand.api.filters import SearchFilter
from ondemand.api.serializers import DocumentSerializer
from ondemand.videos.limits import METADATA_KEY_LENGTH
from tools.openapi.components import FIELDS, UUID_IN, WHOLE, AnyOf, Instead, page_of, reference
from tools.openapi.errors import REFUSALS

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
_OPTIONAL_BODIES = ("stopStream", "changeVideo")
_TEXT = {"type": "string", "minLength": 1, "maxLength": filters.LONGEST_TEXT}

# The most derived class first.
_SCHEMAS: list[tuple[type, Callable[[Any], dict[str, Any]]]] = [
    (filters.UUIDFilter, lambda found: UUID_IN),
    (filters.TimeFilter, lambda found: {"type": "string", "format": "date-time"}),
    (filters.SecondsFilter, lambda found: {"type": "number", "minimum": 0}),
    (filters.BooleanFilter, lambda found: {"type": "boolean"}),
    (filters.ChoiceFilter, lambda found: {"type": "string", "enum": found.choices}),
    (filters.EachTextFilter, lambda found: {"type": "array", "items": _TEXT}),
    (filters.TextFilter, lambda found: _TEXT),
    (SearchFilter, lambda found: {"type": "string"}),
]

# The description of each filter, for every list that has it.
_MEANINGS = {
    "channel": "Of this channel.",
    "owner": "Of channels of this owner. In the list of channels this needs the scope `channels`.",
    "state": "Channels that are live, or offline.",
    "active": "`true`: shown rows; `false`: hidden or deleted rows, which need a scope.",
    "tag": "If repeated: videos that have all of these tags.",
    "started_after": "Started at this time or later.",
    "started_before": "Started before this time.",
    "min_duration": "Seconds, inclusive; decimals are allowed.",
    "max_duration": "Seconds, inclusive; decimals are allowed.",
    "metadata": "`metadata[key]=value`: videos whose metadata has this value under this key.",
    "status": "Needs the scope `curate`, and replaces that part of “listed”.",
    "listing": "Needs the scope `curate`, and replaces “listed”.",
    "search": 'Words that must all occur; `"a phrase"`, `or` and `-not` are understood.',
    "ordering": "`relevance` needs a search, and is its default order.",
    "prefix": "Tags that begin with this.",
    "video": "Grants for this video.",
    "viewer": "Grants of this viewer.",
    "lasting": "`true`: grants that are neither revoked nor ended; `false`: the others.",
}


def filter_parameters(filterset_class: Any) -> list[OpenApiParameter]:
    """Return the query parameters of a filter set.

    Raises:
        KeyError: a filter has no meaning above.
    """
    made = []
    for name, found in filterset_class.base_filters.items():
        schema = next(make for kind, make in _SCHEMAS if isinstance(found, kind))(found)
        made.append(_query(name, _MEANINGS[name], schema))
    if filterset_class.takes("metadata[key]"):
        schema = {
            "type": "object",
            "additionalProperties": {**_TEXT, "minLength": 0},
            "propertyNames": {"minLength": 1, "maxLength": METADATA_KEY_LENGTH},
            # Without an example Swagger UI fills in made-up text.
            "examples": [{}],
        }
        made.append(_query("metadata", _MEANINGS["metadata"], schema, style="deepObject", explode=True))
    return made


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
    """An operation: `document.py` describes it, the method, the path and the view give the rest."""

    method: str
    path: str

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
        """Refuse an operation without a description.

        Raises:
            KeyError: it is not in `document.py`; names it.
        """
        raise KeyError(f"{self.method} {self.path}")

    def get_description(self) -> str:
        """Return the empty text: `document.py` has the descriptions, and docstrings are not for clients."""
        return ""

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
        """Return no body, unless `document.py` describes one."""
        return {}

    def _get_request_body(self, direction: str = "request") -> Any:
        """Require a body even if each field may be absent."""
        body = super()._get_request_body(direction)
        return body and {**body, "required": self.get_operation_id() not in _OPTIONAL_BODIES}

    def _get_response_bodies(self, direction: str = "response") -> Any:
        """Add the 304 and the errors to the answer that `document.py` describes."""
        answers = super()._get_response_bodies(direction)
        not_modified = {"304": reference("NotModified", "responses")} if self.has_version else {}
        errors = {str(status): reference(REFUSALS[status].name, "responses") for status in self.refusals}
        return answers | not_modified | errors

    def _get_response_for_code(self, answer: Any, *args: Any, **options: Any) -> Any:
        """Resolve `AnyOf`, which drf-spectacular does not know."""
        if isinstance(answer.response, AnyOf):
            name = answer.response.page_of
            rows = [self._row(kind) for kind in answer.response.kinds]
            schema = {"anyOf": rows} if len(rows) > 1 else rows[0]
            if name:
                page = ResolvedComponent(f"{name}Page", ResolvedComponent.SCHEMA, page_of(schema, name), object=name)
                self.registry.register_on_missing(page)
                schema = page.ref
            answer = OpenApiResponse(schema, answer.description, answer.examples)
        return super()._get_response_for_code(answer, *args, **options)

    def get_override_parameters(self) -> list[OpenApiParameter]:
        """Return path, query and headers, of the request and of the answers."""
        made, header = [], OpenApiParameter.HEADER
        if "{uuid}" in self.path:
            text = "The uuid, with or without hyphens, in any letter case."
            made.append(OpenApiParameter("uuid", UUID_IN, OpenApiParameter.PATH, description=text))
        for name, text in _PATH_PARTS.items():
            if f"{{{name}}}" in self.path:
                made.append(OpenApiParameter(name, str, OpenApiParameter.PATH, description=text))
        [answer, *_] = self.get_response_serializers().values()
        if isinstance(answer.response, AnyOf) and answer.response.page_of:
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
        """Return False: `AnyOf` describes the pages of lists, which are no bare arrays."""
        return False

    def get_filter_backends(self) -> list[Any]:
        """Return none: `get_override_parameters` names the filters."""
        return []

    def _get_serializer_name(self, serializer: Any, direction: str, bypass_extensions: bool = False) -> str:
        """Return the name without the mark of a partial body: no body here has two forms."""
        name: str = super()._get_serializer_name(serializer, direction, bypass_extensions)
        return name.removeprefix("Patched")

    def _get_serializer_field_meta(self, field: Any, direction: str) -> dict[str, Any]:
        """Return the description of a field of a document before the rest, as that of a method field stands."""
        meta: dict[str, Any] = super()._get_serializer_field_meta(field, direction)
        if isinstance(field.parent, DocumentSerializer) and "description" in meta:
            return {"description": meta.pop("description"), **meta}
        return meta

    def _map_basic_serializer(self, serializer: Any, direction: str) -> dict[str, Any]:
        """Return the derived schema with the additions of `components.py`."""
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)
        for kind, fields in FIELDS.items():
            if isinstance(serializer, kind):
                properties = schema["properties"]
                for name, more in fields.items():
                    if isinstance(more, list):
                        properties[name] |= {"type": "array", "items": self._row(more[0])}
                    elif isinstance(more, type):
                        properties[name] = self._row(more)
                    else:
                        properties[name] = dict(more) if isinstance(more, Instead) else {**properties[name], **more}
        if isinstance(serializer, StrictSerializer):
            schema["additionalProperties"] = False
        return schema | WHOLE.get(type(serializer), {})

    def _row(self, serializer_class: Any) -> dict[str, Any]:
        return self.resolve_serializer(serializer_class(), "response").ref


class LenientUUIDFieldExtension(OpenApiSerializerFieldExtension):
    """A uuid in any of the accepted forms."""

    target_class = "common.rest.fields.LenientUUIDField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        """Return a pattern, since the format `uuid` allows one form only."""
        return dict(UUID_IN)
