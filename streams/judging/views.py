"""What a period of n sectors looks like beside what is normal there."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from streams.baselines import fitted_delays, reporting_delay
from streams.baselines.fitted_models import Baseline, Models
from streams.baselines.gaps import gaps
from streams.baselines.level import MEMORY, follow
from streams.baselines.negative_binomial import Floats
from streams.contract.cadence import HOUR, Cadence
from streams.contract.questions import Look
from streams.counting.sector_counts import Counts
from streams.counting.series import period_at
from streams.detectors import LONGEST, Reported, SectorView
from streams.judging.operating_limits import OperatingLimits
from streams.judging.weekdays import as_lately


class Views:
    """Makes views by the models of each cadence and the limits that hold now."""

    def __init__(self, models: Mapping[Cadence, Models], limits: OperatingLimits) -> None:
        self._models, self._limits = models, limits

    def of(
        self,
        sectors: Sequence[Counts],
        look: Look,
        cadence: Cadence,
        index: int,
        *,
        as_of: float | None = None,
        watermark: float | None = None,
    ) -> SectorView | None:
        """Return the view of those sectors that have a model, of the LONGEST periods up to `index`.

        None where no sector has. `as_of` is the end of the period where it is not given; where there is no
        `watermark` every period is held to be fully reported.
        """
        models = self._models[cadence]
        ready = models.ready(sectors)
        if not ready:
            return None
        baseline = models.expect(ready, index, LONGEST)
        view = _at_baseline(
            ready,
            baseline,
            look=look,
            cadence=cadence,
            index=index,
            as_of=cadence.start(index + 1) if as_of is None else as_of,
            capacity=[self._limits.capacity(counts.sector) for counts in ready],
        )
        view = _as_reported(as_lately(_without_gaps(view, self._limits)), watermark)
        return _as_seen(_at_its_level(view, baseline.level_variance))

    def settled(self, view: SectorView, watermark: float | None) -> Iterator[SectorView]:
        """The periods of which enough is reported now, oldest first; each sector's periods come once."""
        due: defaultdict[int, list[Counts]] = defaultdict(list)
        for counts in view.sectors:
            state = counts.state.of(view.cadence)
            reached = view.index - fitted_delays.waits(counts, view.cadence)
            before = view.index - 1 if state.settled is None else state.settled
            for index in range(max(before, view.index - LONGEST) + 1, reached + 1):
                due[index].append(counts)
            newest = max(before, reached)
            state.settled = newest if newest < view.index else None
        for index, sectors in sorted(due.items()):
            if index == view.index and len(sectors) == len(view.sectors):
                yield view
            elif older := self.of(
                sectors, Look.CLOSED, view.cadence, index, as_of=view.as_of, watermark=watermark
            ):
                yield older


def _at_baseline(
    sectors: Sequence[Counts],
    baseline: Baseline,
    *,
    look: Look,
    cadence: Cadence,
    index: int,
    as_of: float,
    capacity: Sequence[float | None],
) -> SectorView:
    """What was counted in the periods up to `index`, beside the baseline."""
    series = [counts.series[cadence] for counts in sectors]
    # Periods before a sector's first event are not zeros but nothing: they weigh on neither side.
    starts = np.array([each.first for each in series])
    known = np.arange(index - LONGEST + 1, index + 1)[None, :] >= starts[:, None]
    return SectorView(
        look=look,
        cadence=cadence,
        index=index,
        as_of=as_of,
        sectors=sectors,
        observed=np.stack([each.window(index, LONGEST) for each in series]).astype(float),
        mean=np.where(known, baseline.mean, 0.0),
        dispersion=baseline.dispersion,
        error=baseline.error,
        week_variance=baseline.week_variance,
        calibration=baseline.calibration,
        capacity=capacity,
    )


def _as_seen(view: SectorView) -> SectorView:
    """The same, with no more expected than was ever seen: a trend or years of zeros can mislead a fit.

    Where peer priors speak, others have seen it.
    """
    cadence, mean = view.cadence, view.mean
    higher = mean.max(1) > np.maximum(view.observed[:, :-1].max(1), 1.0)  # than the periods at hand
    for row in np.flatnonzero(higher).tolist():
        counts = view.sectors[row]
        model = counts.state.of(cadence).model
        most = max(counts.series[cadence].highest(view.index), 1)
        if model is not None and not model.peers and mean[row].max() > most:
            mean = mean.copy() if mean is view.mean else mean
            mean[row] = np.minimum(mean[row], most)
    return view if mean is view.mean else replace(view, mean=mean)


def _without_gaps(view: SectorView, limits: OperatingLimits) -> SectorView:
    """The same, with nothing expected in periods without data, and those marked that have data in part."""
    cadence, first = view.cadence, view.index - LONGEST + 1
    found = [gaps(counts, cadence, first, LONGEST, calendar=limits.calendar) for counts in view.sectors]
    if not any(found):
        return view
    mean, partial = view.mean.copy(), np.zeros(view.mean.shape, bool)
    for row, one in enumerate(found):
        if one is not None:
            mean[row, one.empty], partial[row] = 0.0, one.partial
    return replace(view, mean=mean, partial=partial)


def without_partial(view: SectorView) -> SectorView:
    """The same, with nothing seen and nothing expected where a part is missing: that is no drop."""
    if view.partial is None:
        return view
    reported = view.reported
    if reported is not None:
        reported = reported._replace(whole=np.where(view.partial, 0.0, reported.whole))
    return replace(
        view,
        observed=np.where(view.partial, 0.0, view.observed),
        mean=np.where(view.partial, 0.0, view.mean),
        reported=reported,
    )


def _as_reported(view: SectorView, watermark: float | None) -> SectorView:
    """The same, with what is normal of as much as has been reported."""
    known = fitted_delays.shares(
        view.sectors,
        view.cadence,
        view.index,
        length=LONGEST,
        watermark=watermark,
        is_open=view.look is Look.EARLY,
    )
    if known is None:
        return view
    if view.look is Look.OPEN:
        # A count that is too high for the whole period already may be judged at any time, and often.
        known.share[:, -1], known.doubt[:, -1] = 1.0, 0.0
    mean, dispersion = reporting_delay.thinned(view.mean, view.dispersion[:, None], known)
    return replace(view, mean=mean, reported=Reported(known.share, known.doubt, dispersion, view.mean))


def _until_silence(view: SectorView) -> Floats:
    """What is expected [n, LONGEST], with nothing where a sector is without data: no level follows that."""
    since = [counts.state.no_data_since for counts in view.sectors]
    if all(moment is None for moment in since):
        return view.mean
    mean, width = view.mean.copy(), view.mean.shape[1]
    for row, (counts, moment) in enumerate(zip(view.sectors, since, strict=True)):
        if moment is not None:
            silent = view.index - period_at(counts.zone, view.cadence, moment // HOUR)
            mean[row, max(width - silent, 0) :] = 0.0
    return mean


def _at_its_level(view: SectorView, level_variance: Floats) -> SectorView:
    """The same, at the level that follows from the periods before, where it strays."""
    memory = MEMORY.get(view.cadence)
    if memory is None or not level_variance.any():
        return view
    level = follow(view.observed, _until_silence(view), view.each, variance=level_variance, memory=memory)
    reported = view.reported
    if reported is not None:
        reported = reported._replace(whole=reported.whole * level.factor)
    return replace(
        view,
        mean=view.mean * level.factor,
        error=view.error + level.error,
        level=level.factor[:, -1],
        level_variance=level_variance,
        reported=reported,
    )
