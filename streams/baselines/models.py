"""The models that sectors are judged by: when they are fitted, and how they are kept between fits.

A model is fitted to the closed periods before the one it is first used for. Fits are spread over the days, by
the sector's name, so that no midnight fits them all. What is kept of a model is a few hundred bytes.
"""

import zlib
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from streams.baselines import curves, regression
from streams.baselines.dates import Calendar
from streams.baselines.regression import Model
from streams.baselines.tails import Floats
from streams.calendar import DAY, Cadence
from streams.counts import Counts

HISTORY: Final = {
    Cadence.HOUR: 28 * 24,
    Cadence.DAY: 3 * 366,
    Cadence.WEEK: 520,
    Cadence.MONTH: 120,
}  # periods that are learnt from
HALF: Final = {Cadence.MONTH: 24}  # periods after which one counts half: years differ more than a trend tells
EVERY: Final = {Cadence.HOUR: 24, Cadence.DAY: 7, Cadence.WEEK: 1, Cadence.MONTH: 1}  # periods between fits
YOUNG: Final = 60  # days of history below which every day brings a fit
BLOCK: Final = {Cadence.HOUR: 24}  # periods that share a level of their own
STEPS: Final = 2  # the last ones; older steps have left the history or hardly matter
LEAST: Final = {
    Cadence.HOUR: 7 * 24,
    Cadence.DAY: 7,
    Cadence.WEEK: 4,
    Cadence.MONTH: 4,
}  # periods before there is any model


class Models:
    """Models for the series of one cadence, kept in the memory of their sectors."""

    def __init__(self, cadence: Cadence, calendar: Callable[[], Calendar]) -> None:
        self.cadence = cadence
        self._calendar = calendar
        self._size = regression.priors(cadence, STEPS, np.zeros(1)).shape[1]

    def ready(self, batch: Sequence[Counts]) -> list[Counts]:
        """Those that have a model."""
        return [counts for counts in batch if self._kept(counts) is not None]

    def refresh(self, batch: Sequence[Counts], index: int) -> None:
        """Fit what is due, from what is known before period `index`."""
        due = [counts for counts in batch if self._is_due(counts, index)]
        if not due:
            return
        first = min(counts.series[self.cadence].first for counts in due)
        length = min(index - first, HISTORY[self.cadence])
        base = index - length
        values = np.stack([counts.series[self.cadence].window(index - 1, length) for counts in due]).astype(
            float
        )
        starts = np.array([counts.series[self.cadence].first for counts in due])
        present = (np.arange(base, index)[None, :] >= starts[:, None]).astype(float)
        for row, counts in enumerate(due):
            gaps = np.array(counts.memory.get(f"gaps {self.cadence}", []), int) - base
            present[row, gaps[(gaps >= 0) & (gaps < length)]] = 0
            # What has not arrived yet would teach too low a level.
            unsettled = curves.settles(counts, self.cadence) - 1
            if 0 < unsettled <= length - LEAST[self.cadence]:
                present[row, length - unsettled :] = 0
        if self.cadence in HALF:
            present *= 0.5 ** (np.arange(length, 0, -1) / HALF[self.cadence])
        rows = regression.design(self.cadence, base, length, index, self._calendar().holidays)
        # A step that is about to come has nothing to be learnt from: its effect is all uncertainty at first.
        steps = [self.steps(counts, index + EVERY[self.cadence])[-STEPS:] for counts in due]
        columns = _columns(steps, base, length)
        model = regression.fit(
            values,
            present,
            rows,
            columns,
            regression.priors(self.cadence, STEPS, (present > 0).sum(1)),
            index,
            BLOCK.get(self.cadence, 0),
            regression.HARMONICS[self.cadence],
            self.cadence is Cadence.WEEK,
        )
        for row, counts in enumerate(due):
            counts.memory[f"model {self.cadence}"] = {
                "base": index,
                "steps": steps[row],
                "periods": int((present[row] > 0).sum()),
                "coefficients": model.coefficients[row].astype(np.float32).tobytes(),
                "covariance": model.covariance[row].astype(np.float32).tobytes(),
                "wander": float(model.wander[row]),
                "dispersion": float(model.dispersion[row]),
                "down_weighted": int(model.down_weighted[row]),
            }

    def expect(self, batch: Sequence[Counts], index: int, length: int) -> tuple[Floats, Floats, Floats]:
        """For `length` periods up to `index`: means [n, length]; dispersion [n]; the last one's error [n]."""
        kept = [counts.memory[f"model {self.cadence}"] for counts in batch]
        size = self._size
        mean, error = np.empty((len(batch), length)), np.empty(len(batch))
        first = index - length + 1
        steps = _columns([one["steps"] for one in kept], first, length)
        bases = np.array([one["base"] for one in kept])
        for base in np.unique(bases):
            at = np.flatnonzero(bases == base)
            model = Model(
                np.stack([np.frombuffer(kept[row]["coefficients"], np.float32) for row in at]).astype(float),
                np.stack(
                    [np.frombuffer(kept[row]["covariance"], np.float32).reshape(size, size) for row in at]
                ).astype(float),
                np.ones(len(at)),
                np.zeros(len(at)),
                int(base),
                np.zeros(len(at)),
            )
            rows = regression.design(self.cadence, first, length, int(base), self._calendar().holidays)
            mean[at], error[at] = model.expect(rows, steps[at])
        error += np.array([one["wander"] for one in kept])
        return mean, np.array([one["dispersion"] for one in kept]), error

    def _is_due(self, counts: Counts, index: int) -> bool:
        known = index - counts.series[self.cadence].first
        if known < LEAST[self.cadence]:
            return False
        kept = self._kept(counts)
        steps = self.steps(counts, index + 1)
        return (
            kept is None
            or known < YOUNG
            or not set(steps[-STEPS:]) <= set(kept["steps"])
            or (bool(steps) and index - steps[-1] <= YOUNG)
            or (index + zlib.crc32(counts.sector.encode())) % EVERY[self.cadence] == 0
        )

    def _kept(self, counts: Counts) -> dict[str, Any] | None:
        """A sector's model; none where it is of another version's terms (from older state)."""
        kept: dict[str, Any] | None = counts.memory.get(f"model {self.cadence}")
        fits = kept is not None and len(kept["coefficients"]) == self._size * np.float32().nbytes
        return kept if fits else None

    def steps(self, counts: Counts, before: int) -> list[int]:
        """The periods at which a sector's level stepped: policy dates, and regimes that were found."""
        announced = [self.cadence.index(day * DAY) for day in self._calendar().steps(counts.sector)]
        found = counts.memory.get(f"regimes {self.cadence}", [])
        return sorted({at for at in (*announced, *found) if at < before})


def _columns(steps: Sequence[Sequence[int]], first: int, length: int) -> Floats:
    """One column for each step of each series: 1 from the step on."""
    out = np.zeros((len(steps), length, STEPS))
    for row, starts in enumerate(steps):
        for column, at in enumerate(starts):
            out[row, max(0, at - first) :, column] = 1
    return out
