"""The judge: counts and baselines in, verdicts out, for many sectors at once.

    close   a period is over: refit what is due, ask every question, learn
    peek    a period is still filling: ask only what can already be answered, learn nothing
    bursts  an hour of a day is over: was it high by itself?
    early   a period is still filling: hold what has arrived against what has by now in other periods
    revise  a closed period changed (late events, corrections): ask again, learn nothing

A period whose people are not all known yet is held against that part of the normal which is known by now
(baselines/arrivals.py). What too little word could be mistaken for (a drop, a silence, a new level) is asked
of each period once, when enough of it has arrived; where nothing is late, that is when it closes.

What is answered depends on the counts, on what the judge remembers of the sector and on the calendar, never
on how events were batched.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import inf
from typing import Final

import numpy as np

from streams.baselines import fitted_delays, reporting_delay
from streams.baselines.calendar import Calendar
from streams.baselines.fitted_models import Models
from streams.baselines.negative_binomial import Floats
from streams.baselines.peer_priors import EVERYWHERE, PeerPriors
from streams.contract.cadence import Cadence
from streams.contract.controls import StreamControl
from streams.contract.sectors import Registry
from streams.contract.verdicts import Question, Verdict
from streams.counting.sector_counts import Counts
from streams.counting.series import local
from streams.detectors import surge
from streams.judging import hourly_surge, questions
from streams.judging.hourly_silence import be_patient, is_suspicious, silent_hours
from streams.judging.operating_limits import OperatingLimits
from streams.judging.sheet import LONGEST, Late, Sheet

EARLY: Final = 0.1  # of alpha, for each look at a period that is still filling (there are three)


class Judge:
    """Asks every question of every sector it is given."""

    def __init__(
        self,
        registry: Registry,
        calendar: Calendar | None = None,
        false_alarms_per_month: float = 0.05,
        peer_priors: PeerPriors | None = None,
    ) -> None:
        self._limits = OperatingLimits(registry, calendar or Calendar(), false_alarms_per_month, peer_priors)
        self._models = {
            cadence: Models(cadence, lambda: self._limits.calendar, self._limits.peer_prior)
            for cadence in Cadence
        }

    def apply(self, control: StreamControl) -> None:
        """Take what an operator said."""
        self._limits.apply(control)

    def withdraw(self, key: str) -> None:
        """A control was withdrawn."""
        self._limits.withdraw(key)

    def close(
        self, batch: Sequence[Counts], cadence: Cadence, index: int, clock: float | None = None
    ) -> list[Verdict]:
        """Period `index` is over for these sectors, at `clock` (event time, epoch seconds)."""
        for counts in batch:
            counts.threshold.pop(cadence, None)
        if cadence is Cadence.HOUR:
            return [said for counts in batch for said in silent_hours(self._limits, counts, index)]
        if clock is not None:
            fitted_delays.learn(batch, cadence, clock)
        self._models[cadence].refresh(batch, index)
        sheet = self._look(batch, cadence, index, closed=True, as_of=cadence.start(index + 1), clock=clock)
        if sheet is None:
            return []
        verdicts = [*questions.surges(sheet), *questions.records(sheet), *questions.mixes(sheet)]
        verdicts += questions.strains(sheet)
        for settled in self._settled(sheet, clock):
            verdicts += [*questions.drops(settled), *questions.slow_rises(settled)]
            verdicts += questions.regimes(settled)
            if cadence is Cadence.DAY:
                verdicts += questions.silences(settled)
        if cadence is Cadence.DAY:
            be_patient(sheet)
            hourly_surge.look_out(sheet)
        return verdicts

    def _settled(self, sheet: Sheet, clock: float | None) -> list[Sheet]:
        """The periods of which enough has arrived now, oldest first; each sector's periods come once."""
        due: defaultdict[int, list[Counts]] = defaultdict(list)
        for counts in sheet.batch:
            key = f"followed {sheet.cadence}"
            reached = sheet.index - fitted_delays.waits(counts, sheet.cadence)
            followed = int(counts.memory.get(key, sheet.index - 1))
            for index in range(max(followed, sheet.index - LONGEST) + 1, reached + 1):
                due[index].append(counts)
            if max(followed, reached) < sheet.index:
                counts.memory[key] = max(followed, reached)
            else:
                counts.memory.pop(key, None)
        found = []
        for index, batch in sorted(due.items()):
            if index == sheet.index and len(batch) == len(sheet.batch):
                found.append(sheet)
            elif (
                view := self._look(batch, sheet.cadence, index, closed=True, as_of=sheet.as_of, clock=clock)
            ) is not None:
                found.append(view)
        return found

    def is_suspicious(self, counts: Counts, hour: int) -> bool:
        """Is it worth asking whether a sector is silent, at the start of this hour? (Asked very often.)"""
        return is_suspicious(counts, hour)

    def peek(self, batch: Sequence[Counts], cadence: Cadence, index: int, as_of: float) -> list[Verdict]:
        """Period `index` is still filling: a count that is too high already will not fall."""
        if cadence is Cadence.HOUR:
            return []
        for counts in batch:
            counts.threshold[cadence] = inf  # until its model says what count is high; none, until it closes
        sheet = self._look(batch, cadence, index, closed=False, as_of=as_of, clock=as_of)
        if sheet is None:
            return []
        sheet = replace(sheet, occasion="peek")
        return [*questions.surges(sheet), *questions.strains(sheet)]

    def early(self, batch: Sequence[Counts], cadence: Cadence, index: int, clock: float) -> list[Verdict]:
        """Period `index` is still filling: is it high for its age? Asked at few ages: it costs few alarms."""
        asked = [
            counts
            for counts in batch
            if counts.series[cadence].get(index) >= questions.FLOOR_PEOPLE
            and fitted_delays.known(counts, cadence)
        ]
        sheet = self._look(asked, cadence, index, closed=False, as_of=clock, clock=clock, early=True)
        if sheet is None:
            return []
        return questions.surges(replace(sheet, alpha=sheet.alpha * EARLY, occasion="early"))

    def bursts(self, batch: Iterable[Counts], hour: int, clock: float) -> list[Verdict]:
        """Hour `hour` is over, of days that are still filling: was it high by itself?"""
        days: defaultdict[int, list[Counts]] = defaultdict(list)
        for counts in batch:
            if hourly_surge.is_high(counts, hour):
                day = Cadence.DAY.index(local(counts.zone, hour))
                if counts.closed.get(Cadence.DAY) == day - 1:
                    days[day].append(counts)
        verdicts = []
        for day, high in sorted(days.items()):
            sheet = self._look(high, Cadence.DAY, day, closed=False, as_of=clock)
            if sheet is not None:
                verdicts += hourly_surge.bursts(sheet, hour)
        return verdicts

    def revise(
        self, batch: Sequence[Counts], cadence: Cadence, index: int, clock: float | None = None
    ) -> list[Verdict]:
        """Closed period `index` has changed."""
        if cadence is Cadence.HOUR:
            return []
        latest = max(counts.closed.get(cadence, index) for counts in batch)
        if latest - index >= LONGEST:
            return []
        for counts in batch:
            key = f"revisions {cadence}"
            counts.memory[key], counts.learnt = counts.memory.get(key, 0) + 1, True
        as_of, again = cadence.start(latest + 1), index < latest
        verdicts = []
        sheet = self._look(batch, cadence, index, closed=True, as_of=as_of, clock=clock)
        if sheet is not None:
            verdicts += questions.surges(replace(sheet, again=again, occasion="revision"))
        followed = [counts for counts in batch if index <= counts.memory.get(f"followed {cadence}", latest)]
        if sheet is not None and len(followed) < len(batch):
            sheet = self._look(followed, cadence, index, closed=True, as_of=as_of, clock=clock)
        if sheet is not None:
            verdicts += questions.drops(replace(sheet, again=again, occasion="revision"))
        return verdicts

    def _look(
        self,
        batch: Sequence[Counts],
        cadence: Cadence,
        index: int,
        *,
        closed: bool,
        as_of: float,
        clock: float | None = None,
        early: bool = False,
    ) -> Sheet | None:
        models = self._models[cadence]
        ready = models.ready(batch)
        if not ready:
            return None
        mean, dispersion, error = models.expect(ready, index, LONGEST)
        observed = np.stack([counts.series[cadence].window(index, LONGEST) for counts in ready]).astype(float)
        # Periods before a sector's first event are not zeros but nothing: they weigh on neither side.
        starts = np.array([counts.series[cadence].first for counts in ready])
        known = np.arange(index - LONGEST + 1, index + 1)[None, :] >= starts[:, None]
        mean = np.where(known, mean, 0.0)
        alpha = np.array([self._limits.alpha(counts.sector, cadence, Question.SURGE) for counts in ready])
        late = _late(ready, cadence, index, mean, dispersion, clock, closed=closed, early=early)
        return Sheet(
            self._limits,
            cadence,
            index,
            ready,
            observed,
            mean if late is None else mean * late.share,
            dispersion,
            error,
            alpha,
            closed,
            as_of,
            late,
            early,
        )

    def learn_peer_priors(self, batch: Sequence[Counts], cadence: Cadence) -> PeerPriors:
        """What is normal in those of these series that speak for themselves, by border and for all."""
        borders: defaultdict[str, list[Counts]] = defaultdict(list, {EVERYWHERE: list(batch)})
        for counts in batch:
            if border := self._limits.border(counts.sector):
                borders[border].append(counts)
        found = (self._models[cadence].learn_peer_prior(group, border) for border, group in borders.items())
        return PeerPriors(like=tuple(like for like in found if like is not None))

    def compare(self, batch: Sequence[Counts], cadence: Cadence, index: int) -> None:
        """From period `index` on, what is normal in those that speak for themselves is held of the others."""
        if not self._models[cadence].are_grown(batch, index):
            self._limits.peer_priors = self.learn_peer_priors(batch, cadence)

    def score(
        self, batch: Sequence[Counts], cadence: Cadence, index: int
    ) -> tuple[Sheet, surge.Surge] | None:
        """What `close` bases its verdict on, as arrays, for many series. Learns as `close` does."""
        self._models[cadence].refresh(batch, index)
        sheet = self._look(batch, cadence, index, closed=True, as_of=cadence.start(index + 1))
        if sheet is None:
            return None
        questions.shift(sheet)
        return sheet, questions.surge_of(sheet)


def _late(
    batch: Sequence[Counts],
    cadence: Cadence,
    index: int,
    mean: Floats,
    dispersion: Floats,
    clock: float | None,
    *,
    closed: bool,
    early: bool,
) -> Late | None:
    """Which part of the periods has arrived, where it is not all."""
    known = fitted_delays.shares(batch, cadence, index, LONGEST, clock, is_open=early)
    if known is None:
        return None
    if not closed and not early:
        # A count that is too high for the whole period already can be told at any time, and often.
        known.share[:, -1], known.doubt[:, -1] = 1.0, 0.0
    _, spread = reporting_delay.thinned(mean, dispersion[:, None], known)
    return Late(known.share, known.doubt, spread, mean)
