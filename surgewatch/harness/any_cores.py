"""The cores of both workers, fed with arbitrary records as a worker feeds them."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Any

from pydantic import BaseModel

from alerts.console.board import Board
from alerts.lifecycle.alert import Alert, Notice
from alerts.lifecycle.policies import policies
from alerts.notices.alert_pipeline import AlertPipeline
from alerts.notices.controls import Acknowledge, Reroute, Silence
from alerts.notices.controls_in_force import ControlsInForce
from alerts.notices.dead_letters import DeadLetterRecord, SinkState
from alerts.notices.history import SINK, NoticeHistory
from alerts.notices.ledger import CaughtUp, Entry
from alerts.notices.routing import Route, Routing
from alerts.worker.alert_table import AlertTable, Published
from alerts.worker.control_records import ControlRecords
from alerts.worker.dead_letters import DeadLetters
from alerts.worker.settings import Settings
from alerts.worker.sink_owner import decoded
from streams.contract.controls import Capacity, Confirm, Names, PolicyDate, Sensitivity, Withdrawn
from streams.contract.events import Encounter, Heartbeat
from streams.contract.partitioning import partition_of
from streams.contract.reading import Unusable, read
from streams.contract.sectors import registry
from streams.contract.verdicts import Verdict
from streams.judging.judge import Judge
from streams.judging.period_summary import PeriodSummary
from streams.pipelines.border_pipeline import BorderPipeline
from streams.pipelines.sector_pipeline import SectorPipeline
from streams.runtime.local_store import Copy
from streams.runtime.partition_reader import POSITION, PartitionReader
from streams.runtime.refusals import StateError
from streams.worker.control_records import apply_control
from streams.worker.metrics import BorderMetrics, Metrics
from surgewatch.harness.any_record import NOW, Maker
from surgewatch.harness.records import Record

PARTITIONS = 4
MOST = 1_000_000  # bytes of a record that the broker takes
SECTOR = "swanton"  # whose good event must be counted whatever lies around it
MODELS: Mapping[str, Sequence[type[BaseModel]]] = {
    "encounters": (Encounter, Heartbeat),
    "summaries": (PeriodSummary,),
    "verdicts": (Verdict,),
    "notices": (Notice,),
    "alerts.current": (Alert,),
    "deliveries": (Entry, CaughtUp),
    "notices.dead": (DeadLetterRecord, SinkState),
    "controls": (Silence, Acknowledge, Reroute, PolicyDate, Capacity, Sensitivity, Confirm, Withdrawn),
    "state": (Encounter, Notice),
}
GOOD = {
    "sector": SECTOR, "crossing_type": "between_ports", "demographic": "single_adult", "count": 3,
    "occurred_at": "2023-11-14T20:00:00Z",
}  # fmt: skip


class Cores:
    """What both workers run, without Kafka. `outcomes` counts what became of records, by topic."""

    def __init__(self, seed: int, *, wild: float = 0.01, odd: float = 0.1) -> None:
        self._places = places = registry()
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.people = 0  # of good events
        self._random = Random(seed)  # noqa: S311 - reproducible, no secret
        self._maker = Maker(self._random, wild=wild, odd=odd)
        self._judge = Judge(places)
        self._home = partition_of(SECTOR.encode(), PARTITIONS)
        self.controls = ControlsInForce(Routing([Route(sinks=(SINK,))]))
        self._make()
        self._written: dict[tuple[str, int], dict[bytes, bytes | None]] = {}  # by core and partition
        self.board = Board()
        self.metrics = Metrics(places)
        self.control_records = ControlRecords(self.controls, self.board, [SINK], on_unusable=self._unusable)
        self._names = Names(sectors=frozenset(places.by_name), questions=frozenset())
        self._offset = 0

    def feed(self, topic: str, number: int) -> None:
        """Feed records of a topic in one batch, then settle as a worker does before its commit."""
        records = [self._maker.record(self._offset + at, MODELS[topic]) for at in range(number)]
        self._offset += number
        feeds: dict[str, Callable[[list[Record]], None]] = {
            "encounters": self._encounters,
            "summaries": self._summaries,
            "verdicts": self._verdicts,
            "notices": self._notices,
            "controls": self._controls,
            "alerts.current": self._alerts_current,
            "deliveries": self._deliveries,
            "notices.dead": self._dead_letters,
            "state": self._state,
        }
        feeds[topic](records)
        for name, core in self._cores().items():
            for partition, pairs in core.dirty().items():
                self._written.setdefault((name, partition), {}).update(pairs)
                longest = max((len(key) + len(value or b"") for key, value in pairs), default=0)
                if longest > MOST:
                    raise ValueError(f"the broker does not take a record of {longest} bytes")

    @property
    def counted(self) -> int:
        """People whom the cores have counted in the sector of the good events; at least `people`."""
        held = self.sectors.partitions.values()
        return sum(part.counts[SECTOR].people for part in held if SECTOR in part.counts)

    def restart(self) -> None:
        """Go on with new cores restored from the written state, as a worker that takes over does."""
        self._make()
        for (name, partition), pairs in self._written.items():
            held = {key: value for key, value in pairs.items() if value is not None}
            self._cores()[name].restore(partition, held)

    def _make(self) -> None:
        self.sectors = SectorPipeline(
            self._places, self._judge, home=lambda sector: partition_of(sector.encode(), PARTITIONS)
        )
        self.borders = BorderPipeline(self._places)
        self.alerts = AlertPipeline(policies())
        self.history = NoticeHistory(policies(), self._places, self.controls)
        self.table = AlertTable(Settings(), self._published, replay=False)
        self.letters = DeadLetters(Settings(), Board(), _take, _take)

    def _cores(self) -> Mapping[str, SectorPipeline | BorderPipeline | AlertPipeline]:
        return {"counts": self.sectors, "borders": self.borders, "alerts": self.alerts}

    def _encounters(self, records: list[Record]) -> None:
        good = json.dumps({**GOOD, "event_id": f"good-{self._offset}"}).encode()
        next_good = Record(self._offset, good, NOW * 1000, key=SECTOR.encode())
        self._offset += 1
        for partition, batch in ((self._random.randrange(PARTITIONS), records), (self._home, [next_good])):
            output = self.sectors.process(partition, batch)
            self.metrics.batch(output, len(batch), 0.0)
            self._count("encounters", output.outcomes)
            for published in (*output.verdicts, *output.summaries, *output.dead):
                published.model_dump_json()
        self.people += GOOD["count"] if isinstance(GOOD["count"], int) else 0

    def _summaries(self, records: list[Record]) -> None:
        output = self.borders.process(0, records)
        BorderMetrics(self.metrics).batch(output, len(records), 0.0)
        self._count("summaries", output.summaries)

    def _verdicts(self, records: list[Record]) -> None:
        output = self.alerts.process(0, records)
        self.outcomes["verdicts", "read"] += len(output.verdicts)
        self._count("verdicts", output.unusable)
        for verdict in output.verdicts:
            self.board.observe(verdict)
        for change in output.changes:
            if change.alert is not None:
                self.board.alert(change.alert)
        for notice in self.history.follow(output.changes, NOW):
            notice.model_dump_json()
        self.alerts.tick(NOW)

    def _published(self, published: Published) -> None:
        """Show and deliver a change of an alert, as a worker does."""
        if published.change.alert is not None:
            self.board.alert(published.change.alert)
        for notice in self.history.follow([published.change], NOW):
            notice.model_dump_json()
        self.outcomes["alerts.current", "read"] += 1

    def _alerts_current(self, records: list[Record]) -> None:
        for record in records:
            self.table.apply(replace(record, key=_question_key(record.value) or record.key))
        json.dumps(self.board.snapshot().as_json(), allow_nan=False)

    def _deliveries(self, records: list[Record]) -> None:
        keys = (f"{SINK}/".encode(), b"other/", b"/")
        held = {
            self._random.choice(
                (record.key or b"", *keys, *[b"%s/%d" % (SINK.encode(), at)] * 9)
            ): record.value
            for at, record in enumerate(records)
        }
        ledger = list(decoded(held))
        self.outcomes["deliveries", "read"] += len(ledger)
        self.history.restore(ledger, NOW)

    def _dead_letters(self, records: list[Record]) -> None:
        asyncio.run(self._apply_letters(records))
        self.outcomes["notices.dead", "read"] = sum(self.letters.waiting().values())

    async def _apply_letters(self, records: list[Record]) -> None:
        for record in records:
            await self.letters.apply(record)

    def _notices(self, records: list[Record]) -> None:
        for record in records:
            found = read(Notice, record)
            self.outcomes["notices", found if isinstance(found, Unusable) else "read"] += 1

    def _controls(self, records: list[Record]) -> None:
        before = self.controls.version
        for record in records:
            apply_control(self._judge, self._names, record, on_unusable=self._unusable)
            self.control_records.apply(record)
        self.outcomes["controls", "applied"] += self.controls.version - before

    def _unusable(self, topic: str, reason: Unusable) -> None:
        self.outcomes[topic, reason] += 1

    def _state(self, records: list[Record]) -> None:
        """Restore state. It is accepted or refused with a reason, and nothing else ends a worker."""
        for record in records:
            headers = [(POSITION, value) for _, value in record.headers]
            copy = Copy()
            try:
                PartitionReader("counts", 0, copy).apply([replace(record, headers=headers)])
                self.outcomes["state", "applied"] += 1
            except StateError:
                self.outcomes["state", "refused"] += 1

    def _count(self, topic: str, outcomes: Mapping[Any, int]) -> None:
        for name, number in outcomes.items():
            self.outcomes[topic, str(name)] += number


def _question_key(value: bytes | None) -> bytes | None:
    """Return the key that an alert belongs under; None where the value has none."""
    with suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return str(json.loads(value or b"")["question_key"]).encode()
    return None


async def _take(*_: object) -> None:
    """Take what would be published or sent."""
