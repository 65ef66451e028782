"""The AsyncAPI document is current, valid by AsyncAPI's own schema, and true of real records."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from alerts.notices.controls import Silence
from streams.contract.events import Encounter, Heartbeat
from streams.contract.topics import TOPICS
from surgewatch.reference.asyncapi import TARGET, document, text
from tests import console_story as story

# npm @asyncapi/specs 6.11.1 (Apache-2.0), without descriptions, examples, and bindings other than Kafka's.
SCHEMA = Path(__file__).with_name("asyncapi-3.0.0.json")


def test_the_committed_document_is_current() -> None:
    assert TARGET.read_text() == text(), "run `make docs` and commit what it writes"


def test_it_is_valid_by_the_schema_of_asyncapi() -> None:
    read = yaml.safe_load(text())
    jsonschema.Draft7Validator(json.loads(SCHEMA.read_text())).validate(read)
    read["channels"]["encounters"]["bindings"]["kafka"]["partitions"] = 0
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(json.loads(SCHEMA.read_text())).validate(read)


def test_every_topic_is_a_channel_with_its_key_and_policy() -> None:
    read = document()
    assert list(read["channels"]) == [topic.name for topic in TOPICS]
    for topic in TOPICS:
        configuration = read["channels"][topic.name]["bindings"]["kafka"]["topicConfiguration"]
        assert configuration["cleanup.policy"] == [topic.configuration["cleanup.policy"]]
        assert (
            read["components"]["messages"][topic.name]["bindings"]["kafka"]["key"]["description"] == topic.key
        )


def test_every_reference_leads_somewhere() -> None:
    read = document()
    for target in references(read):
        found = read
        for part in target.removeprefix("#/").split("/"):
            found = found[part]


def references(value: object) -> list[str]:
    if isinstance(value, list):
        return [target for one in value for target in references(one)]
    if not isinstance(value, dict):
        return []
    return (
        [value["$ref"]]
        if "$ref" in value
        else [target for one in value.values() for target in references(one)]
    )


def test_real_records_fit_their_schemas() -> None:
    alert = next(story.alerts())
    silence = next(control for control in story.controls() if isinstance(control, Silence))
    event = Encounter(
        event_id="1",
        occurred_at=story.LAST,
        sector="swanton",
        crossing_type="at_port",
        demographic="unknown",
        count=3,
    )
    heartbeat = Heartbeat(source="a", sector="swanton", alive_at=story.LAST, interval_seconds=60)
    read = document()
    for topic, record in (
        ("encounters", event),
        ("encounters", heartbeat),
        ("verdicts", alert.latest),
        ("alerts.current", alert),
        ("notices", story.notice_of(alert)),
        ("controls", silence),
    ):
        payload = read["components"]["messages"][topic]["payload"]
        schema = {**payload, "components": read["components"]}
        jsonschema.validate(json.loads(record.model_dump_json()), schema)
