"""The description of the API is current, sound, and its examples are of the shapes that it gives."""

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from jsonschema_rs import Draft202012Validator

from ivsvod.openapi.document import document
from tests.support.helpers import kept

COMMITTED = json.loads((settings.BASE_DIR / "openapi.json").read_text())
METHODS = {"get", "put", "post", "patch", "delete"}


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
    text = json.dumps(COMMITTED)
    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named == set(COMMITTED["components"]["schemas"])


@pytest.mark.parametrize(("name", "operation"), sorted(operations()), ids=[name for name, _ in sorted(operations())])
def test_examples_match_their_schemas(name: str, operation: dict[str, Any]) -> None:
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    found = 0
    for part in [*bodies, *operation["responses"].values()]:
        for content in part.get("content", {}).values():
            validator = Draft202012Validator({**content["schema"], "components": COMMITTED["components"]})
            for example in content["examples"].values():
                validator.validate(example["value"])
                found += 1
    # Every answer with a body has one, and every refusal.
    assert found >= sum("content" in part for part in [*bodies, *operation["responses"].values()])


@pytest.mark.parametrize(("name", "operation"), sorted(operations()), ids=[name for name, _ in sorted(operations())])
def test_parameters_and_answers_are_explained(name: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert all(parameter["description"] for parameter in operation.get("parameters", []))
    assert all(answer["description"] for answer in operation["responses"].values())


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
