"""A sector is counted in one partition only, whatever partitioner a producer uses."""

from hypothesis import given
from hypothesis import strategies as st

from streams.contract.dead_letters import Reason
from streams.contract.partitioning import partition_of
from streams.contract.sectors import registry
from streams.judging.judge import Judge
from streams.pipelines.sector_pipeline import SectorPipeline
from surgewatch.harness.records import Record

PLACES = registry()
NAMES = [sector.id for sector in PLACES.sector][:8]


def home(sector: str) -> int:
    return partition_of(sector.encode(), 4)


def record(offset: int, sector: str) -> Record:
    value = (
        f'{{"event_id":"e{offset}","occurred_at":"2023-11-14T10:00:00Z","sector":"{sector}",'
        '"crossing_type":"between_ports","demographic":"single_adult","count":1}'
    )
    return Record(offset, value.encode())


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(NAMES)), min_size=1, max_size=40))
def test_every_event_is_counted_at_home_or_is_a_dead_letter(sent: list[tuple[int, str]]) -> None:
    pipeline = SectorPipeline(PLACES, Judge(PLACES), home=home)
    counted = misplaced = 0
    for offset, (partition, sector) in enumerate(sent):
        output = pipeline.process(partition, [record(offset, sector)])
        counted += output.outcomes["counted"]
        misplaced += output.reasons[Reason.MISPLACED]
        assert (home(sector) == partition) == (not output.dead)
    assert counted + misplaced == len(sent)
    held = [(at, sector) for at, part in pipeline.partitions.items() for sector in part.counts]
    assert all(home(sector) == at for at, sector in held)


def test_the_dead_letter_names_the_partition_and_the_setting() -> None:
    pipeline = SectorPipeline(PLACES, Judge(PLACES), home=home)
    (letter,) = pipeline.process(1, [record(0, "swanton")]).dead
    assert letter.reason is Reason.MISPLACED
    assert "belongs to partition 0" in letter.detail
    assert "partitioner=murmur2_random" in letter.detail
