"""The OpenAPI 3.1 document of the console's API, made from its models and the table of its operations."""

import functools
import json
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any, Final, Literal, NamedTuple

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from alerts.console.alert_history import AlertHistory
from alerts.console.answers import Accepted, AcceptedControl, BoardNews, Fault, Forms
from alerts.console.control_requests import BODY, EmptyBody
from alerts.console.rows import Json
from alerts.lifecycle.alert import Alert

JSON: Final = "application/json"
STREAM: Final = "text/event-stream"
ALWAYS: Final = (401, 403, 421, 503)
WRITING: Final = (408, 413, 415, 422)
FAULTS: Final = {
    401: "It is not known who sends this: the token is missing or wrong, or nobody is signed in.",
    403: "Who sends this has no role that allows it, or writing is off.",
    404: "There is none of this id.",
    408: "The body did not arrive in time.",
    413: "The body is too long.",
    415: "The body is not JSON.",
    421: "The console does not know this host name.",
    422: "The body is no such request. The error has a sentence for each fault.",
    503: "Too many connections are open, or the broker does not answer. Try again.",
}


class Operation(NamedTuple):
    """One request that the API answers. `answer` None: any JSON object."""

    method: Literal["get", "post"]
    path: str
    name: str
    summary: str
    answer: Any
    body: Any = None
    parameter: str = ""  # what the id in the path is
    faults: tuple[int, ...] = ()
    kind: str = JSON

    @property
    def status(self) -> int:
        """The status of the answer: what is written is accepted, and carried out soon."""
        return 202 if self.method == "post" else 200


OPERATIONS: Final = (
    Operation("get", "/api/board", "board", "All that the page shows.", BoardNews),
    Operation(
        "get",
        "/api/events",
        "events",
        "Server-sent events: the whole board, then the rows that changed. The data of each are a BoardNews.",
        str,
        kind=STREAM,
    ),
    Operation("get", "/api/alerts", "alerts", "Every alert, also those that the page lacks.", list[Alert]),
    Operation(
        "get",
        "/api/alerts/{alert}",
        "alert",
        "One alert.",
        Alert,
        parameter="the alert's id, or a unique beginning of it",
        faults=(404,),
    ),
    Operation(
        "get",
        "/api/alerts/{alert}/history",
        "history",
        "What was sent about one alert, to whom and when, and who did what; for 400 days.",
        AlertHistory,
        parameter="the alert's id; a beginning of it is enough while the board has the alert",
        faults=(404, 503),
    ),
    Operation("get", "/api/forms", "forms", "The forms of all requests: fields, bounds, names.", Forms),
    Operation("get", "/api/openapi.json", "openapi", "This document.", dict[str, Any]),
    Operation(
        "post",
        "/api/controls",
        "control",
        "Set or withdraw a control. Who, when and why go to the topic `controls`.",
        AcceptedControl,
        body=BODY,
        faults=WRITING,
    ),
    Operation(
        "post",
        "/api/dead/{letter}/resend",
        "resend",
        "Send a dead letter again, under the same id.",
        Accepted,
        body=EmptyBody,
        parameter="the dead letter's id, its slash percent-encoded",
        faults=(*WRITING, 404),
    ),
)


class Plain(GenerateJsonSchema):
    """Schemas without the titles that only repeat the names of fields."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Leave the title out."""
        return False


@functools.cache
def text() -> str:
    """Return the document as JSON text."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def document() -> Json:
    """Return the document."""
    schemas, definitions = _schemas()
    paths: dict[str, Json] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Surgewatch console",
            "version": version("surgewatch"),
            "summary": "Which alerts stand, what is in force, and what operators change.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(definitions.items())),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A client's, or the shared one."}
            },
        },
    }


Schemas = dict[tuple[str, JsonSchemaMode], Json]


def _schemas() -> tuple[Schemas, Json]:
    """Return the schema of each answer and body by the operation's name, and the models they refer to."""
    inputs: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = [
        ("fault", "serialization", TypeAdapter(Fault)),
        ("news", "serialization", TypeAdapter(BoardNews)),
    ]
    for operation in OPERATIONS:
        inputs.append((operation.name, "serialization", TypeAdapter(operation.answer)))
        if operation.body is not None:
            inputs.append((operation.name, "validation", TypeAdapter(operation.body)))
    found, rest = TypeAdapter.json_schemas(
        inputs, ref_template="#/components/schemas/{model}", schema_generator=Plain
    )
    return found, rest["$defs"]


def _operation(operation: Operation, schemas: Schemas) -> Json:
    answer = _content(schemas[operation.name, "serialization"], operation.kind)
    fault = schemas["fault", "serialization"]
    faults = {str(code): {"description": FAULTS[code], **_content(fault)} for code in _codes(operation)}
    described: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "responses": {str(operation.status): {"description": operation.summary, **answer}, **faults},
    }
    if operation.parameter:
        name = operation.path.partition("{")[2].partition("}")[0]
        described["parameters"] = [
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": operation.parameter,
                "schema": {"type": "string", "minLength": 1},
            }
        ]
    if operation.body is not None:
        body = schemas[operation.name, "validation"]
        described["requestBody"] = {"required": True, **_content(body)}
        described["security"] = [{"token": []}]
    else:
        described["security"] = [{}, {"token": []}]  # reading may be open to everybody
    return described


def _codes(operation: Operation) -> Iterable[int]:
    return sorted({*ALWAYS, *operation.faults})


def _content(schema: Json, kind: str = JSON) -> Json:
    return {"content": {kind: {"schema": schema}}}
