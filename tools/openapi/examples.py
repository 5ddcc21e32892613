"""Examples, derived from JSON schemas.

A serializer names in `example` what its types do not say.
"""

from typing import Any

# The mark of a component: the `example` of its serializer. It is not in the document.
GIVEN = "x-given"
_BY_FORMAT = {
    "uuid": "6f1f3a52-3c1e-5f0a-9d55-0a7c6f5d8b21",
    "date-time": "2026-03-04T09:05:00Z",
    "uri": "https://vod.example.com/",
}
_BY_TYPE = {"string": "text", "boolean": True, "null": None}


def add_examples(document: dict[str, Any]) -> None:
    """Add an example to each body and answer that has none."""
    schemas = document["components"]["schemas"]
    for operation in (each for methods in document["paths"].values() for each in methods.values()):
        bodies = [("Body", operation["requestBody"])] if "requestBody" in operation else []
        for name, part in [*bodies, *(("Answer", answer) for answer in operation["responses"].values())]:
            for content in part.get("content", {}).values():
                content.setdefault("examples", {name: {"value": example_of(content["schema"], schemas)}})


def example_of(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """Return an example: null where it may be null, and of an object what is required or given."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    kinds = schema.get("type", [])
    options = schema.get("oneOf", []) + schema.get("anyOf", []) + schema.get("allOf", [])
    if "null" in kinds or {"type": "null"} in options:
        return None
    if kinds == "object" or "properties" in schema:
        given, required = schema.get(GIVEN, {}), schema.get("required", [])
        return {
            name: given[name] if name in given else example_of(found, schemas)
            for name, found in schema.get("properties", {}).items()
            if name in given or name in required
        }
    if options:
        return example_of(options[0], schemas)
    for name in ("examples", "enum"):
        if name in schema:
            return schema[name][0]
    if kinds == "array":
        return [example_of(schema["items"], schemas)]
    number = schema.get("minimum", 1)
    value = _BY_FORMAT.get(schema.get("format", ""), _BY_TYPE.get(kinds or "string", number))
    return schema.get("const", schema.get("default", value))
