"""What the alerts worker does not do is one of its reasons not to be ready."""

import asyncio
import json
import time

import pytest

from alerts.lifecycle.alert import Alert
from alerts.worker.alert_table import AlertTable
from alerts.worker.problems import OWED_SECONDS, Problems
from alerts.worker.settings import Settings
from alerts.worker.sink_names import SinkNames
from alerts.worker.sink_owner import SinkOwner
from alerts.worker.supervised import MEMORY, PAUSE, Supervisor
from streams.runtime.readiness import NotReady
from surgewatch.harness.records import Record
from tests import console_story as story


class Clock:
    """A steady clock that only tests move."""

    def __init__(self) -> None:
        self.now = time.monotonic()

    def __call__(self) -> float:
        return self.now


class Site:
    """A worker's parts, of which no broker answers; `published` are the alerts that it published."""

    def __init__(self) -> None:
        settings = Settings(brokers="nowhere:1")
        self.clock, self.published = Clock(), list[Alert]()
        self.owner = SinkOwner(
            settings, ["hook"], lambda *_: pytest.fail("nothing to deliver"), asyncio.Event
        )
        self.table = AlertTable(settings, lambda _: None, replay=False)
        self.supervisor = Supervisor(self.clock)
        self.problems = Problems(
            self.owner,
            self.table,
            lambda: self.published,
            names=SinkNames([], {}),
            supervisor=self.supervisor,
            steady=self.clock,
        )

    def read(self, alert: Alert) -> None:
        """Read an alert from `alerts.current`."""
        key, value = alert.question_key.encode(), alert.model_dump_json().encode()
        self.table.apply(Record(0, value, timestamp=0, key=key))

    def undelivered(self) -> str:
        return self.problems.found()[NotReady.UNDELIVERED] or ""


async def test_deliveries_that_do_not_begin_are_seen() -> None:
    site = Site()
    assert not site.undelivered()
    site.clock.now += OWED_SECONDS + 1
    assert "deliveries have not begun for 31 s" in site.undelivered()


async def test_alerts_that_are_published_and_not_read_are_seen() -> None:
    site = Site()
    site.published = list(story.alerts())[:1]
    assert not site.undelivered()
    site.clock.now += OWED_SECONDS + 1
    assert "alerts.current has had alerts for 31 s that were not read" in site.undelivered()
    for alert in site.published:
        site.read(alert)
    assert "alerts.current" not in site.undelivered()


async def test_a_newer_state_that_is_not_read_is_seen_too() -> None:
    site = Site()
    (alert,) = list(story.alerts())[:1]
    site.read(alert)
    newer = json.loads(alert.model_dump_json()) | {"position": alert.position + 1}
    site.published = [Alert.model_validate_json(json.dumps(newer))]
    site.clock.now += OWED_SECONDS + 1
    assert "alerts.current" in site.undelivered()


async def test_a_task_that_keeps_failing_is_named_until_it_runs() -> None:
    clock = Clock()
    supervisor = Supervisor(clock)
    failures = 0

    async def fail() -> None:
        nonlocal failures
        failures += 1
        if failures > 2:
            await asyncio.Event().wait()
        raise ValueError("no right to read")

    running = asyncio.create_task(supervisor.run("alert table", fail))
    while not supervisor.problem():
        await asyncio.sleep(PAUSE / 10)
    assert supervisor.problem() == "alert table: ValueError('no right to read')"
    clock.now += MEMORY
    assert supervisor.problem() is None
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
