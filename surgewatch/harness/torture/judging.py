"""Compare the output of a run with the expected output."""

import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition as Partition

from alerts.lifecycle.alert import Notice, Reason
from alerts.lifecycle.policies import policies
from alerts.notices.alert_pipeline import AlertPipeline
from alerts.notices.history import NoticeHistory
from streams.contract.cadence import Cadence
from streams.contract.verdicts import Verdict
from streams.judging.judge import Judge
from streams.pipelines.sector_pipeline import SectorPipeline
from streams.runtime.changelog import Changelog
from streams.runtime.local_store import NoStore
from surgewatch.harness.torture.events import Bucket, events, people_by_bucket
from surgewatch.harness.torture.fleet import PARTITIONS
from surgewatch.harness.torture.pauses import longest_absence, longest_pauses
from surgewatch.harness.torture.result import Result
from surgewatch.harness.torture.site import Site
from surgewatch.topic_records import read_all

ENDS = (Reason.FIRST, Reason.RESOLVED)
Notified = tuple[str, Reason]  # alert id; first or resolved


@dataclass
class Published:
    """A verdict as the pipeline would find it on its topic."""

    offset: int
    value: bytes | None
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes | None]] = ()


async def judge(site: Site, result: Result) -> None:
    """Fill in the result of a run after which every person has to be counted once."""
    wanted = people_by_bucket(events(site.load, site.places), site.places)
    found = await _counted(site)
    result.lost, result.doubled = sum((wanted - found).values()), sum((found - wanted).values())
    breaches, due = await _without_faults(site)
    verdicts = [Verdict.model_validate_json(one.value) for one in await _read(site, "verdicts")]
    published = {verdict.verdict_id for verdict in verdicts if verdict.closed and verdict.breach}
    notices = [Notice.model_validate_json(one.value) for one in await _read(site, "notices")]
    notified = {(one.alert.alert_id, one.reason) for one in notices if one.reason in ENDS}
    result.alerts_missing = len(breaches - published) + len(due - notified)
    result.alerts_invented = len(published - breaches) + len(notified - due)
    events_read = await _read(site, "encounters")
    result.pauses = longest_pauses(events_read, await _read(site, "encounters.dead"))
    result.absence = longest_absence(events_read)
    _deliveries(site, result, made={notice.notice_id for notice in notices}, due=due)
    result.remarks.append(
        f"{sum(wanted.values()) // 2} people; {len(breaches)} breaches of closed periods; "
        f"{len(due)} beginnings and ends of alerts; {len(notices)} notices"
    )


async def judge_announced(site: Site, result: Result) -> None:
    """Fill in the result of a run in which the broker lost records: what is missing has to be announced."""
    log = "\n".join(worker.log.read_text() for worker in site.workers if worker.log.exists())
    result.refused = sorted(set(re.findall(r"surgewatch: (state refused: .+)", log)))
    if not site.deleted:
        result.silent = not result.refused
        return
    dropped = sum(int(now) - int(at) for at, now in re.findall(r'"at": (\d+), "now": (\d+)', log))
    wanted = people_by_bucket(events(site.load, site.places), site.places)
    found = await _counted(site)
    result.announced = sum((wanted - found).values()) // 2  # each is in an hour and in a day
    result.doubled = sum((found - wanted).values())
    result.silent = bool(result.announced) and not dropped
    result.remarks.append(f"{result.announced} people in {dropped} records that were dropped unread")


def _deliveries(site: Site, result: Result, *, made: set[str], due: set[Notified]) -> None:
    """Check that every notice came, and always under one id; and every beginning and end of an alert."""
    seen: dict[str, set[str]] = {}
    for one in site.receiver.received:
        seen.setdefault(one.notice.notice_id, set()).add(one.webhook_id)
    missed = due - _ends(one.notice for one in site.receiver.received)
    result.notices_lost = len(made - seen.keys()) + sum(len(ids) > 1 for ids in seen.values()) + len(missed)
    if site.interrupted:
        result.remarks.append(f"{site.interrupted} deliveries interrupted")
    result.notices_repeated = site.receiver.repeated


async def _counted(site: Site) -> Counter[Bucket]:
    """People by bucket, as the changelog has them."""
    held, _ = await Changelog("counts", site.kafka, NoStore()).look(range(PARTITIONS))
    pipeline = SectorPipeline(site.places, Judge(site.places))
    people: Counter[Bucket] = Counter()
    for partition, state in held.items():
        pipeline.restore(partition, {key: value for key, value in state.pairs if value is not None})
        for counts in pipeline.partitions[partition].counts.values():
            for cadence in (Cadence.HOUR, Cadence.DAY):
                series = counts.series[cadence]
                for index, count in enumerate(series.values.tolist(), series.first):
                    people[counts.sector, cadence, index] += count
    return people


async def _without_faults(site: Site) -> tuple[set[str], set[Notified]]:
    """Breaches of closed periods, and what is notified, as the pure cores give them for the same records."""
    by_partition: dict[int, list[Any]] = {}
    for record in await _read(site, "encounters"):
        by_partition.setdefault(record.partition, []).append(record)
    sectors = SectorPipeline(site.places, Judge(site.places))
    alerts, history = AlertPipeline(policies()), NoticeHistory(policies(), site.places)
    breaches, due = set[str](), set[Notified]()
    for partition, records in by_partition.items():
        verdicts: list[Verdict] = []
        for at in range(0, len(records), 10_000):
            verdicts += sectors.process(partition, records[at : at + 10_000]).verdicts
        breaches |= {verdict.verdict_id for verdict in verdicts if verdict.closed and verdict.breach}
        published = [Published(at, one.model_dump_json().encode()) for at, one in enumerate(verdicts)]
        due |= _ends(history.follow(alerts.process(partition, published).changes, time.time()))
    return breaches, due


def _ends(notices: Iterable[Notice]) -> set[Notified]:
    return {(one.alert.alert_id, one.reason) for one in notices if one.reason in ENDS}


async def _read(site: Site, topic: str) -> list[Any]:
    """All records of a topic, also of partitions that a broker just started does not list yet."""
    (partitions,) = (one.partitions for one in site.topics if one.name == topic)
    return await read_all(site.kafka, [Partition(topic, at) for at in range(partitions)])
