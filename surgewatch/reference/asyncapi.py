"""Write the AsyncAPI 3 document of all topics, from the table of topics, their models and the least ACLs.

`python -m surgewatch.reference.asyncapi [FILE]`
"""

import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml
from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from alerts.console.notice_log import SINK
from alerts.console.openapi import Plain
from alerts.lifecycle.alert import Alert, Notice
from alerts.notices.controls import CONTROL
from alerts.notices.dead_letters import DeadLetterRecord, SinkState
from alerts.notices.ledger import CaughtUp, Entry
from streams.contract.access import LEAST, READ, WRITE
from streams.contract.dead_letters import DeadLetter
from streams.contract.events import Encounter, Heartbeat
from streams.contract.reading import PRODUCED_AT
from streams.contract.topics import TOPICS, Topic
from streams.contract.verdicts import Verdict
from streams.judging.period_summary import PeriodSummary
from streams.producers.releases import LastEvent

TARGET: Final = Path(__file__).parents[2] / "docs" / "asyncapi.yaml"
KAFKA: Final = "0.5.0"  # version of AsyncAPI's Kafka bindings
Json = dict[str, Any]
BINARY: Final = {
    "type": "string",
    "contentEncoding": "binary",
    "description": "MessagePack of this version's own layout; for the worker that wrote it alone.",
}
HEADERS: Final = {
    PRODUCED_AT: "when the newest event behind the record was produced, in ms since 1970, as digits",
    SINK: "the sink that has taken the notice",
}


class Value(NamedTuple):
    """What is on a topic. `model` None: state of one version of a worker, in MessagePack."""

    meaning: str
    model: Any = None
    headers: tuple[str, ...] = ()


VALUES: Final[dict[str, Value]] = {
    "encounters": Value(
        "Encounter events and heartbeats, as producers send them: JSON, or in the wire format of a Schema "
        "Registry.",
        Encounter | Heartbeat,
    ),
    "encounters.dead": Value("Records of encounters that were refused, and why.", DeadLetter),
    "verdicts": Value("One judged question about one sector or border.", Verdict, (PRODUCED_AT,)),
    "summaries": Value("One sector's closed period, for its border.", PeriodSummary, (PRODUCED_AT,)),
    "counts": Value("State of the streams worker, by sector."),
    "borders": Value("State of the streams worker, by border."),
    "alerts": Value("State of the alerts worker, by question."),
    "alerts.current": Value(
        "The newest alert of each question. An empty value: it is forgotten, and the header `forgotten` has "
        "the position and the time of its last state. The header `again`: it was published before.",
        Alert,
    ),
    "deliveries": Value("What each sink knows of each alert. An empty value: nothing.", Entry | CaughtUp),
    "notices": Value("Notices that a sink has taken.", Notice, (SINK,)),
    "notices.dead": Value(
        "Notices that a sink never took; under the name of a sink, whether it takes anything.",
        DeadLetterRecord | SinkState,
    ),
    "controls": Value("What operators set at run time. An empty value withdraws it.", CONTROL),
    "tables": Value("The newest event of each figure of an official table.", LastEvent),
}
OUTSIDE: Final = ("encounters", "tables", "controls")  # others write them, so their rules are those of input


def document() -> Json:
    """Return the document."""
    payloads, definitions = _payloads()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Surgewatch topics",
            "version": version("surgewatch"),
            "description": "Names stand after SURGEWATCH_TOPIC_PREFIX. Numbers of partitions are defaults. "
            "Keys are UTF-8; a key's partition is Kafka's murmur2 of it, but `deliveries` is partitioned by "
            "the CRC-32 of the sink's name. Written by `make docs`; do not edit.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": dict(_operations()),
        "components": {
            "messages": {topic.name: _message(topic, payloads[topic.name]) for topic in TOPICS},
            "schemas": dict(sorted(definitions.items())),
        },
    }


def text() -> str:
    """Return the document as YAML."""
    return str(yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=110))


def _channel(topic: Topic) -> Json:
    configuration: Json = {**topic.configuration, "cleanup.policy": [topic.configuration["cleanup.policy"]]}
    if "retention.ms" in configuration:
        configuration["retention.ms"] = int(configuration["retention.ms"])
    return {
        "address": topic.name,
        "description": VALUES[topic.name].meaning,
        "messages": {"record": {"$ref": f"#/components/messages/{topic.name}"}},
        "bindings": {
            "kafka": {
                "partitions": topic.partitions,
                "topicConfiguration": configuration,
                "bindingVersion": KAFKA,
            }
        },
    }


def _message(topic: Topic, payload: Json) -> Json:
    value = VALUES[topic.name]
    message: Json = {"name": topic.name, "summary": value.meaning, "payload": payload}
    if value.model is None:
        message["contentType"] = "application/msgpack"
    if value.headers:
        properties = {name: {"type": "string", "description": HEADERS[name]} for name in value.headers}
        message["headers"] = {"type": "object", "properties": properties, "required": list(value.headers)}
    key = {"type": "string", "description": topic.key}
    message["bindings"] = {"kafka": {"key": key, "bindingVersion": KAFKA}}
    return message


def _operations() -> Iterator[tuple[str, Json]]:
    """Yield what each role does with each topic, as its ACLs allow."""
    for role, accesses in LEAST.items():
        for access in accesses:
            for operation, action in ((READ, "receive"), (WRITE, "send")):
                if access.resource == "topic" and operation in access.operations:
                    yield (
                        f"{role} {action}s {access.name}",
                        {
                            "action": action,
                            "channel": {"$ref": f"#/channels/{access.name}"},
                            "tags": [{"name": role}],
                        },
                    )


def _payloads() -> tuple[dict[str, Json], Json]:
    """Return the schema of each topic's values, and the models they refer to."""
    inputs: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = []
    for name, value in VALUES.items():
        if value.model is not None:
            mode: JsonSchemaMode = "validation" if name in OUTSIDE else "serialization"
            inputs.append((name, mode, _adapter(value.model)))
    found, rest = TypeAdapter.json_schemas(
        inputs, ref_template="#/components/schemas/{model}", schema_generator=Plain
    )
    payloads = {name: _draft_07(schema) for (name, _), schema in found.items()}
    return {name: payloads.get(name, BINARY) for name in VALUES}, _draft_07(rest["$defs"])


def _adapter(model: Any) -> TypeAdapter[Any]:
    return model if isinstance(model, TypeAdapter) else TypeAdapter(model)


def _draft_07(schema: Any) -> Any:
    """Return a schema without the discriminators that OpenAPI has and JSON Schema has not."""
    if isinstance(schema, list):
        return [_draft_07(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: _draft_07(one) for name, one in schema.items() if not _is_discriminator(name, one)}


def _is_discriminator(name: str, value: Any) -> bool:
    return name == "discriminator" and "propertyName" in value


def main() -> None:
    """Write the document."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
