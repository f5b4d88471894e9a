"""What the API takes and gives, as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from toolkit import __version__

NUMBER, TEXT, BOOLEAN, INTEGER = {"type": "number"}, {"type": "string"}, {"type": "boolean"}, {"type": "integer"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _array(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {"oneOf": [schema, {"type": "null"}]}


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(description: str, schema: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _reference(schema)}}}


def _errors(*statuses: int) -> dict[str, Any]:
    return {str(status): _answer(ERRORS[status], "Error") for status in statuses}


ERRORS = {
    400: "The body is empty or no JSON, or its length is given in two ways.",
    401: "The token is missing or wrong.",
    408: "The body came too slowly.",
    413: "The body or the image is too large.",
    415: "The content type is none of an image, and not JSON.",
    421: "Without a token, only localhost and its addresses may be asked.",
    422: "The image cannot be read, or nothing to classify is in it.",
    429: "Too many requests a second.",
    503: "The artifact's worker has died and is started again, or too many requests are worked on.",
}
FIGURE = {"type": "integer", "minimum": 0, "maximum": 255}
BATCH = {**INTEGER, "description": "Looks of the inference: one at an image, several at a digit of a photo."}
SCHEMAS = {
    "Pixels": {
        **_object(pixels=_array(_array({"oneOf": [FIGURE, _array(FIGURE)]}))),
        "description": "(H, W) or (H, W, 3)",
    },
    "Box": _object(top=INTEGER, left=INTEGER, bottom=INTEGER, right=INTEGER),
    "Seen": {
        **_object(height=INTEGER, width=INTEGER, channels=INTEGER, pixels={**TEXT, "contentEncoding": "base64"}),
        "description": "What the model saw: height × width × channels bytes.",
    },
    "Novelty": {
        **_object(score=NUMBER, threshold=NUMBER),
        "description": "How unlike its class the image is; above the threshold, it is of none of the classes.",
    },
    "Probability": _object(**{"class": TEXT, "probability": NUMBER}),
    "Reading": _object(
        **{"class": TEXT},
        probability=NUMBER,
        probabilities=_array(_reference("Probability")),
        none_of_these=_nullable(BOOLEAN),
        novelty=_nullable(_reference("Novelty")),
        box=_nullable(_reference("Box")),
        seen=_reference("Seen"),
    ),
    "Result": {
        "oneOf": [
            _object(artifact=TEXT, readings=_array(_reference("Reading")), inference_s=NUMBER, batch=BATCH),
            _object(artifact=TEXT, error=TEXT),
        ]
    },
    "Prediction": _object(
        schema=INTEGER,
        image=_object(height=INTEGER, width=INTEGER),
        results=_array(_reference("Result")),
        agree=_nullable(BOOLEAN),
        prepare_s=NUMBER,
        total_s=NUMBER,
    ),
    "Artifact": _object(name=TEXT, height=INTEGER, width=INTEGER, channels=INTEGER, digits=BOOLEAN, how=TEXT),
    "Artifacts": _object(schema=INTEGER, artifacts=_array(_reference("Artifact"))),
    "Health": _object(status={"enum": ["ok", "failing"]}),
    "Error": _object(error=_object(status=INTEGER, reason=TEXT, message=TEXT)),
}
FILE = {"schema": {"type": "string", "format": "binary"}}


def document() -> dict[str, Any]:
    """Return the document."""
    paths: dict[str, Any] = {
        "/": _get(
            "The page.", {"200": {"description": "HTML.", "content": {"text/html": {}}}, **_errors(401, 421, 429)}
        ),
        "/v1/predict": {
            "post": {
                "summary": "Classify one image: each digit in it, or the whole.",
                "requestBody": {
                    "required": True,
                    "content": {
                        "image/*": FILE,
                        "application/octet-stream": FILE,
                        "application/json": {"schema": _reference("Pixels")},
                    },
                },
                "responses": {"200": _answer("What each artifact says.", "Prediction"), **_errors(*ERRORS)},
            }
        },
        "/v1/artifacts": _get(
            "The artifacts.", {"200": _answer("What they take.", "Artifacts"), **_errors(401, 421, 429)}
        ),
        "/healthz": _get(
            "Whether an artifact answers.",
            {"200": _answer("One does.", "Health"), "503": _answer("None does.", "Health"), **_errors(421, 429)},
            open_to_all=True,
        ),
        "/metrics": _get(
            "Counts, for Prometheus.",
            {"200": {"description": "Text.", "content": {"text/plain": {}}}, **_errors(401, 421, 429)},
        ),
        "/openapi.json": _get("This document.", {"200": {"description": "JSON."}, **_errors(401, 421, 429)}),
    }
    token = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "link": {"type": "apiKey", "in": "query", "name": "token"},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "toolkit serve", "version": __version__},
        "paths": paths,
        "components": {"schemas": SCHEMAS, "securitySchemes": token},
        "security": [{"bearer": []}, {"link": []}, {}],
    }


def _get(summary: str, responses: dict[str, Any], *, open_to_all: bool = False) -> dict[str, Any]:
    return {"get": {"summary": summary, "responses": responses, **({"security": []} if open_to_all else {})}}


async def show(request: Request) -> Response:
    """Answer with the document."""
    return JSONResponse(document())
