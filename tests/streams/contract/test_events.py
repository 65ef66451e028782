"""The contract, and the page that documents it."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from streams.contract.dead_letters import KEPT, DeadLetter, Reason
from streams.contract.events import FIELDS, Encounter, Heartbeat
from streams.counting.decoder import AHEAD, LIMIT
from streams.producers.scenario import names
from surgewatch.cli import group

PAGE = Path(__file__).parents[3].joinpath("docs/events.md").read_text()


@pytest.mark.parametrize(
    ("title", "model"), [("# Encounter events", Encounter), ("## Heartbeats", Heartbeat)]
)
def test_the_page_lists_every_field_and_whether_it_is_needed(title: str, model: type[BaseModel]) -> None:
    section = PAGE.partition(f"{title}\n")[2].partition("\n#")[0]
    listed = dict(re.findall(r"^\| `(\w+)` \| .+? \| (yes|no) \|", section, re.MULTILINE))
    assert listed == {n: "yes" if f.is_required() else "no" for n, f in model.model_fields.items()}


def test_the_page_lists_every_reason_limit_and_scenario() -> None:
    for name in (*(reason.value for reason in Reason), *names()):
        assert f"| `{name}` |" in PAGE
    assert f"{LIMIT:,} bytes" in PAGE
    assert f"{KEPT:,} bytes" in PAGE
    assert AHEAD == 3600
    assert all(f"`{field}`" in PAGE for field in DeadLetter.model_fields)


def test_the_examples_on_the_page_are_an_encounter_and_a_heartbeat() -> None:
    encounter, heartbeat = re.findall(r"```json\n(.+?)```", PAGE, re.DOTALL)
    Encounter.model_validate_json(encounter, strict=True)
    Heartbeat.model_validate_json(heartbeat, strict=True)


@pytest.mark.parametrize(("options", "model"), [([], Encounter), (["--heartbeat"], Heartbeat)])
def test_the_schema_is_published_and_refuses_unknown_fields(
    options: list[str], model: type[BaseModel]
) -> None:
    schema = json.loads(CliRunner().invoke(group, ["schema", *options]).output)
    assert schema == model.model_json_schema()
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {n for n, f in model.model_fields.items() if f.is_required()}


def test_no_field_can_name_a_person() -> None:
    assert not set(FIELDS) & {
        "name",
        "surname",
        "birth_date",
        "passport",
        "phone",
        "age",
        "sex",
    }
