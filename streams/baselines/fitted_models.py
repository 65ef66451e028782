"""The models of sectors: when they are fitted, and what is kept between fits.

A model is fitted to the closed periods before the one it is first used for. Fits are spread over the days by
the sector's name, so that not all are due at one midnight. What is kept of a model is a few hundred bytes,
in the sector's detection state.
"""

import zlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from streams.baselines import design_matrix, regression
from streams.baselines.calendar import Calendar
from streams.baselines.calibration import Calibration, unseen
from streams.baselines.fit_history import LEAST, history, length_of
from streams.baselines.gram import Shared
from streams.baselines.group_dispersion import UNKNOWN, group_dispersion
from streams.baselines.level import MEMORY
from streams.baselines.negative_binomial import Floats
from streams.baselines.peer_priors import PeerPrior
from streams.baselines.priors import GROWN, deviations, priors
from streams.contract.cadence import DAY, Cadence
from streams.counting.detection_state import KeptModel
from streams.counting.sector_counts import Counts

EVERY: Final = {Cadence.HOUR: 24, Cadence.DAY: 7, Cadence.WEEK: 1, Cadence.MONTH: 1}  # periods between fits
YOUNG: Final = 60  # days of history below which a series is fitted every day
TOGETHER: Final = 256  # series that are fitted at once: more would not fit into a processor's cache
BLOCK: Final = {Cadence.HOUR: 24}  # periods that share a level of their own
STEPS: Final = 2  # the last ones; older steps have left the history or hardly matter
# Log standard deviation of a level that counts at most: beyond it a gamma approximates no log-normal.
FARTHEST: Final = 2.0

_BYTES: Final = np.dtype(np.float32).itemsize  # of what is kept of a number


class Baseline(NamedTuple):
    """What is normal in n sectors over some periods."""

    mean: Floats  # [n, periods]
    dispersion: Floats  # [n]
    error: Floats  # [n], relative variance of the last mean
    level_variance: Floats  # [n], relative variance of the level from period to period
    tail: Floats  # [n], how much heavier the upper tail is than the negative binomial's
    freedom: Floats  # [n], degrees of freedom of the dispersion
    unseen: Floats  # [n], shape of the upper tail beyond what the past has shown
    tail_below: Floats  # [n], how much heavier the lower tail is
    week_variance: Floats  # [n], relative variance of the level between weeks
    lone_low: Floats  # [n], share of the expected people on the lowest lone low period
    periods: Floats  # [n], that were learnt from

    @property
    def calibration(self) -> Calibration:
        """What p-values allow for."""
        return Calibration(self.tail, self.freedom, self.unseen, self.tail_below, self.lone_low, self.periods)


class Models:
    """Models for the series of one cadence, kept in the detection state of their sectors."""

    def __init__(
        self,
        cadence: Cadence,
        calendar: Callable[[], Calendar],
        peer_prior: Callable[[str, Cadence], PeerPrior | None],
    ) -> None:
        self.cadence = cadence
        self._calendar = calendar
        self._peer_prior = peer_prior  # of a sector, by its border
        self._size = design_matrix.size(cadence) + STEPS

    def are_grown(self, batch: Sequence[Counts], index: int) -> bool:
        """Return whether each has enough history of its own, by period `index`."""
        return all(index - counts.series[self.cadence].first >= GROWN[self.cadence] for counts in batch)

    def ready(self, batch: Sequence[Counts]) -> list[Counts]:
        """Return those that have a model."""
        return [counts for counts in batch if self._kept(counts) is not None]

    def refresh(self, batch: Sequence[Counts], index: int) -> None:
        """Fit what is due, from what is known before period `index`."""
        due: defaultdict[int, list[Counts]] = defaultdict(list)
        for counts in batch:
            if self._is_due(counts, index):
                due[length_of(counts, self.cadence, index)].append(counts)
        for length, group in sorted(due.items()):
            rows = design_matrix.rows(
                self.cadence,
                first=index - length,
                length=length,
                base=index,
                holidays=self._calendar().holidays,
            )
            shared = Shared(rows)
            for start in range(0, len(group), TOGETHER):
                self._fit(group[start : start + TOGETHER], index, length, shared)

    def _fit(self, due: Sequence[Counts], index: int, length: int, shared: Shared) -> None:
        learnt = history(due, self.cadence, index, length, calendar=self._calendar())
        # A step that is about to come has nothing to be learnt from: its effect is all uncertainty at first.
        steps = [self.steps(counts, index + EVERY[self.cadence])[-STEPS:] for counts in due]
        peer_priors = [self._peer_prior(counts.sector, self.cadence) for counts in due]
        fit = regression.fit(
            learnt.people,
            learnt.weight,
            shared=shared,
            steps=_columns(steps, index - length, length),
            prior=priors(
                self.cadence, STEPS, periods=learnt.periods, people=learnt.mean, peer_priors=peer_priors
            ),
            block=BLOCK.get(self.cadence, 0),
            harmonics=design_matrix.HARMONICS[self.cadence],
            moving=self.cadence is Cadence.WEEK,
            memory=MEMORY.get(self.cadence, 0.0),
        )
        for row, counts in enumerate(due):
            periods = int(learnt.periods[row])
            counts.state.of(self.cadence).model = self._keep(
                fit,
                row,
                counts,
                base=index,
                steps=steps[row],
                periods=periods,
                prior=peer_priors[row] if periods < GROWN[self.cadence] else None,
            )

    def _keep(
        self,
        fit: regression.Fit,
        row: int,
        counts: Counts,
        *,
        base: int,
        steps: Sequence[int],
        periods: int,
        prior: PeerPrior | None,
    ) -> KeptModel:
        """Return what is kept of a row of a fit to `periods` of history; `prior` where they are few."""
        is_calibrated = self.cadence in MEMORY
        groups = group_dispersion(counts, base) if is_calibrated and periods < YOUNG else UNKNOWN
        known = groups.combined(float(fit.dispersion[row]), float(fit.freedom[row]))
        return KeptModel(
            base=base,
            steps=tuple(steps),
            periods=periods,
            peers=prior.sectors if prior else 0,
            coefficients=fit.coefficients[row].astype(np.float32).tobytes(),
            covariance=fit.covariance[row].astype(np.float32).tobytes(),
            block_variance=float(fit.block_variance[row]),
            level_variance=float(fit.level_variance[row]),
            tail=float(fit.tail[row]),
            tail_below=float(fit.tail_below[row]),
            lone_low=float(fit.lone_low[row]),
            week_variance=float(fit.week_variance[row]),
            freedom=known.freedom,
            dispersion=known.dispersion,
            # The tails of sectors held to be like others are theirs.
            unseen=unseen(max(periods, groups.hours)) if is_calibrated and not prior else 0.0,
            down_weighted=int(fit.down_weighted[row]),
        )

    def expect(self, batch: Sequence[Counts], index: int, length: int) -> Baseline:
        """Return what is normal in sectors that have a model, for `length` periods up to `index`."""
        kept = [model for counts in batch if (model := self._kept(counts)) is not None]
        mean, error = self._predict(kept, index - length + 1, length)
        return Baseline(
            mean=mean,
            dispersion=np.array([model.dispersion for model in kept]),
            error=error,
            level_variance=np.array([model.level_variance for model in kept]),
            tail=np.array([model.tail for model in kept]),
            freedom=np.array([model.freedom for model in kept]),
            unseen=np.array([model.unseen for model in kept]),
            tail_below=np.array([model.tail_below for model in kept]),
            week_variance=np.array([model.week_variance for model in kept]),
            lone_low=np.array([model.lone_low for model in kept]),
            periods=np.array([model.periods for model in kept], float),
        )

    def _predict(self, kept: Sequence[KeptModel], first: int, length: int) -> tuple[Floats, Floats]:
        """Return means [n, length] from a period on, and the relative variance of the last [n]."""
        size = self._size
        mean, error = np.empty((len(kept), length)), np.empty(len(kept))
        steps = _columns([model.steps for model in kept], first, length)
        bases = np.array([model.base for model in kept])
        for base in np.unique(bases):
            at = np.flatnonzero(bases == base)
            some = [kept[row] for row in at.tolist()]
            mean[at], error[at] = regression.expect(
                _floats([model.coefficients for model in some], size),
                _floats([model.covariance for model in some], size, size),
                design=design_matrix.rows(
                    self.cadence,
                    first=first,
                    length=length,
                    base=int(base),
                    holidays=self._calendar().holidays,
                ),
                steps=steps[at],
            )
        # A level taken from peers can be far off, to either side on a log scale. So its mean is above its
        # median, and a gamma of the same mean and variance approximates it.
        by_peers = np.flatnonzero([model.peers for model in kept])
        level = np.minimum(error[by_peers], FARTHEST**2)
        mean[by_peers] *= np.exp(level[:, None] / 2)
        error[by_peers] = np.expm1(level)
        error += np.array([model.block_variance for model in kept])
        return mean, error

    def learn_peer_prior(self, batch: Sequence[Counts], border: str) -> PeerPrior | None:
        """Return the prior from those sectors of a border with enough history; None without any."""
        # By name, so that sums are the same in whatever order series come.
        by_name = sorted(batch, key=lambda counts: counts.sector)
        known = [kept for counts in by_name if (kept := self._kept(counts)) is not None]
        grown = [one for one in known if one.periods >= GROWN[self.cadence]]
        if not grown:
            return None
        size, terms = self._size, self._size - STEPS
        coefficients = _floats([one.coefficients for one in grown], size)
        covariance = _floats([one.covariance for one in grown], size, size)
        errors = np.diagonal(covariance, axis1=1, axis2=2).copy()
        for row, one in enumerate(grown):  # the level is the one behind the last step
            level = [0, *(terms + at for at, step in enumerate(one.steps) if step < one.base)]
            coefficients[row, 0] = coefficients[row, level].sum()
            errors[row, 0] = covariance[row][np.ix_(level, level)].sum()
        return PeerPrior.learn(
            self.cadence,
            coefficients=coefficients[:, :terms],
            errors=errors[:, :terms],
            dispersion=np.array([one.dispersion for one in grown]),
            usual=np.square(deviations(self.cadence)),
            border=border,
        )

    def _is_due(self, counts: Counts, index: int) -> bool:
        known = index - counts.series[self.cadence].first
        if known < LEAST[self.cadence] and not self._has_peer_prior(counts, known):
            return False
        kept = self._kept(counts)
        steps = self.steps(counts, index + 1)
        return (
            kept is None
            or known < YOUNG
            or not set(steps[-STEPS:]) <= set(kept.steps)
            or (bool(steps) and index - steps[-1] <= YOUNG)
            or (index + zlib.crc32(counts.sector.encode())) % EVERY[self.cadence] == 0
        )

    def _has_peer_prior(self, counts: Counts, known: int) -> bool:
        """Return whether a peer prior stands for a sector that has next to no history."""
        prior = self._peer_prior(counts.sector, self.cadence)
        return prior is not None and (known > 0 or prior.spread[0] <= FARTHEST)

    def _kept(self, counts: Counts) -> KeptModel | None:
        """A sector's model; None where it was fitted with other terms."""
        kept = counts.state.of(self.cadence).model
        fits = kept is not None and len(kept.coefficients) == self._size * _BYTES
        return kept if fits else None

    def steps(self, counts: Counts, before: int) -> list[int]:
        """The periods at which a sector's level stepped: policy dates, and regimes that were found."""
        announced = self._calendar().steps(counts.sector)
        found = counts.state.of(self.cadence).new_levels
        if not announced and not found:
            return []
        known = (*(self.cadence.index(day * DAY) for day in announced), *found)
        return sorted({at for at in known if at < before})


def _floats(kept: Sequence[bytes], *shape: int) -> Floats:
    """Kept arrays of one shape, stacked."""
    return np.frombuffer(b"".join(kept), np.float32).reshape(len(kept), *shape).astype(float)


def _columns(steps: Sequence[Sequence[int]], first: int, length: int) -> Floats:
    """One column for each step of each series: 1 from the step on."""
    out = np.zeros((len(steps), length, STEPS))
    for row, starts in enumerate(steps):
        for column, at in enumerate(starts):
            out[row, max(0, at - first) :, column] = 1
    return out
