"""An event of 1900, as a date that somebody left empty, beside one of today: all that lies between is cut.

A worker must not hang in it, and what it publishes and holds at once is bounded.
"""

import datetime as dt
import json
from collections import Counter

import pytest

from streams.contract.cadence import Cadence
from streams.contract.sectors import registry
from streams.counting.series import KEEP
from streams.judging.judge import Judge
from streams.pipelines.due_hours import EMPTY
from streams.pipelines.sector_pipeline import SectorOutput, SectorPipeline
from surgewatch.harness.records import Record

NOW = 1_764_000_000  # 2025-11-24
TODAY, YESTERYEAR = "2025-11-24T15:59:00Z", "1900-01-02T03:00:00Z"
BUDGET = 64
PLACES = registry()
SECTORS = [sector.id for sector in PLACES.sector]


def events(sectors: list[str], *moments: str, period: str | None = None) -> list[Record]:
    """One event of each sector at each moment, which all come today."""
    bodies = [
        {
            "event_id": f"{sector} {moment}", "occurred_at": moment, "sector": sector, "count": 3,
            "crossing_type": "between_ports", "demographic": "single_adult", "period": period,
        }
        for moment in moments
        for sector in sectors
    ]  # fmt: skip
    return [Record(at, json.dumps(body).encode(), NOW * 1000) for at, body in enumerate(bodies)]


def pieces(records: list[Record], budget: int | None = BUDGET) -> list[SectorOutput]:
    pipeline = SectorPipeline(PLACES, Judge(PLACES), wall_clock=True, budget=budget)
    outputs = [pipeline.process(0, records)]
    while outputs[-1].more:
        outputs.append(pipeline.proceed(0))
    assert sum(output.outcomes["counted"] for output in outputs) == len(records)
    return outputs


@pytest.mark.parametrize("period", [None, "day"])
def test_the_empty_periods_of_a_century_are_summed_up_in_pieces_and_no_further_back_than_counts_are_kept(
    period: str | None,
) -> None:
    outputs = pieces(events(SECTORS[:9], YESTERYEAR, TODAY, period=period))
    most = KEEP[Cadence.DAY] * max(len(borders) for borders in PLACES.audience.values())
    assert max(len(output.summaries) for output in outputs) <= most + 2 * BUDGET
    by_sector = Counter((one.sector, one.border) for output in outputs for one in output.summaries)
    assert max(by_sector.values()) <= KEEP[Cadence.DAY] + EMPTY[Cadence.DAY] + 3


def test_borders_get_the_summaries_of_a_sector_in_the_order_of_its_periods_wherever_work_is_cut() -> None:
    """A year of nobody, then people again."""
    records = events(["swanton"], "2024-01-05T12:00:00Z", "2025-03-01T12:00:00Z", "2025-03-04T12:00:00Z")
    for budget in (None, 10, BUDGET):
        summed = [one for output in pieces(records, budget) for one in output.summaries]
        periods = [one.period for one in summed if one.border == summed[0].border]
        assert periods == sorted(periods)
        days = (periods[-1] - periods[0]) / dt.timedelta(days=1)
        assert len(periods) == round(days) + 1
