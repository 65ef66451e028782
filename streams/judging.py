"""The judge: counts and baselines in, verdicts out, for many sectors at once.

    close   a period is over: refit what is due, ask every question, learn
    peek    a period is still filling: ask only what can already be answered, learn nothing
    revise  a closed period changed (late events, corrections): ask again, learn nothing

What is answered depends on the counts, on what the judge remembers of the sector and on the calendar, never
on how events were batched.
"""

from collections.abc import Sequence

import numpy as np

from streams import questions
from streams.baselines.dates import Calendar
from streams.baselines.models import Models
from streams.calendar import Cadence
from streams.controls import StreamControl
from streams.counts import Counts
from streams.detectors import surge
from streams.evidence import LONGEST, Sheet
from streams.hours import be_patient, is_suspicious, silent_hours
from streams.sectors import Registry
from streams.terms import Terms
from streams.verdicts import Question, Verdict


class Judge:
    """Asks every question of every sector it is given."""

    def __init__(
        self, registry: Registry, calendar: Calendar | None = None, false_alarms_per_month: float = 0.05
    ) -> None:
        self._terms = Terms(registry, calendar or Calendar(), false_alarms_per_month)
        self._models = {cadence: Models(cadence, lambda: self._terms.calendar) for cadence in Cadence}

    def hear(self, control: StreamControl) -> None:
        """Take what an operator said."""
        self._terms.hear(control)

    def withdraw(self, key: str) -> None:
        """A control was withdrawn."""
        self._terms.withdraw(key)

    def close(self, batch: Sequence[Counts], cadence: Cadence, index: int) -> list[Verdict]:
        """Period `index` is over for these sectors."""
        for counts in batch:
            counts.threshold.pop(cadence, None)
        if cadence is Cadence.HOUR:
            return [said for counts in batch for said in silent_hours(self._terms, counts, index)]
        self._models[cadence].refresh(batch, index)
        sheet = self._look(batch, cadence, index, closed=True, as_of=cadence.start(index + 1))
        if sheet is None:
            return []
        verdicts = [
            *questions.surges(sheet),
            *questions.drops(sheet),
            *questions.records(sheet),
            *questions.mixes(sheet),
        ]
        verdicts += [*questions.slow_rises(sheet), *questions.regimes(sheet), *questions.strains(sheet)]
        if cadence is Cadence.DAY:
            verdicts += questions.silences(sheet)
            be_patient(sheet)
        return verdicts

    def is_suspicious(self, counts: Counts, hour: int) -> bool:
        """Is it worth asking whether a sector is silent, at the start of this hour? (Asked very often.)"""
        return is_suspicious(counts, hour)

    def peek(self, batch: Sequence[Counts], cadence: Cadence, index: int, as_of: float) -> list[Verdict]:
        """Period `index` is still filling: a count that is too high already will not fall."""
        if cadence is Cadence.HOUR:
            return []
        sheet = self._look(batch, cadence, index, closed=False, as_of=as_of)
        return [] if sheet is None else [*questions.surges(sheet), *questions.strains(sheet)]

    def revise(self, batch: Sequence[Counts], cadence: Cadence, index: int) -> list[Verdict]:
        """Closed period `index` has changed."""
        if cadence is Cadence.HOUR:
            return []
        latest = max(counts.closed.get(cadence, index) for counts in batch)
        if latest - index >= LONGEST:
            return []
        sheet = self._look(batch, cadence, index, closed=True, as_of=cadence.start(latest + 1))
        return [] if sheet is None else [*questions.surges(sheet), *questions.drops(sheet)]

    def _look(
        self, batch: Sequence[Counts], cadence: Cadence, index: int, *, closed: bool, as_of: float
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
        alpha = np.array([self._terms.alpha(counts.sector, cadence, Question.SURGE) for counts in ready])
        return Sheet(
            self._terms,
            cadence,
            index,
            ready,
            observed,
            np.where(known, mean, 0.0),
            dispersion,
            error,
            alpha,
            closed,
            as_of,
        )

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
