"""Every kind of sink is in the docs, and what it sends is tested in every language."""

from pathlib import Path
from typing import get_args

import pytest

from alerts.sinks.webhook import WebhookSink
from alerts.worker.sink_entries import Entry
from tests.alerts.languages.test_every_text import SINKS

ALERTS_PAGE = Path(__file__).parents[3] / "docs" / "alerts.md"
ENTRIES = get_args(get_args(Entry)[0])
KINDS = [kind for entry in ENTRIES for kind in get_args(entry.model_fields["kind"].annotation)]


@pytest.mark.parametrize("kind", KINDS)
def test_it_has_its_row_in_the_table_of_sinks(kind: str) -> None:
    assert f"| `{kind}` |" in ALERTS_PAGE.read_text(encoding="utf-8")


def test_what_people_read_of_each_is_held_against_the_catalogue() -> None:
    tested = {type(sink) for sink in SINKS} | {WebhookSink}  # a webhook sends the notice itself
    assert len(tested) == len(KINDS), "a kind of sink is missing in SINKS"
