"""Which alerts are a backlog: those that came too late to be sent, and no others."""

import pytest

from alerts.lifecycle.alert import Reason
from alerts.notices.backlog import SETTLE_SECONDS
from alerts.notices.batches import Limits
from alerts.notices.routing import Route
from alerts.worker.alert_table import AlertTable
from alerts.worker.settings import Settings
from tests.alerts.one_sink import SINK, OneSink
from tests.alerts.worker.test_alert_table import record
from tests.stories.made import CRITICAL, breach, calm, silence

DAY = 24  # hours
EVERYTHING = (Route(name="all", sinks=(SINK,)),)
ESCALATION = (Route(name="second", sinks=(SINK,), reason=(Reason.UNANSWERED,)),)


def desk(routes: tuple[Route, ...] = EVERYTHING) -> OneSink:
    """A sink that takes digests, whose deliveries have begun."""
    made = OneSink(routes, limits=Limits(most=20))
    made.sent()
    return made


def start_again(one: OneSink) -> None:
    """A new worker reads `alerts.current` as compaction leaves it, after the pipeline has published anew."""
    one.restart()
    table = AlertTable(Settings(brokers="nowhere:1"), lambda _: None, replay=False)
    for offset, change in enumerate(one.pipeline.tick(one.now, moves=False).changes):
        table.apply(record(change, at=one.now, offset=offset))
    for change, at in table.published():
        one.queue.observe(change, published_at=at, moment=one._moment)
    one.sent()
    one.wait(seconds=SETTLE_SECONDS + 1)


@pytest.mark.parametrize("routes", [EVERYTHING, ESCALATION], ids=["silenced", "not escalated"])
def test_a_restart_days_after_what_a_sink_was_not_to_be_sent_sums_up_nothing(
    routes: tuple[Route, ...],
) -> None:
    one = desk(routes)
    if routes is EVERYTHING:
        one.apply(silence(one, 30 * DAY))
    one.judge(breach(), *calm())
    for _ in range(3):
        one.wait(hours=5 * DAY)
        start_again(one)
    assert one.batches == []


@pytest.mark.parametrize("routes", [EVERYTHING, ESCALATION], ids=["silenced", "not escalated"])
def test_what_expires_unsent_is_no_backlog(routes: tuple[Route, ...]) -> None:
    """It has had no verdict for two weeks, but it was not late when it fired."""
    one = desk(routes)
    if routes is EVERYTHING:
        one.apply(silence(one, 60 * DAY))
    one.judge(breach(observed=CRITICAL))
    for _ in range(16):
        one.wait(hours=DAY)
        one.tick()
    start_again(one)
    assert any(change.alert is not None and change.alert.expired for change in one.published)
    assert one.batches == []


def test_a_backlog_is_summed_up_once_however_often_the_worker_restarts() -> None:
    one = desk()
    one.wait(hours=7 * DAY)
    one.wait(seconds=1)
    one.observe(*(each for at in range(6) for each in (breach(sector=f"s-{at}"), *calm(f"s-{at}"))))
    one.observe(*(breach(0, CRITICAL, sector=f"standing-{at}") for at in range(3)))
    one.wait(seconds=SETTLE_SECONDS + 1)
    for _ in range(2):
        start_again(one)
    (batch,) = one.batches
    assert batch.backlog is not None
    assert (len(batch.messages), batch.backlog.over) == (3, 6)


def test_a_worker_that_dies_in_a_backlog_keeps_when_its_alerts_were_published() -> None:
    """So the next one sums them up: the table has their first records still."""
    one = desk()
    one.wait(hours=7 * DAY)
    one.wait(seconds=1)
    one.judge(breach(), *calm())
    written = one.now
    table = AlertTable(Settings(brokers="nowhere:1"), lambda _: None, replay=False)
    one.pipeline.restore(0, one._state)
    again = one.pipeline.tick(one.now, moves=False).changes
    for at, changes in ((written, one.published), (written + 60, again)):
        for offset, change in enumerate(changes):
            table.apply(record(change, at=at, offset=offset))
    assert [at for _, at in table.published()] == [written]
    one.restart()
    for change, at in table.published():
        one.queue.observe(change, published_at=at, moment=one._moment)
    one.wait(seconds=SETTLE_SECONDS + 1)
    (batch,) = one.batches
    assert batch.backlog is not None
    assert batch.backlog.over == 1
