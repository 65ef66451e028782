"""Kilobytes of a sector in the streams worker: all windows, slices, models, and a year of daily history.

    python -m benchmarks.memory

The same year is lived through with few and with many sectors; a sector costs the difference, divided by how
many more there are. What counts is what Python and numpy allocate (tracemalloc), not what stays mapped, nor
what is computed once for all sectors. Ids for deduplication are listed separately: they depend on the events
of a sector, not on its history.
"""

import gc
import tempfile
import tracemalloc
from pathlib import Path

from benchmarks import load
from streams.baselines import design_matrix
from streams.contract.sectors import registry
from streams.judging.judge import Judge
from streams.pipelines.sector_pipeline import SectorPipeline
from surgewatch.harness.records import Record

FEW, MANY = 10, 60  # sectors
DAYS, A_DAY = 366, 8  # days; events of a sector in each
FETCH = 2_000


def held(sectors: int) -> tuple[int, int]:
    """Bytes of a pipeline that has lived through the year with so many sectors, and of its ids."""
    with tempfile.TemporaryDirectory() as folder:
        places = registry(load.registry(Path(folder) / "sectors.toml", sectors))
    made = load.events(sectors * DAYS * A_DAY, load.sectors(sectors), DAYS)
    gc.collect()
    tracemalloc.start()
    pipeline = SectorPipeline(places, Judge(places))
    fetch: list[Record] = []
    for at, (sector, text, _, _) in enumerate(made):
        fetch.append(Record(at, text.encode(), key=sector.encode()))
        if len(fetch) == FETCH or at + 1 == sectors * DAYS * A_DAY:
            outcome = pipeline.process(0, fetch, "encounters")
            assert outcome.outcomes["counted"] == len(fetch), outcome.outcomes
            pipeline.dirty()
            fetch.clear()
    design_matrix._shared.cache_clear()
    gc.collect()
    snapshot = tracemalloc.take_snapshot()
    tracemalloc.stop()
    ids = snapshot.filter_traces([tracemalloc.Filter(True, "*streams/counting/dedup.py")])
    return _bytes(snapshot), _bytes(ids)


def _bytes(snapshot: tracemalloc.Snapshot) -> int:
    return sum(one.size for one in snapshot.statistics("filename"))


def main() -> None:
    """Measure and print."""
    held(MANY)  # what is imported and cached once is no sector's
    (few, few_ids), (many, many_ids) = held(FEW), held(MANY)
    ids = (many_ids - few_ids) / (MANY - FEW) / 1024
    print(f"{(many - few) / (MANY - FEW) / 1024 - ids:.1f} KB a sector, and {ids:.1f} KB of ids")


if __name__ == "__main__":
    main()
