"""How soon the live pipeline alerts on surges of some hours, at the default budget.

    python -m benchmarks.early_alarms

Lives through the hourly suite (`SURGEWATCH_BENCH` names its folder): 300 series of half a person to 150 a
day, with a surge each, and the same without. *Days alone* is the same judge who looks at no hour by itself.
"""

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.detection import BENCH
from streams.contract.questions import Look
from streams.contract.sectors import Registry, Sector
from streams.contract.verdicts import Question, Verdict
from streams.counting.sector_counts import Counts
from streams.judging.judge import Judge
from streams.pipelines.sector_pipeline import SectorPipeline
from surgewatch.harness.records import Record

START, HOUR = 1_325_462_400, 3_600  # 2012-01-02
LEARNT = 90 * 24  # hours before the first that is judged


class DaysAlone(Judge):
    """Looks at no hour by itself."""

    def ask(self, look: Look, sectors: Iterable[Counts], **period: Any) -> list[Verdict]:
        return [] if look is Look.HOUR else super().ask(look, sectors, **period)


def alarms(counts: NDArray[np.int64], judge: type[Judge]) -> dict[int, list[int]]:
    """Return by series the hours, from LEARNT on, in which a surge was published."""
    places = Registry(
        sector=tuple(
            Sector(id=f"s{at}", name=f"S{at}", country="US", border="b") for at in range(len(counts))
        )
    )
    flow, offset = SectorPipeline(places, judge(places), wall_clock=True), 0
    hours_by_series = dict[int, list[int]]()
    for hour in range(counts.shape[1]):
        at, records = dt.datetime.fromtimestamp(START + hour * HOUR + 1800, dt.UTC).isoformat(), []
        for sector in np.flatnonzero(counts[:, hour]).tolist():
            event = {
                "event_id": f"e{offset}",
                "occurred_at": at,
                "sector": f"s{sector}",
                "crossing_type": "between_ports",
                "demographic": "unknown",
                "count": int(counts[sector, hour]),
            }
            records.append(Record(offset, json.dumps(event).encode(), (START + hour * HOUR + 1800) * 1000))
            offset += 1
        verdicts = flow.process(0, records).verdicts if records else []
        verdicts += flow.tick(START + (hour + 1) * HOUR + 1).verdicts
        for one in verdicts:
            if one.breach and one.question is Question.SURGE and hour >= LEARNT:
                hours_by_series.setdefault(int(one.sector[1:]), []).append(hour - LEARNT)
    return hours_by_series


def main() -> None:
    """Measure and print."""
    suite = dict(np.load(BENCH / "hourly.npz"))
    surges, level = suite["out"][:, LEARNT:] > 0, suite["L"]
    months = surges.size / 730
    print(
        f"{'':<12}{'false / month':>14}{'found':>8}{'at 150 a day':>14}{'within 3 h':>12}{'median delay':>14}"
    )
    for judge in (DaysAlone, Judge):
        false = {(at, hour // 24) for at, hours in alarms(suite["base"], judge).items() for hour in hours}
        episodes = sum((at, day - 1) not in false for at, day in false)
        delays: dict[int, int] = {}
        for at, hours in alarms(suite["tot"], judge).items():
            during = np.flatnonzero(surges[at])
            hit = [hour for hour in hours if during[0] <= hour <= during[-1] + 24]
            if hit:
                delays[at] = hit[0] - int(during[0])
        found = np.isin(np.arange(len(level)), list(delays))
        soon = sum(delay < 3 for delay in delays.values()) / len(level)
        name, delay = "days alone" if judge is DaysAlone else "with hours", np.median(list(delays.values()))
        large = found[level == level.max()].mean()
        shares = f"{found.mean():>8.2f}{large:>14.2f}{soon:>12.2f}"
        print(f"{name:<12}{episodes / months:>14.3f}{shares}{delay:>12.0f} h")


if __name__ == "__main__":
    main()
