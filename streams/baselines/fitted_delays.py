"""The arrival curves that sectors are judged by: learnt as periods close, and kept with their memory.

What is kept of a sector is half a kilobyte. Where nothing has come late, there is no curve: what is in hand
is all there is, and nothing is thinned.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from streams.baselines import reporting_delay
from streams.baselines.negative_binomial import Floats
from streams.baselines.reporting_delay import LEAST, TRUSTED, Arrivals, Curve
from streams.contract.cadence import Cadence
from streams.counting.reporting_triangle import CLOSE, EDGES, HORIZON, moment_in
from streams.counting.sector_counts import Counts

HALF: Final = 0.5  # share from which on a period can be called low
SETTLED: Final = 0.95  # share from which on it can be learnt from

Known = dict[str, Any]  # sums, learnt (bytes); late (bool); waits, settles (periods)


def known(counts: Counts, cadence: Cadence) -> Known:
    """What is known of a sector's arrivals."""
    found: Known = counts.memory.get(f"arrivals {cadence}", {})
    return found


def waits(counts: Counts, cadence: Cadence) -> int:
    """For how many periods after its end a period cannot be called low."""
    return int(known(counts, cadence).get("waits", 0))


def settles(counts: Counts, cadence: Cadence) -> int:
    """For how many periods after its end a period cannot be learnt from."""
    return int(known(counts, cadence).get("settles", 0))


def learn(batch: Sequence[Counts], cadence: Cadence, clock: float) -> None:
    """Learn from every period that is older by `clock` (event time, epoch seconds) than it was before."""
    heard = [counts for counts in batch if cadence in counts.arrived]
    for counts in heard:
        kept = known(counts, cadence)
        before = _of(kept, cadence) if kept else Arrivals.empty(cadence, 0)
        now = moment_in(cadence, counts.now(clock))
        after = before.learn(counts.arrived[cadence], now)
        c, n, _, _, rows = after.sums[:, CLOSE:]
        late = bool(((c < n) & (rows >= LEAST[cadence])).any())
        counts.memory[f"arrivals {cadence}"] = {
            "sums": after.sums.tobytes(),
            "learnt": after.learnt.tobytes(),
            "late": late,
            "waits": 0,
            "settles": 0,
        }
    tardy = [counts for counts in heard if known(counts, cadence)["late"]]
    if tardy:
        ages = np.broadcast_to(np.arange(1.0, HORIZON[cadence] + 1), (len(tardy), HORIZON[cadence]))
        found = reporting_delay.at(_curves(tardy, cadence), cadence, ages)
        speaks = (found.share >= HALF) & (found.doubt <= TRUSTED)
        for row, counts in enumerate(tardy):
            known(counts, cadence)["waits"] = int(speaks[row].argmax())
            known(counts, cadence)["settles"] = int((found.share[row] >= SETTLED).argmax())


def shares(
    batch: Sequence[Counts], cadence: Cadence, index: int, length: int, clock: float | None, *, is_open: bool
) -> Curve | None:
    """How much has arrived of each of `length` periods up to `index` [n, length]; None where all has.

    Where nothing is late, only a period that is still filling has a share below 1.
    """
    tardy = [
        row
        for row, counts in enumerate(batch)
        if known(counts, cadence) and (is_open or known(counts, cadence)["late"])
    ]
    if clock is None or not tardy:
        return None
    now = np.array([moment_in(cadence, batch[row].now(clock)) for row in tardy])
    ages = now[:, None] - np.arange(index - length + 1, index + 1.0)[None, :]
    found = reporting_delay.at(_curves([batch[row] for row in tardy], cadence), cadence, ages)
    share, doubt = np.ones((len(batch), length)), np.zeros((len(batch), length))
    share[tardy], doubt[tardy] = found
    return Curve(share, doubt)


def _of(kept: Known, cadence: Cadence) -> Arrivals:
    links = len(EDGES[cadence]) - 1
    return Arrivals(
        np.frombuffer(kept["sums"], np.float64).reshape(5, links), np.frombuffer(kept["learnt"], np.int64)
    )


def _curves(batch: Sequence[Counts], cadence: Cadence) -> Curve:
    links = len(EDGES[cadence]) - 1
    sums: Floats = np.stack(
        [np.frombuffer(known(counts, cadence)["sums"], np.float64).reshape(5, links) for counts in batch]
    )
    return reporting_delay.curve(sums, cadence)
