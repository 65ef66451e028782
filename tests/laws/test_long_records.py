"""A record may be as long as the broker takes. What workers write after it is never longer than that."""

import json
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from alerts.console.board import Board
from alerts.lifecycle.alert import LONGEST_ALERT, Alert
from alerts.lifecycle.policies import Policies
from alerts.notices.alert_pipeline import AlertChange, AlertPipeline
from alerts.notices.ledger import Entry, LedgerRecord
from alerts.notices.messages import Message
from alerts.worker.dead_letters import DeadLetters
from alerts.worker.settings import Settings
from streams.contract.reading import LONGEST, Unusable, read
from streams.contract.verdicts import Contribution, Verdict
from surgewatch.harness.records import Record
from tests.alerts.made import verdict
from tests.alerts.one_sink import OneSink

BROKER = 1_000_000  # bytes of a record: the default of max.message.bytes without what surrounds it
LONG: dict[str, dict[str, Any]] = {
    "counts": {"recent": [9e15] * 55_000},
    "slices": {"slices": [{"name": "é" * 60, "observed": 1e15, "expected": 1e15}] * 4_000},
    "neighbours": {"neighbours": [{"name": "swanton", "observed": 1, "expected": 1}] * 17_000},
    "remark": {"remark": "\0" * 150_000},
    "baseline": {"baseline": "x" * 900_000},
}


def grown(found: Verdict, more: dict[str, Any]) -> bytes:
    content = json.loads(found.model_dump_json())
    content["evidence"] |= more
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False).replace(
        "9000000000000000.0", "9e15"
    )
    value = text.encode()
    assert len(value) < BROKER
    return value


def sizes(pairs: Iterable[tuple[bytes, bytes | None]]) -> list[int]:
    return [len(key) + len(value or b"") for key, value in pairs]


@pytest.mark.parametrize("what", LONG)
def test_a_long_verdict_is_refused_and_the_next_one_opens_its_alert(what: str) -> None:
    pipeline = AlertPipeline(Policies())
    values = [grown(verdict(0, breach=True), LONG[what]), verdict(1, breach=True).model_dump_json().encode()]
    outcome = pipeline.process(0, [Record(at, value) for at, value in enumerate(values)])
    assert outcome.unusable == {Unusable.UNREADABLE: 1}
    assert len(pipeline.all_alerts()) == 1
    assert max(sizes(pipeline.dirty()[0])) < BROKER / 10


@pytest.mark.parametrize("name", ["verdict_id", "sector", "subject", "border"])
def test_a_verdict_with_a_long_name_is_refused(name: str) -> None:
    content = json.loads(verdict(0, breach=True).model_dump_json()) | {name: "x" * 201}
    assert read(Verdict, Record(0, json.dumps(content).encode())) is Unusable.UNREADABLE


def longest() -> Verdict:
    """A verdict that is just short enough."""
    parts = tuple(Contribution(name="x" * 64, observed=10**9, expected=10**9 + 0.5) for _ in range(500))
    found = verdict(0, breach=True, neighbours=parts)
    assert LONGEST * 0.9 < len(found.model_dump_json()) < LONGEST
    return found


def test_the_longest_verdict_that_is_taken_gives_records_that_the_broker_takes() -> None:
    sink = OneSink()
    sink.judge(longest())
    (message,) = sink.batches[0].messages
    full = Message.model_validate({**dict(message), "before": message.alert, "newer": message.alert})
    record = LedgerRecord("slack", message.alert_id, Entry(view=full.view, pending=full))
    assert len(record.encode() or b"") < BROKER
    assert LedgerRecord.decode(record.key, record.encode()) == record


def test_a_border_of_the_most_sectors_publishes_verdicts_that_are_taken() -> None:
    sectors = tuple(Contribution(name="x" * 40, observed=12345, expected=1234.56) for _ in range(450))
    value = verdict(0, breach=True, neighbours=sectors).model_dump_json().encode()
    assert isinstance(read(Verdict, Record(0, value)), Verdict)


@pytest.fixture(scope="module")
def message() -> Message:
    desk = OneSink()
    desk.judge(verdict(0, breach=True))
    return desk.batches[0].messages[0]


def lengthened(alert: Alert) -> dict[str, Any]:
    """An alert that is just short enough for the broker, as JSON."""
    content: dict[str, Any] = json.loads(alert.model_dump_json())
    part = {"alert_id": "a", "sector": "b", "position": 0, "sends": False}
    content["parts"] = [part] * (BROKER // 70)
    return content


def test_a_long_alert_is_no_alert(message: Message) -> None:
    value = json.dumps(lengthened(message.alert)).encode()
    assert LONGEST_ALERT < len(value) < BROKER
    key = message.alert.question_key.encode()
    assert AlertChange.read(key, value) is Unusable.UNREADABLE


@pytest.mark.parametrize("where", ["alert", "ids", "reference"])
def test_a_long_entry_of_the_ledger_is_refused(message: Message, where: str) -> None:
    view = json.loads(message.view.model_dump_json())
    more: dict[str, Any] = {"given_up": ["x" * 24] * 30_000} if where == "ids" else {}
    if where == "alert":
        view["alert"] = lengthened(message.alert)
    if where == "reference":
        view["reference"] = "x" * 900_000
    value = json.dumps({"view": view, "doubted": [], **more}).encode()
    assert len(value) < BROKER
    with pytest.raises(ValueError, match="too long"):
        LedgerRecord.decode(f"slack/{message.alert_id}".encode(), value)


async def test_a_long_dead_letter_is_refused_and_never_sent_again(message: Message) -> None:
    content = json.loads(message.model_dump_json())
    content["view"]["alert"] = lengthened(message.alert)
    letter = {"sink": "slack", "notice_id": "n", "headline": "h", "reason": "r", "at": "2023-01-01T00:00:00Z"}
    value = json.dumps({"letter": letter, "message": content, "again": True}).encode()
    assert len(value) < BROKER
    again: list[object] = []

    async def take(*given: object) -> None:
        again.append(given)

    letters = DeadLetters(Settings(), Board(), take, take)
    await letters.apply(SimpleNamespace(value=value, offset=0, timestamp=1))
    assert not letters.waiting()
    assert not again
