"""The judge of sectors: counts and baselines in, verdicts out, for many sectors at once.

    Look.CLOSED    a period is over: refit what is due, ask every question, learn
    Look.OPEN      a period is filling: is the count too high for a whole one already? Learn nothing
    Look.EARLY     a period is filling: is the count high beside what is reported by then in other periods?
    Look.HOUR      an hour of an open day is over: is it high by itself?
    Look.REVISED   a closed period has changed (late events, corrections): ask again, learn nothing

A period that is not fully reported is held against that part of the normal which is reported by now
(baselines/reporting_delay.py). What missing reports look like (calm, a drop, a silence, a new level) is found
of each period once, when enough of it is reported; where nothing is late, that is when it closes.

Verdicts depend on the counts, on the detection state of the sector and on the operators' limits, never on how
events were batched.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from math import inf
from typing import Final

from streams.baselines import fitted_delays
from streams.baselines.calendar import Calendar
from streams.baselines.fitted_models import EVERY, Models
from streams.baselines.peer_priors import PeerPriors
from streams.contract.cadence import HOUR, Cadence
from streams.contract.controls import StreamControl
from streams.contract.questions import DEFAULT_BUDGET, Look, Question
from streams.contract.sectors import Registry
from streams.contract.verdicts import DataStatus, Verdict
from streams.counting.sector_counts import Counts
from streams.counting.series import period_at
from streams.detectors import LONGEST, MIN_EXCESS, SectorView
from streams.judging import absence, held_verdicts, hourly_silence, hourly_surge, missing_tallies, questions
from streams.judging.frames import SectorFrame
from streams.judging.late_gaps import without_late_gaps
from streams.judging.operating_limits import OperatingLimits
from streams.judging.publication import publish
from streams.judging.source_outages import SourceWatch
from streams.judging.views import Views, without_partial

EARLY_SHARE: Final = 0.1  # of alpha, for each early look (there are three a day)


class Judge:
    """Asks every question of every sector it is given."""

    def __init__(
        self,
        registry: Registry,
        calendar: Calendar | None = None,
        *,
        false_alarms_per_month: float = DEFAULT_BUDGET,
        peer_priors: PeerPriors | None = None,
    ) -> None:
        self.limits = OperatingLimits(
            registry,
            calendar or Calendar(),
            false_alarms_per_month=false_alarms_per_month,
            peer_priors=peer_priors,
        )
        self.models = {
            cadence: Models(cadence, lambda: self.limits.calendar, self.limits.peer_prior)
            for cadence in Cadence
        }
        self._views = Views(self.models, self.limits)
        self.sources = SourceWatch(self._views, self.limits)

    def apply(self, control: StreamControl) -> None:
        """Apply an operator's control."""
        self.limits.apply(control)

    def withdraw(self, key: str) -> None:
        """Withdraw an operator's control."""
        self.limits.withdraw(key)

    def ask(
        self,
        look: Look,
        sectors: Iterable[Counts],
        *,
        cadence: Cadence,
        index: int,
        watermark: float | None = None,
    ) -> list[Verdict]:
        """Look at a period of some sectors, and return the verdicts to publish.

        Args:
            look: why the period is looked at.
            sectors: their counts; what detection remembers of them is updated.
            cadence: of the period; `Look.HOUR` is of the hours of open days.
            index: of the period, on the sectors' own clock.
            watermark: event time in epoch seconds; None: every period is fully reported.
        """
        batch = list(sectors)
        is_closing = look is Look.CLOSED
        for counts in batch:
            absence.update(counts, self.limits, *((cadence, index) if is_closing else ()))
            if is_closing:
                counts.state.open_limits.pop(cadence, None)
        present = [counts for counts in batch if absence.is_asked(look, counts, cadence, index)]
        match look:
            case Look.CLOSED:
                verdicts = self._close(present, cadence, index, watermark)
                found = {(one.sector, one.question) for one in verdicts if one.breach and one.closed}
                verdicts += self._hold(batch, cadence, index) + self._hold_in_part(
                    present, cadence, index, found
                )
            case Look.REVISED:
                verdicts = self._revise(present, cadence, index, watermark)
            case Look.OPEN:
                verdicts = self._peek(present, cadence, index, watermark)
            case Look.EARLY:
                verdicts = self._early(present, cadence, index, watermark)
            case Look.HOUR:
                verdicts = self._hour(present, index, watermark)
        changed = {verdict.sector for verdict in verdicts}
        for counts in batch:
            if is_closing or counts.sector in changed:
                counts.state.changed = True
        return verdicts

    def pass_over(self, sectors: Sequence[Counts], cadence: Cadence, first: int, last: int) -> None:
        """Pass over periods that are empty, as many before them were: keep models current, ask nothing."""
        for counts in sectors:
            counts.state.open_limits.pop(cadence, None)
            counts.state.changed = True
        for index in range(max(first, last - EVERY[cadence] + 1), last + 1):
            self.models[cadence].refresh(sectors, index)

    def is_silence_due(self, counts: Counts, hour: int) -> bool:
        """Return whether silence is worth asking about at the start of this hour. (Asked very often.)"""
        if absence.is_without_data(counts):
            return self.limits.is_zero(counts, hour * HOUR)
        return hourly_silence.is_due(counts, hour)

    def is_hour_due(self, counts: Counts, hour: int) -> bool:
        """Return whether an hour with people, which is over, is worth a look. (Asked very often.)"""
        return counts.state.no_data_since is not None or hourly_surge.is_high(counts, hour)

    def data_status(self, counts: Counts) -> DataStatus:
        """Return whether a sector has data now, by its watermark."""
        return absence.status_of(counts, self.limits)

    def _close(
        self, sectors: Sequence[Counts], cadence: Cadence, index: int, watermark: float | None
    ) -> list[Verdict]:
        if cadence is Cadence.HOUR:
            return self._close_hour(sectors, index)
        if watermark is not None:
            fitted_delays.learn(sectors, cadence, watermark)
        missing_tallies.leave_out(sectors, cadence, index, views=self._views, limits=self.limits)
        self.models[cadence].refresh(sectors, index)
        view = self._views.of(sectors, Look.CLOSED, cadence, index, watermark=watermark)
        if view is None:
            return []
        verdicts = list[Verdict]()
        if cadence is Cadence.DAY:
            for day, reopened in absence.reopen(absence.from_return(view)).items():
                # First, so that borders know of that day before they judge this one.
                verdicts += self._revise(reopened, cadence, day, watermark)
        # Silence comes first: of a sector without data nothing else is asked.
        settled, silences = list[SectorView](), list[Verdict]()
        for each in map(without_partial, self._views.settled(view, watermark)):
            silences += self._silence(each)
            settled.append(without_late_gaps(each, view, self.limits))
        view, *settled = (absence.with_data(each) for each in (view, *settled))
        older = [each for each in settled if each.index < index]  # more is reported than when they closed
        for each in (*older, view):
            verdicts += self._questions(each, waits=False)
        for each in settled:
            verdicts += self._questions(absence.until_last_event(absence.from_return(each)), waits=True)
        if cadence is Cadence.DAY:
            self._set_hourly_limits(view)
        return verdicts + silences

    def _set_hourly_limits(self, view: SectorView) -> None:
        """Remember from a closed day which hours are to be asked for silence, and which for a surge."""
        hourly_silence.set_rates(view, self.limits.alphas(view.sectors, Cadence.HOUR, Question.SILENCE))
        hourly_surge.set_limits(view, self.limits.alphas(view.sectors, view.cadence, Question.SURGE))

    def _close_hour(self, sectors: Sequence[Counts], hour: int) -> list[Verdict]:
        """Ask for silence in the hours up to this one; all that an hour by itself is asked for."""
        days: defaultdict[int, list[Counts]] = defaultdict(list)
        for counts in sectors:
            if counts.state.hourly.rates:
                days[period_at(counts.zone, Cadence.DAY, hour)].append(counts)
        verdicts: list[Verdict] = []
        for day, batch in sorted(days.items()):
            today, before = (
                self._views.of(batch, Look.HOUR, Cadence.DAY, at, as_of=0.0) for at in (day, day - 1)
            )
            if today is not None and before is not None:
                view = hourly_silence.view_of(today, before, hour)
                verdicts += self._silence(view)
        return verdicts

    def _silence(self, view: SectorView) -> list[Verdict]:
        if view.cadence in missing_tallies.TALLIED:
            view = absence.returned(view)
        return questions.ask(
            Question.SILENCE, replace(view, data_until=absence.data_until(view, self.limits)), self.limits
        )

    def _hold(self, sectors: Sequence[Counts], cadence: Cadence, index: int) -> list[Verdict]:
        """Publish what stands in sectors without data."""
        if cadence is Cadence.HOUR:
            return []
        missing = [counts for counts in sectors if not absence.is_judged(counts, cadence, index)]
        view = self._views.of(missing, Look.CLOSED, cadence, index) if missing else None
        return [] if view is None else held_verdicts.hold(view, self.limits)

    def _hold_in_part(
        self, sectors: Sequence[Counts], cadence: Cadence, index: int, found: Collection[tuple[str, Question]]
    ) -> list[Verdict]:
        """Publish what stands in sectors of whose day too little is with data to call it calm."""
        part = [counts for counts in sectors if absence.is_in_part(counts, cadence, index)]
        view = self._views.of(part, Look.CLOSED, cadence, index) if part else None
        return [] if view is None else held_verdicts.hold_in_part(view, self.limits, found)

    def _revise(
        self, sectors: Sequence[Counts], cadence: Cadence, index: int, watermark: float | None
    ) -> list[Verdict]:
        if cadence is Cadence.HOUR or not sectors:
            return []
        latest = max(counts.closed.get(cadence, index) for counts in sectors)
        if latest - index >= LONGEST:
            return []
        for counts in sectors:
            counts.state.of(cadence).revisions += 1
            counts.state.changed = True
        settled = [
            counts
            for counts in sectors
            if (newest := counts.state.of(cadence).settled) is None or index <= newest
        ]
        verdicts: list[Verdict] = []
        for batch, waits in ((sectors, False), (settled, True)):
            view = self._views.of(
                batch, Look.REVISED, cadence, index, as_of=cadence.start(latest + 1), watermark=watermark
            )
            if view is not None:
                view = absence.from_return(view) if waits else view
                verdicts += self._questions(view, waits=waits, is_newest=index == latest)
        return verdicts

    def _peek(
        self, sectors: Sequence[Counts], cadence: Cadence, index: int, watermark: float | None
    ) -> list[Verdict]:
        if cadence is Cadence.HOUR:
            return []
        for counts in sectors:
            # Until its model has set it; where there is no model, until the period closes.
            counts.state.open_limits[cadence] = inf
        view = self._views.of(sectors, Look.OPEN, cadence, index, as_of=watermark, watermark=watermark)
        return [] if view is None else self._questions(view, waits=False)

    def _early(
        self, sectors: Sequence[Counts], cadence: Cadence, index: int, watermark: float | None
    ) -> list[Verdict]:
        known = [
            counts
            for counts in sectors
            if counts.series[cadence].get(index) >= MIN_EXCESS and counts.state.of(cadence).delays
        ]
        view = self._views.of(known, Look.EARLY, cadence, index, as_of=watermark, watermark=watermark)
        return [] if view is None else self._questions(view, waits=False, share=EARLY_SHARE)

    def _hour(self, sectors: Sequence[Counts], hour: int, watermark: float | None) -> list[Verdict]:
        days: defaultdict[int, list[Counts]] = defaultdict(list)
        for counts in sectors:
            if hourly_surge.is_high(counts, hour):
                day = period_at(counts.zone, Cadence.DAY, hour)
                if counts.closed.get(Cadence.DAY) == day - 1:
                    days[day].append(counts)
        verdicts: list[Verdict] = []
        for day, high in sorted(days.items()):
            view = self._views.of(high, Look.HOUR, Cadence.DAY, day, as_of=watermark)
            if view is None:
                continue
            alpha = self.limits.alphas(view.sectors, Cadence.DAY, Question.SURGE)
            if found := hourly_surge.judge(view, hour, alpha):
                so_far, finding = found
                frame = SectorFrame(view=so_far, limits=self.limits, is_newest=False, hour=hour)
                verdicts += publish(Question.SURGE, finding, frame)
        return verdicts

    def _questions(
        self, view: SectorView, *, waits: bool, is_newest: bool = True, share: float = 1.0
    ) -> list[Verdict]:
        if not view.sectors:
            return []
        return [
            verdict
            for question in questions.asked_of(view, waits=waits)
            for verdict in questions.ask(question, view, self.limits, is_newest=is_newest, share=share)
        ]
