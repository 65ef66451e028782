"""A sector that is taken out of the registry is judged no more, and comes back with its state."""

import pytest

from streams.contract.sectors import Registry
from streams.counting.state_version import StateVersionError
from streams.judging.judge import Judge
from streams.pipelines.sector_pipeline import SectorPipeline
from surgewatch.harness.records import Record
from tests.laws.reading import DAY, NAMES, PLACES, START, story

DAYS, LATER = 24, START + 90 * DAY
GONE = "a"


def pipeline(*names: str) -> SectorPipeline:
    places = Registry(
        sector=tuple(
            sector.model_copy(update={"neighbours": tuple(set(sector.neighbours) & {*names})})
            for sector in PLACES.sector
            if sector.id in names
        )
    )
    return SectorPipeline(places, Judge(places), wall_clock=True)


def state(of: SectorPipeline) -> dict[bytes, bytes]:
    return {key: value for key, value in of.dirty()[0] if value is not None}


def test_nobody_waits_for_a_sector_that_the_registry_no_longer_has() -> None:
    before = pipeline(*NAMES)
    before.process(
        0, [Record(at, one.value, one.appended_at * 1000) for at, one in enumerate(story(5, DAYS, live=True))]
    )
    held = state(before)
    assert any(verdict.sector == GONE for verdict in before.tick(LATER).verdicts)
    without = pipeline(*(set(NAMES) - {GONE}))
    without.restore(0, held)
    output = without.tick(LATER)
    assert {verdict.sector for verdict in output.verdicts} == set(NAMES) - {GONE}
    held |= state(without)
    again = pipeline(*NAMES)
    again.restore(0, held)
    assert again.partitions[0].counts[GONE].people > 0


def test_state_of_no_sector_at_all_is_refused_all_the_same() -> None:
    with pytest.raises(StateVersionError):
        pipeline(*NAMES).restore(0, {b"\xff": b"1"})
