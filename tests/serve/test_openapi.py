"""The document of the API, and that the API is what it says."""

import numpy as np
import pytest

from tests.serve.conftest import png
from toolkit.serve import app, openapi

KINDS = {
    "integer": int,
    "number": (int, float),
    "string": str,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


def follow(schema):
    while "$ref" in schema:
        schema = openapi.SCHEMAS[schema["$ref"].removeprefix("#/components/schemas/")]
    return schema


def fits(value, schema):
    """Say whether a value is what a schema has, with all of its properties and no others."""
    schema = follow(schema)
    if "oneOf" in schema:
        return sum(fits(value, one) for one in schema["oneOf"]) == 1
    if "enum" in schema:
        return value in schema["enum"]
    if "type" not in schema:
        return True
    if not isinstance(value, KINDS[schema["type"]]) or (isinstance(value, bool) and schema["type"] != "boolean"):
        return False
    if schema["type"] == "array":
        return all(fits(item, schema["items"]) for item in value)
    if schema["type"] == "object":
        known = schema["properties"]
        return set(value) == set(known) and all(fits(value[name], known[name]) for name in known)
    return not schema.get("minimum", 0) > value if schema["type"] == "integer" else True


def references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_the_document_has_every_route_and_no_other(client):
    document = client.get("/openapi.json").json()
    assert document == openapi.document()
    assert set(document["paths"]) == set(app.ROUTES)
    assert document["openapi"] == "3.1.0"


def test_every_schema_is_there_and_used():
    document = openapi.document()
    used = {name.removeprefix("#/components/schemas/") for name in references(document)}
    assert used == set(document["components"]["schemas"])


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("get", "/v1/artifacts", None, 200),
        ("get", "/healthz", None, 200),
        ("post", "/v1/predict", png(np.eye(8) * 255), 200),
        ("post", "/v1/predict", b"x", 422),
        ("post", "/v1/predict", b"", 400),
    ],
)
def test_answers_are_what_the_document_says(client, method, path, body, status):
    answer = client.request(method, path, content=body)
    said = openapi.document()["paths"][path][method]["responses"][str(answer.status_code)]
    assert answer.status_code == status
    assert fits(answer.json(), said["content"]["application/json"]["schema"]), answer.json()


def test_digits_are_what_the_document_says(digits):
    from tests.serve.conftest import seven

    schema = openapi.document()["paths"]["/v1/predict"]["post"]["responses"]["200"]["content"]["application/json"][
        "schema"
    ]
    assert fits(digits.post("/v1/predict", content=png(seven())).json(), schema)


def test_a_document_that_does_not_fit_its_schema_is_noticed():
    assert not fits({"status": "great"}, openapi.SCHEMAS["Health"])
    assert not fits({"status": "ok", "more": 1}, openapi.SCHEMAS["Health"])
    assert not fits({"top": True, "left": 1, "bottom": 1, "right": 1}, openapi.SCHEMAS["Box"])


def test_every_status_that_is_refused_with_is_described():
    assert set(openapi.document()["paths"]["/v1/predict"]["post"]["responses"]) == {"200", *map(str, openapi.ERRORS)}
