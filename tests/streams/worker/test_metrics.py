"""What the streams worker shows of a sector is its newest period, by itself."""

from streams.contract.cadence import Cadence
from streams.contract.sectors import registry
from streams.contract.verdicts import DataStatus, Verdict
from streams.counting.decoder import Event, Heartbeat
from streams.counting.sector_counts import Counts
from streams.pipelines.sector_pipeline import SectorOutput
from streams.worker.metrics import Metrics
from tests.alerts.made import verdict

WEEK = {"window": 7, "period_lower": 3, "period_upper": 12, "recent": (5, 21), "recent_expected": (6, 7)}


def with_data(counts: Counts) -> DataStatus:
    return DataStatus.WITH_DATA


def shown(*verdicts: Verdict) -> list[float | None]:
    metrics = Metrics(registry())
    metrics.outcome(SectorOutput(verdicts=list(verdicts)))
    metrics.state({0: (0, [Counts("swanton")])}, now=0.0, status_of=with_data)
    at = {"sector": "swanton", "window": "day"}
    names = ("observed", "expected", "lower", "upper")
    return [metrics.registry.get_sample_value(f"surgewatch_{name}", at) for name in names]


def test_a_day_is_shown_alone_though_the_week_has_the_larger_figures() -> None:
    assert shown(verdict(0, breach=True, observed=140, **WEEK)) == [21, 7, 3, 12]


def test_an_older_period_judged_again_does_not_take_the_place_of_the_newest() -> None:
    newest, older = verdict(5, breach=True, observed=90), verdict(2, breach=True, observed=70)
    assert shown(newest, older) == shown(newest) == [90, 30, 15, 50]


def test_who_came_is_shown_of_the_last_closed_day_alone() -> None:
    counts, day = Counts("swanton"), 86_400
    families = ("between_ports", "family_unit", "HAITI", None, None)
    counts.add(
        [
            Event(at, f"e{at}", "swanton", at * day, at * day, at * day, 3 * (at + 1), *families)
            for at in (0, 1)
        ]
    )
    counts.closed[Cadence.DAY] = 0
    metrics = Metrics(registry())
    metrics.state({0: (day, [counts])}, now=2.0 * day, status_of=with_data)
    assert {
        (sample.labels["kind"], sample.labels["slice"]): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "surgewatch_slice_people"
    } == {
        ("citizenship", "HAITI"): 3,
        ("demographic", "family_unit"): 3,
        ("crossing_type", "between_ports"): 3,
    }


def test_the_series_of_a_sector_that_moved_to_another_worker_vanish() -> None:
    metrics = Metrics(registry())
    metrics.outcome(SectorOutput(verdicts=[verdict(0, breach=True, observed=140)]))
    metrics.state({0: (0, [Counts("swanton")]), 1: (0, [Counts("blaine")])}, now=0.0, status_of=with_data)
    assert {"swanton", "blaine"} <= sectors_shown(metrics)
    metrics.state({1: (0, [Counts("blaine")])}, now=0.0, status_of=with_data)
    assert sectors_shown(metrics) == {"blaine"}


def sectors_shown(metrics: Metrics) -> set[str]:
    """Sectors with a gauge."""
    return {
        sample.labels["sector"]
        for family in metrics.registry.collect()
        for sample in family.samples
        if family.type == "gauge" and "sector" in sample.labels
    }


def test_a_source_is_shown_once_by_its_newest_heartbeat_and_the_sectors_it_left() -> None:
    here, there = Counts("swanton"), Counts("blaine")
    for counts, at in ((here, 60), (there, 90)):
        counts.observe(Heartbeat(0, "customs", counts.sector, at, at, 10, False), at)
    here.state.stopped = {"customs": 60}
    metrics = Metrics(registry())
    metrics.state({0: (0, [here]), 1: (0, [there])}, now=100.0, status_of=with_data)
    at = {"source": "customs"}
    assert metrics.registry.get_sample_value("surgewatch_feed_age_seconds", at) == 10
    assert metrics.registry.get_sample_value("surgewatch_feed_stopped_sectors", at) == 1


def test_a_sector_whose_time_a_wrong_broker_has_moved_is_counted() -> None:
    now = 1_700_000_000
    metrics = Metrics(registry())
    sectors = [Counts("swanton"), Counts("tucson"), Counts("blaine")]
    for counts, ahead in zip(sectors, (-3_600, 3_600, 86_400), strict=True):
        counts.watermark = (now + ahead) // 3_600
    metrics.state({0: (now, sectors)}, now=now, status_of=with_data)
    assert metrics.registry.get_sample_value("surgewatch_sectors_ahead") == 1
    metrics.state({}, now=now, status_of=with_data)
    assert metrics.registry.get_sample_value("surgewatch_sectors_ahead") == 0
