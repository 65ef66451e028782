"""Record: higher than ever, or than for a long time.

A rule of rank: the last period against all that is kept. It counts only where it is also unusual, beats the
old record clearly (in calm times a new one comes every so often, by one or two people), and has a past that
is long enough. The record of a surge is in the surge's evidence, and no second breach.

Of n + 1 periods the last is the highest with chance 1 / (n + 1), whatever their tail is like. That it is so
much higher than the second is as probable as the baseline's tail has it beyond that one. Both together have
to be far less probable than the count alone.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.baselines.negative_binomial import Floats, at_least
from streams.contract.questions import Question
from streams.detectors import RECORD_PAST, Bools, Details, Finding, SectorView

LEAST: Final = 10  # people in the period: fewer are no record worth an alert
BEATEN_BY, BEATEN_TIMES = 5, 1.2  # people more, and times more, than the old record
LOOKED_BACK: Final = 3 * 366  # periods
RANK: Final = 0.02  # of alpha: how improbable a record has to be by its rank and the old record


class Record(NamedTuple):
    """What was found in n series."""

    breach: Bools
    last_as_high: NDArray[np.int64]  # periods ago that it was at least so high; 0 is never
    highest: Floats  # of the past


def judge(
    past: Floats,
    present: Floats,
    observed: Floats,
    *,
    p_value: Floats,
    alpha: Floats | float,
    least_past: int,
) -> Record:
    """Hold `observed` [n] against `past` [n, T] (oldest first), where `present` [n, T] is 1.

    A record that is more probable than `alpha` is none.

    >>> past, now, tail = np.array([[3.0, 30, 12]]), np.array([20.0]), np.array([0.01])
    >>> found = judge(past, np.ones((1, 3)), now, p_value=tail, alpha=0.05, least_past=2)
    >>> bool(found.breach[0]), int(found.last_as_high[0])
    (False, 2)
    """
    held = np.where(present > 0, past, -1.0)
    as_high = held[:, ::-1] >= observed[:, None]
    ago = np.where(as_high.any(1), as_high.argmax(1) + 1, 0)
    highest = held.max(1, initial=0.0)
    enough = (present.sum(1) >= least_past) & (observed >= LEAST) & (p_value <= alpha)
    beaten = (observed >= highest + BEATEN_BY) & (observed >= BEATEN_TIMES * highest)
    return Record(enough & beaten & (ago == 0), ago, highest)


def detect(view: SectorView, alpha: Floats) -> Finding:
    """Judge the last period; `alpha` is how unusual a record has to be besides its rank."""
    series = [counts.series[view.cadence] for counts in view.sectors]
    past = np.stack([each.window(view.index - 1, LOOKED_BACK) for each in series]).astype(float)
    present = np.arange(view.index - LOOKED_BACK, view.index)[None, :] >= view.first()[:, None]
    now, seen = view.observed[:, -1], view.cautious()
    tail = view.calibration.upper(at_least(now, seen.mean[:, -1], seen.last))
    found = judge(
        past, present.astype(float), now, p_value=tail, alpha=alpha, least_past=RECORD_PAST[view.cadence]
    )

    before = view.calibration.upper(at_least(found.highest, seen.mean[:, -1], seen.last))
    by_rank = tail / np.maximum(before, tail) / (present.sum(1) + 1)
    breach = found.breach & (by_rank <= RANK * alpha) & ~_is_surge(view)

    def details(row: int) -> Details:
        return Details(record=bool(breach[row]), remark=f"highest before: {found.highest[row]:.0f}")

    return Finding(
        breach=breach,
        p_value=tail,
        alpha=alpha,
        observed=now,
        expected=view.mean[:, -1],
        dispersion=view.dispersion,
        window=np.ones(len(now), np.int64),
        details=details,
    )


def _is_surge(view: SectorView) -> Bools:
    """Return where the period is in breach as a surge, which is asked before."""
    stand = [counts.state.of(view.cadence).breaches.get(Question.SURGE) for counts in view.sectors]
    return np.array([surge is not None and surge.last >= view.index for surge in stand], bool)
