"""Heartbeats as producers send them: each is one by the contract, at its time and for its sectors."""

import json
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from streams.contract.events import Heartbeat
from streams.contract.sectors import registry
from streams.counting import decoder
from streams.counting.decoder import Decoder
from streams.producers.heartbeats import Pulse
from streams.producers.outgoing import Outgoing
from surgewatch.cli import main

HOUR = 3_600
DECODER = Decoder(registry())


def records(*times: int, sector: str = "swanton") -> list[Outgoing]:
    return [Outgoing(sector.encode(), b"{}", at) for at in times]


def heartbeats(sent: list[Outgoing]) -> list[Heartbeat]:
    return [Heartbeat.model_validate_json(one.value, strict=True) for one in sent if one.value != b"{}"]


def test_heartbeats_come_every_interval_between_the_events_and_the_last_one_ends_the_source() -> None:
    sent = list(Pulse("customs", HOUR).among(records(0, 100, 2 * HOUR + 5)))
    assert [one.at for one in sent] == [0, 100, HOUR, 2 * HOUR, 2 * HOUR + 5, 2 * HOUR + 5]
    assert [(one.alive_at.timestamp(), one.last) for one in heartbeats(sent)] == [
        (HOUR, False),
        (2 * HOUR, False),
        (2 * HOUR + 5, True),
    ]


def test_a_source_covers_the_sectors_it_names_or_those_of_its_events() -> None:
    named = heartbeats(list(Pulse("customs", HOUR, ["blaine", "yuma"]).among(records(0, HOUR))))
    assert {one.sector for one in named} == {"blaine", "yuma"}
    learnt = list(Pulse("customs", HOUR).among([*records(0), *records(HOUR, sector="blaine")]))
    assert [one.sector for one in heartbeats(learnt)] == ["swanton", "blaine", "swanton"]


def test_late_events_send_no_heartbeat_twice() -> None:
    sent = list(Pulse("customs", HOUR).among(records(0, 3 * HOUR, HOUR, 3 * HOUR)))
    assert [one.alive_at.timestamp() for one in heartbeats(sent)] == [HOUR, 2 * HOUR, 3 * HOUR, 3 * HOUR]


def test_no_events_are_no_heartbeats() -> None:
    assert list(Pulse("customs", HOUR).among([])) == []


@pytest.mark.parametrize(("source", "interval"), [("", HOUR), ("x" * 65, HOUR), ("customs", 32 * 24 * HOUR)])
def test_a_source_or_interval_that_the_contract_refuses_is_refused_at_once(
    source: str, interval: int
) -> None:
    with pytest.raises(ValidationError):
        Pulse(source, interval)


def test_what_producers_send_the_worker_takes() -> None:
    sent = list(Pulse("customs", HOUR).among(records(0, HOUR)))
    items, rejected = DECODER.decode([one.value for one in sent if one.value != b"{}"], 2 * HOUR)
    assert rejected == []
    assert all(isinstance(item, decoder.Heartbeat) for item in items)


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["surgewatch", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_a_scenario_is_written_with_its_heartbeats(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "scenario.ndjson"
    days = ("--from", "2022-07-01", "--to", "2022-07-03", "--out", str(file))
    assert run(monkeypatch, "simulate", "swanton-2022", *days, "--source", "patrol", "--every", "6h") == 0
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    beats = [line for line in lines if "alive_at" in line]
    assert len(beats) >= 6
    assert {line["source"] for line in beats} == {"patrol"}
    assert [line.get("last", False) for line in beats].count(True) == len({line["sector"] for line in lines})


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("--source", "patrol"), "need both --source and --every"),
        (("--source", "patrol", "--every", "often"), "'often' is no duration such as 90s, 5m, 1h or 7d"),
        (("--source", "patrol", "--every", "40d"), "interval_seconds"),
        (("--source", "patrol", "--every", "1h", "--for", "swantn"), "nearest known: swanton"),
    ],
)
def test_options_that_make_no_heartbeat_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], fault: str
) -> None:
    assert run(monkeypatch, "simulate", "swanton-2022", *words) == 2
    assert fault in capsys.readouterr().err
