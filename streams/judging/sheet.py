"""Hold what a period looks like for n sectors: the arrays that detectors are given."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Self

import numpy as np

from streams.baselines.negative_binomial import Floats
from streams.baselines.reporting_delay import TRUSTED, pooled
from streams.contract.cadence import Cadence
from streams.counting.sector_counts import Counts
from streams.judging.operating_limits import OperatingLimits

LONGEST: Final = 28  # periods that are looked at together


class Late(NamedTuple):
    """Which part of the periods has arrived; all [n, LONGEST]."""

    share: Floats
    doubt: Floats  # relative variance of the share
    spread: Floats  # dispersion of what has arrived
    whole: Floats  # mean of all that is to come


@dataclass(frozen=True)
class Sheet:
    """What a period looks like for n sectors: the arrays that detectors are given."""

    limits: OperatingLimits
    cadence: Cadence
    index: int
    batch: Sequence[Counts]
    observed: Floats  # [n, LONGEST], the judged period last
    mean: Floats  # [n, LONGEST], of what has arrived by now
    dispersion: Floats  # [n], of whole periods
    error: Floats  # [n]
    alpha: Floats  # [n], for the surge
    closed: bool
    as_of: float
    late: Late | None = None  # None: all has arrived
    early: bool = False  # a look at what has arrived of a period that is still filling
    again: bool = False  # a later period has been judged before: nothing is to be remembered of this one
    occasion: str = ""  # of the look: "" where a period closes, else "revision", "peek", "early", "hour 471"

    def pooled(self, windows: Sequence[int]) -> Floats:
        """The dispersion of the last periods together: [n], or [n, windows] where not all has arrived."""
        if self.late is None:
            return self.dispersion
        return pooled(self.mean, self.late.spread, self.late.doubt, windows)

    @property
    def each(self) -> Floats:
        """The dispersion of each period by itself [n, LONGEST]."""
        if self.late is None:
            return np.broadcast_to(self.dispersion[:, None], self.mean.shape)
        return self.late.spread + self.mean * self.late.doubt

    @property
    def last(self) -> Floats:
        """The dispersion of the judged period [n]."""
        return self.pooled((1,)).reshape(-1)

    def cautious(self) -> Self:
        """The same, but whole where nobody knows well how much has arrived.

        Then nothing is called high that would not be high if all had arrived: more can come, less cannot.
        """
        if self.late is None:
            return self
        share, doubt, spread, whole = self.late
        sure = doubt <= TRUSTED
        late = Late(
            np.where(sure, share, 1.0),
            np.where(sure, doubt, 0.0),
            np.where(sure, spread, self.dispersion[:, None]),
            whole,
        )
        return replace(self, mean=np.where(sure, self.mean, whole), late=late)
