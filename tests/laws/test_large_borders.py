"""The state of a border that looks at as many sectors as it may fits into a record that the broker takes."""

import numpy as np

from streams.contract.cadence import Cadence
from streams.contract.sectors import TOGETHER, Registry, Sector
from streams.judging.border_judge import FIGURES, KEEP, BorderJudge
from streams.pipelines.border_queue import BorderQueue

RECORD = 1_000_000  # bytes: a broker takes 1,048,588 by default
LONG = "x" * 60


def test_the_largest_border_is_within_a_record() -> None:
    """Ids as long as they may be, a full history, and every sector in the queue's own record."""
    ids = [f"{LONG}-{at:03}" for at in range(TOGETHER)]
    places = Registry(
        sector=tuple(
            Sector(id=name, name=name, country="US", border="b", neighbours=(ids[at - 1],) if at else ())
            for at, name in enumerate(ids)
        )
    )
    judge = BorderJudge(places, "b", Cadence.DAY)
    judge._history = np.full((FIGURES, TOGETHER, KEEP), 1.1, np.float32)
    queue = BorderQueue(judge)
    queue._newest = dict.fromkeys(ids, 10**6)
    queue._joins = dict.fromkeys(ids, 10**6)
    queue._idle = set(ids)
    ((_, value),) = queue.pairs()
    assert value is not None
    assert 0.5 * RECORD < len(value) < RECORD
