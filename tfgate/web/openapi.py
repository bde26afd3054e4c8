"""The interface of the server as an OpenAPI 3.1 document, published at ``/openapi.json``."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tfgate._version import __version__
from tfgate.web.payload import RunTask

_TEXT: Final = {"text/html": {"schema": {"type": "string"}}}


def _describe() -> dict[str, Any]:
    schemas: dict[str, Any]
    (task,), schemas = msgspec.json.schema_components(
        [RunTask], ref_template="#/components/schemas/{name}"
    )
    schemas = {name: _portable(schema) for name, schema in schemas.items()}
    schemas["Problem"] = _object("error")
    schemas["Status"] = _object("status")
    return {
        "openapi": "3.1.0",
        "info": {"title": "tfgate run tasks", "version": __version__},
        "components": {"schemas": schemas},
        "paths": {
            "/run-task": {"post": _run_task(task)},
            "/healthz": {"get": _get("Whether the process answers", _status())},
            "/readyz": {"get": _get("Whether requests are taken", _status(), "503")},
            "/metrics": {
                "get": _get("Numbers for Prometheus", {"text/plain": {"schema": _STRING}})
            },
            "/decisions": {"get": _get("The latest decisions", _TEXT, "401")},
            "/decisions/{key}": {"get": {**_get("One decision", _TEXT, "403", "404"), **_LINK}},
            "/openapi.json": {
                "get": _get("This document", {"application/json": {"schema": {"type": "object"}}})
            },
        },
    }


_STRING: Final = {"type": "string"}
_LINK: Final = {
    "parameters": [
        {"name": "key", "in": "path", "required": True, "schema": _STRING},
        {"name": "expires", "in": "query", "schema": _STRING},
        {"name": "signature", "in": "query", "schema": _STRING},
    ]
}


def _run_task(task: Any) -> dict[str, Any]:
    answers = {"200": {"description": "Taken: it will be answered", "content": _status()}}
    answers |= {code: _problem() for code in ("400", "401", "413", "422", "429", "503")}
    return {
        "operationId": "run_task",
        "summary": "Take a run task in",
        "parameters": [{"name": "X-TFC-Task-Signature", "in": "header", "schema": _STRING}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": task}}},
        "responses": answers,
    }


def _get(summary: str, content: dict[str, Any], *problems: str) -> dict[str, Any]:
    answers = {"200": {"description": summary, "content": content}}
    return {"summary": summary, "responses": {**answers, **{c: _problem() for c in problems}}}


def _problem() -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": "Why not", "content": {"application/json": {"schema": schema}}}


def _status() -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": "#/components/schemas/Status"}}}


def _object(name: str) -> dict[str, Any]:
    return {"type": "object", "required": [name], "properties": {name: _STRING}}


def _portable(schema: Any) -> Any:
    """Write Python's ``\\Z`` as JSON Schema's ``$``."""
    if isinstance(schema, dict):
        return {
            key: value.replace("\\Z", "$") if key == "pattern" else _portable(value)
            for key, value in schema.items()
        }
    return [_portable(one) for one in schema] if isinstance(schema, list) else schema


DESCRIPTION: Final = _describe()
