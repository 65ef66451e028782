"""An upgrade in the documented order loses nothing: a worker reads what one of a later version writes."""

import asyncio
import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from alerts.console.board import Board
from alerts.lifecycle.policies import Policies
from alerts.notices.alert_pipeline import AlertChange, AlertPipeline
from alerts.notices.dead_letters import DeadLetter, DeadLetterRecord
from alerts.notices.ledger import Entry, LedgerRecord
from alerts.notices.messages import Message
from alerts.notices.notices import compose
from alerts.worker.alert_table import AlertTable, Published
from alerts.worker.board_readers import show_delivery
from alerts.worker.dead_letters import DeadLetters
from alerts.worker.settings import Settings
from streams.contract.reading import Unusable
from streams.pipelines.border_pipeline import BorderPipeline
from surgewatch.harness.records import Record
from tests.alerts.made import FIRST_DAY, verdict
from tests.alerts.one_sink import REGISTRY, OneSink
from tests.laws.reading import PLACES, System, story


def later(value: bytes) -> bytes:
    """A record as a later version may write it: every object in it has a field that is not known here."""

    def grown(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: grown(one) for name, one in part.items()} | {"of_a_later_version": {"is": 1}}
        return [grown(one) for one in part] if isinstance(part, list) else part

    return json.dumps(grown(json.loads(value))).encode()


@pytest.fixture(scope="module")
def message() -> Message:
    """The first message of an alert that fires."""
    desk = OneSink()
    desk.judge(verdict(0, breach=True))
    return desk.batches[0].messages[0]


def test_verdicts_and_summaries_of_a_later_streams_worker_give_the_same_notices() -> None:
    found = []
    for change in (bytes, later):
        system = System(2, PLACES, wall_clock=False)
        system.send(story(1))
        system.read()
        for topic in (system.verdicts, system.summaries):
            for held in topic.records.values():
                held[:] = [replace(record, value=change(record.value)) for record in held]
        system.borders.read.clear()
        system.borders.core = BorderPipeline(PLACES)
        system.read()
        system.notify()
        found.append(system.found.notices)
    assert found[0]
    assert found[0] == found[1]


def test_a_partition_is_taken_over_from_a_later_alerts_worker() -> None:
    first, revived = AlertPipeline(Policies()), AlertPipeline(Policies())
    first.process(0, [Record(0, verdict(0, breach=True).model_dump_json().encode())])
    state = {key: value for key, value in first.dirty()[0] if value is not None}
    for key, value in state.items():
        if not key.startswith(b"event time"):
            position, alert = msgspec.msgpack.decode(value)
            state[key] = msgspec.msgpack.encode((position, later(alert)))
    revived.restore(0, state)
    assert revived.all_alerts() == first.all_alerts()


def test_a_border_is_taken_over_from_a_later_streams_worker() -> None:
    system = System(1, PLACES, wall_clock=False)
    system.send(story(1))
    system.read()
    (summaries,) = system.summaries.records.values()
    for change in (bytes, later):
        first, revived = BorderPipeline(PLACES), BorderPipeline(PLACES)
        first.process(0, summaries[:30])
        state = {key: value for key, value in first.dirty()[0] if value is not None}
        assert any(not key.endswith(b"|") for key in state)  # summaries that wait
        for key, value in state.items():
            if not key.endswith(b"|"):
                waiting = msgspec.msgpack.decode(value)
                state[key] = msgspec.msgpack.encode([change(one.encode()).decode() for one in waiting])
        revived.restore(0, state)
        rest = revived.process(0, summaries[30:])
        assert rest.verdicts == first.process(0, summaries[30:]).verdicts


def test_the_ledger_of_a_later_alerts_worker_is_read_so_that_nothing_is_sent_again(message: Message) -> None:
    written = LedgerRecord("chat", message.alert_id, Entry(view=message.view, pending=message))
    value = written.encode()
    assert value is not None
    assert LedgerRecord.decode(written.key, later(value)) == written


def test_the_alerts_of_a_later_alerts_worker_are_read(message: Message) -> None:
    alert, seen = message.view.alert, list[Published]()
    table = AlertTable(Settings(), seen.append, replay=False)
    value = later(alert.model_dump_json().encode())
    key = alert.question_key.encode()
    table.apply(SimpleNamespace(key=key, value=value, headers=[], timestamp=0))
    assert [one.change.alert for one in seen] == [alert]


@pytest.mark.parametrize("key", [b"another question", b"\xff", b"", None])
def test_an_alert_under_another_key_than_that_of_its_question_is_no_alert(
    message: Message, key: bytes
) -> None:
    value = message.view.alert.model_dump_json().encode()
    assert AlertChange.read(key, value) is Unusable.UNREADABLE


def test_the_notices_and_dead_letters_of_a_later_alerts_worker_are_shown(message: Message) -> None:
    board, notice = Board(), compose(message, REGISTRY)
    value = later(notice.model_dump_json().encode())
    record = SimpleNamespace(value=value, headers=[("sink", b"chat")], timestamp=1_700_000_000_000)
    show_delivery(board, record)
    assert [row["headline"] for row in board.snapshot().as_json()["deliveries"]] == [notice.headline]
    letter = DeadLetter(sink="chat", notice_id=notice.notice_id, headline="x", reason="y", at=FIRST_DAY)
    value = later(DeadLetterRecord(letter=letter, message=message).model_dump_json().encode())
    letters = DeadLetters(Settings(), board, _never, _never)
    asyncio.run(letters.apply(SimpleNamespace(value=value, offset=0)))
    assert letters.waiting() == {"chat": 1}


async def _never(*_: object) -> None:
    raise AssertionError("nothing is sent")


def test_an_entry_of_the_ledger_about_another_alert_than_its_key_is_refused(message: Message) -> None:
    value = LedgerRecord("chat", message.alert_id, Entry(view=message.view, pending=message)).encode()
    with pytest.raises(ValueError, match="another alert"):
        LedgerRecord.decode(b"chat/another", value)


def test_of_a_ledger_of_before_everything_that_was_not_taken_is_in_doubt(message: Message) -> None:
    """A version that did not record doubt kept what it was sending, whatever the answer."""
    entry = Entry(pending=message, given_up=("letter",))
    record = LedgerRecord("sink", message.alert_id, entry)
    before = json.loads(record.encode() or b"")
    del before["doubted"]
    read = LedgerRecord.decode(record.key, json.dumps(before).encode())
    assert read.value == entry.doubting("letter", message.notice_id)
    assert LedgerRecord.decode(record.key, record.encode()).value == entry
