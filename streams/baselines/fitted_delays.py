"""The reporting delays of each sector: learnt as periods close, kept in its detection state.

What is kept of a sector is half a kilobyte. Where nothing is reported late, counts are complete as they are.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec.structs import replace

from streams.baselines import reporting_delay
from streams.baselines.negative_binomial import Floats
from streams.baselines.reporting_delay import LEAST, TRUSTED, DelayTotals, ReportedShare
from streams.contract.cadence import Cadence
from streams.counting.detection_state import CadenceState, KeptDelays
from streams.counting.reporting_triangle import CLOSE, EDGES, HORIZON, moment_in
from streams.counting.sector_counts import Counts

HALF: Final = 0.5  # share from which on a period can be called low
SETTLED: Final = 0.95  # share from which on it can be learnt from


def waits(counts: Counts, cadence: Cadence) -> int:
    """Return for how many periods after its end a period cannot be called low."""
    kept = counts.state.of(cadence).delays
    return kept.waits if kept else 0


def settles(counts: Counts, cadence: Cadence) -> int:
    """Return for how many periods after its end a period cannot be learnt from."""
    kept = counts.state.of(cadence).delays
    return kept.settles if kept else 0


def learn(batch: Sequence[Counts], cadence: Cadence, watermark: float) -> None:
    """Learn from every period that is older by `watermark` (epoch seconds) than it was before."""
    late: list[tuple[CadenceState, KeptDelays]] = []
    for counts in batch:
        if cadence not in counts.triangles:
            continue
        state = counts.state.of(cadence)
        before = _of(state.delays, cadence) if state.delays else DelayTotals.empty(cadence, 0)
        now = moment_in(cadence, counts.now(watermark))
        after = before.learn(counts.triangles[cadence], now)
        c, n, _, _, rows = after.sums[:, CLOSE:]
        kept = state.delays = KeptDelays(
            sums=after.sums.tobytes(),
            learnt=after.learnt.tobytes(),
            late=bool(((c < n) & (rows >= LEAST[cadence])).any()),
        )
        if kept.late:
            late.append((state, kept))
    if late:
        ages = np.broadcast_to(np.arange(1.0, HORIZON[cadence] + 1), (len(late), HORIZON[cadence]))
        found = reporting_delay.at(_reported_shares([kept for _, kept in late], cadence), cadence, ages)
        enough = (found.share >= HALF) & (found.doubt <= TRUSTED)
        for row, (state, kept) in enumerate(late):
            state.delays = replace(
                kept,
                waits=int(enough[row].argmax()),
                settles=int((found.share[row] >= SETTLED).argmax()),
            )


def shares(
    batch: Sequence[Counts],
    cadence: Cadence,
    index: int,
    *,
    length: int,
    watermark: float | None,
    is_open: bool,
) -> ReportedShare | None:
    """Return which share of each of `length` periods up to `index` is reported [n, length]; None: all is.

    Where nothing is late, only a period that is still filling has a share below 1.
    """
    if watermark is None:
        return None
    kept = [counts.state.of(cadence).delays for counts in batch]
    late = {row: one for row, one in enumerate(kept) if one is not None and (is_open or one.late)}
    if not late:
        return None
    rows = list(late)
    now = np.array([moment_in(cadence, batch[row].now(watermark)) for row in rows])
    ages = now[:, None] - np.arange(index - length + 1, index + 1.0)[None, :]
    found = reporting_delay.at(_reported_shares(list(late.values()), cadence), cadence, ages)
    share, doubt = np.ones((len(batch), length)), np.zeros((len(batch), length))
    share[rows], doubt[rows] = found
    return ReportedShare(share, doubt)


def _of(kept: KeptDelays, cadence: Cadence) -> DelayTotals:
    return DelayTotals(_sums(kept, cadence), np.frombuffer(kept.learnt, np.int64))


def _sums(kept: KeptDelays, cadence: Cadence) -> Floats:
    return np.frombuffer(kept.sums, np.float64).reshape(5, len(EDGES[cadence]) - 1)


def _reported_shares(kept: Sequence[KeptDelays], cadence: Cadence) -> ReportedShare:
    return reporting_delay.reported_share(np.stack([_sums(one, cadence) for one in kept]), cadence)
