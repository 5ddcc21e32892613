"""The description of the API is current, sound, and its examples are of the shapes that it gives."""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from jsonschema_rs import Draft202012Validator
from rest_framework.serializers import CharField

from common.aws import AwsError
from common.aws.errors import AwsErrorKind
from common.errors import ServiceError
from ondemand.api.filters import TagFilterSet
from ondemand.api.serializers import VideoSerializer
from ondemand.api.viewsets import TagViewSet
from ondemand.models.publication import Listing
from tests.support.helpers import kept
from tools.openapi.document import document

COMMITTED = json.loads((settings.BASE_DIR / "openapi.json").read_text())
PUBLIC = "none, or `read` where reads are closed"
STATES = COMMITTED["info"]["description"].partition("**Who sees a video.**")[2].partition("**Errors.**")[0]
METHODS = {"get", "put", "post", "patch", "delete"}


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """The component that a part of an operation refers to, or the part itself."""
    found: Any = COMMITTED
    for name in part["$ref"].removeprefix("#/").split("/") if "$ref" in part else ():
        found = found[name]
    return found if "$ref" in part else part


def all_subclasses(kind: type) -> Iterator[type]:
    for each in kind.__subclasses__():
        yield from (each, *all_subclasses(each))


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in COMMITTED["paths"].items():
        for method in METHODS & methods.keys():
            yield f"{method.upper()} {path}", methods[method]


def test_the_committed_description_is_that_of_the_code() -> None:
    assert document() == COMMITTED, "openapi.json is stale: run `make openapi` and commit the file"


def test_the_description_is_openapi_3_1() -> None:
    assert COMMITTED["openapi"].startswith("3.1.")
    specification = files("drf_spectacular.validation").joinpath("openapi_3_1_schema.json").read_text()
    Draft202012Validator(json.loads(specification)).validate(COMMITTED)


def test_every_reference_leads_somewhere() -> None:
    named = set(re.findall(r'"#/components/(\w+/[^"]+)"', json.dumps(COMMITTED)))
    kinds = ("schemas", "parameters", "headers", "responses")
    made = {f"{kind}/{name}" for kind in kinds for name in COMMITTED["components"][kind]}
    # The table of errors names these too; no operation has one of its own.
    assert made - named == {"responses/MethodNotAllowed", "responses/ServerError"}
    assert named <= made


@pytest.mark.parametrize(("name", "operation"), sorted(operations()), ids=[name for name, _ in sorted(operations())])
def test_examples_match_their_schemas(name: str, operation: dict[str, Any]) -> None:
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    found = 0
    parts = [*bodies, *map(resolved, operation["responses"].values())]
    for part in parts:
        for content in part.get("content", {}).values():
            validator = Draft202012Validator({**content["schema"], "components": COMMITTED["components"]})
            for example in content["examples"].values():
                validator.validate(example["value"])
                found += 1
    # Every answer with a body has one, and every refusal.
    assert found >= sum("content" in part for part in parts)


@pytest.mark.parametrize(("name", "operation"), sorted(operations()), ids=[name for name, _ in sorted(operations())])
def test_parameters_and_answers_are_explained(name: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert all(resolved(parameter)["description"] for parameter in operation.get("parameters", []))
    assert all(resolved(answer)["description"] for answer in operation["responses"].values())


@pytest.mark.parametrize(("name", "operation"), sorted(operations()), ids=[name for name, _ in sorted(operations())])
def test_the_scope_is_in_the_security_and_in_the_description(name: str, operation: dict[str, Any]) -> None:
    needed = {scope for each in operation["security"] for scopes in each.values() for scope in scopes}
    is_public = {} in operation["security"]
    assert is_public or len(needed) == 1
    text = re.search(r"^Scope: (.*?)\. Errors: ", operation["description"], re.MULTILINE)
    assert text
    assert text[1] == (f"`{min(needed)}`" if not is_public else PUBLIC if needed == {"read"} else "none")


def test_reads_that_need_a_scope_are_not_public() -> None:
    private = {name for name, operation in operations() if name.startswith("GET") and {} not in operation["security"]}
    paths = ("/on-demand/{uuid}/explain", "/on-demand/{uuid}/suggestions", "/playback-grants")
    assert private == {f"GET {path}" for path in paths}


def test_each_error_is_described_once_and_operations_refer_to_it() -> None:
    for name, operation in operations():
        for status, answer in operation["responses"].items():
            assert ("$ref" in answer) == (int(status) >= 304), name
    codes = dict(re.findall(r"^\| (\d+) \| ([^|]+) \|", COMMITTED["info"]["description"], re.MULTILINE))
    # Services raise them for commands and the admin alone.
    unseen = {"conflict", "channel_changed", "playback_key_in_use"}
    for error in all_subclasses(ServiceError):
        if error.code not in unseen and error is not AwsError:
            assert f"`{error.code}`" in codes[str(error.status_code)], error
        else:
            assert f"`{error.code}`" not in COMMITTED["info"]["description"]
    for kind in AwsErrorKind:
        error = AwsError("CreateChannel", "a channel", kind, "no")
        assert f"`{error.code}`" in codes[str(error.status_code)]


def test_the_table_of_states_has_each_listing_in_its_order() -> None:
    assert re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", STATES, re.MULTILINE) == ["listing", *Listing]


def test_every_field_is_described_with_its_unit_and_what_null_means() -> None:
    faults = {}
    for name, schema in COMMITTED["components"]["schemas"].items():
        for field, found in schema.get("properties", {}).items():
            text = found.get("description", "").lower()
            may_be_null = '"null"' in json.dumps([found.get(kind) for kind in ("type", "oneOf", "anyOf")])
            unit = {"ms": "milliseconds", "seconds": "seconds", "time": "milliseconds", "width": "pixels"}
            words = [unit.get(field.rpartition("_")[2], ""), "null" if may_be_null else ""]
            if not text.endswith(".") or not all(word in text for word in words):
                faults[f"{name}.{field}"] = text
    assert not faults


def test_an_operation_without_a_summary_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(TagViewSet.list, "description")
    with pytest.raises(ImproperlyConfigured, match=r"GET /tags has no summary: describe TagViewSet\.list"):
        document()


def test_a_filter_without_a_text_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(TagFilterSet.base_filters["prefix"].extra, "help_text")
    with pytest.raises(ImproperlyConfigured, match="The filter prefix has no help_text"):
        document()


def test_a_new_field_and_its_example_come_from_the_serializer(monkeypatch: pytest.MonkeyPatch) -> None:
    field = CharField(help_text="The language, as in BCP 47; null if nobody has named it.", allow_null=True)
    monkeypatch.setitem(VideoSerializer._declared_fields, "language", field)
    monkeypatch.setitem(VideoSerializer.example, "language", "en")
    made = document()
    assert made["components"]["schemas"]["Video"]["properties"]["language"]["type"] == ["string", "null"]
    answer = made["paths"]["/on-demand/{uuid}"]["get"]["responses"]["200"]["content"]["application/json"]
    assert answer["examples"]["Answer"]["value"]["language"] == "en"


@pytest.mark.django_db
def test_the_service_serves_it(client: Client) -> None:
    answer = client.get("/schema")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer.json() == COMMITTED
    assert answer["Cache-Control"] == kept(60)


@pytest.mark.django_db
def test_the_page_that_shows_it_loads_nothing_from_elsewhere(client: Client) -> None:
    answer = client.get("/docs")
    assert answer.status_code == 200
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    page = answer.content.decode()
    assert 'data-schema="/schema"' in page
    assert "//" not in page.replace("<!doctype html>", "").replace("https://www.w3.org", "")
