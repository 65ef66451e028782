"""What the table of alerts gives to deliveries, and what it skips."""

from types import SimpleNamespace

from alerts.console.board import Board
from alerts.lifecycle.policies import Policies, Policy
from alerts.notices.alert_pipeline import AlertChange
from alerts.notices.backlog import SETTLE_SECONDS
from alerts.notices.batches import Limits
from alerts.worker.alert_table import AlertTable
from alerts.worker.dead_letters import DeadLetters
from alerts.worker.settings import Settings
from alerts.worker.sink_owner import decoded
from streams.contract.reading import Unusable
from tests.alerts.made import verdict
from tests.alerts.one_sink import OneSink

YEAR = 24 * 365  # hours


def test_a_backlog_that_is_over_and_forgotten_before_deliveries_begin_is_summed_up() -> None:
    """Two surges of a year ago in each of 20 sectors; the worker forgets them: months of calm follow."""
    worker = OneSink(policies=Policies(default=Policy(resolve_after=1)))
    worker.wait(hours=YEAR)
    for day, breach in ((0, True), (1, False), (2, True), (3, False), (90, False)):
        worker.judge(*(verdict(day, breach=breach, sector=f"sector-{at}") for at in range(20)))
    late = OneSink(limits=Limits(most=20))
    late.wait(hours=YEAR)
    late.wait(seconds=1)
    table = AlertTable(Settings(brokers="nowhere:1"), lambda _: None, replay=False)
    for offset, change in enumerate(worker.published):
        table.apply(record(change, at=late.now, offset=offset))
    assert table.alerts() == []
    for change, at in table.published():
        late.queue.observe(change, published_at=at, moment=late._moment)
    late.wait(seconds=SETTLE_SECONDS + 1)
    (batch,) = late.batches
    assert batch.backlog is not None
    assert (batch.messages, batch.backlog.over) == ((), 40)


async def test_what_cannot_be_read_of_other_workers_is_counted_by_topic_and_the_next_record_is_read() -> None:
    counted: list[tuple[str, Unusable]] = []
    table = AlertTable(
        Settings(),
        lambda _: None,
        replay=False,
        on_unusable=lambda topic, reason: counted.append((topic, reason)),
    )
    letters = DeadLetters(
        Settings(),
        Board(),
        nothing,
        nothing,
        on_unusable=lambda topic, reason: counted.append((topic, reason)),
    )
    junk = SimpleNamespace(key=b"?", value=b"{", timestamp=0, partition=0, offset=0, headers=())
    table.apply(junk)
    await letters.apply(junk)
    assert list(decoded({b"sink/a": b"{"}, lambda *unusable: counted.append(unusable))) == []
    topics = ("alerts.current", "notices.dead", "deliveries")
    assert counted == [(topic, Unusable.UNREADABLE) for topic in topics]
    worker = OneSink()
    worker.judge(verdict(0, breach=True))
    for offset, change in enumerate(worker.published):
        table.apply(record(change, at=worker.now, offset=offset))
    assert len(table.alerts()) == 1


async def nothing(*_: object) -> None:
    """Publish and send nothing."""


def record(change: AlertChange, *, at: float, offset: int) -> SimpleNamespace:
    value = change.alert.model_dump_json().encode() if change.alert else None
    return SimpleNamespace(
        key=change.question_key.encode(),
        value=value,
        timestamp=int(at * 1000),
        partition=0,
        offset=offset,
        headers=change.headers,
    )
