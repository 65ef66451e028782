"""The judge: counts and baselines in, verdicts out, for many sectors at once.

    close   a period is over: refit what is due, ask every question, learn
    peek    a period is still filling: ask only what can already be answered, learn nothing
    revise  a closed period changed (late events, corrections): ask again, learn nothing

What is answered depends on the counts, on what the judge remembers of the sector and on the calendar, never
on how events were batched.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from streams.baselines.dates import Calendar, KnownDate
from streams.baselines.models import Models
from streams.baselines.tails import Floats, at_least, threshold
from streams.calendar import DAY, HOUR, Cadence
from streams.controls import Capacity, PolicyDate, Sensitivity, StreamControl
from streams.counts import Counts
from streams.detectors import drop, mix, record, regime, silence, slow_rise, strain, surge
from streams.sectors import Registry
from streams.verdicts import Contribution, Evidence, Question, Verdict

LONGEST: Final = 28  # periods that are looked at together
MONTH: Final = {
    Cadence.HOUR: 730.0,
    Cadence.DAY: 30.4,
    Cadence.WEEK: 4.35,
    Cadence.MONTH: 1.0,
}  # periods in a month
MOST: Final = 0.01  # alpha never is larger, whatever the budget
# Shares of the budget: a sector's false alarms may come from any of its questions.
SHARE: Final = {
    Question.SURGE: 0.4,
    Question.DROP: 0.15,
    Question.SLOW_RISE: 0.15,
    Question.MIX: 0.15,
    Question.SILENCE: 0.15,
}
RECENT: Final = 28
HOURLY_LEAST: Final = 8.0  # people a day below which single hours tell nothing
RUNS: Final = {Cadence.HOUR: 48, Cadence.DAY: 15, Cadence.WEEK: 8, Cadence.MONTH: 5}
FLOOR_RUN = 20.0  # people that a new level is off by, in all its periods together
FLOOR_PEOPLE, FLOOR_RATIO = 5.0, 1.3  # a surge is at least so many people and times more than expected


@dataclass(frozen=True)
class Seen:
    """What a period looks like for n sectors: the array that detectors are given."""

    cadence: Cadence
    index: int
    batch: Sequence[Counts]
    observed: Floats  # [n, LONGEST], the judged period last
    mean: Floats  # [n, LONGEST]
    dispersion: Floats  # [n]
    error: Floats  # [n]
    alpha: Floats  # [n], for the surge
    closed: bool
    as_of: float


class Judge:
    """Asks every question of every sector it is given."""

    def __init__(
        self, registry: Registry, calendar: Calendar | None = None, false_alarms_per_month: float = 0.05
    ) -> None:
        self._sectors = registry.by_id
        self._calendar = calendar or Calendar()
        self._policies: dict[str, PolicyDate] = {}
        self._capacities: dict[str, float] = {}
        self._budgets = {"*": false_alarms_per_month}
        self._all_dates = self._calendar
        self._models = {cadence: Models(cadence, lambda: self._all_dates) for cadence in Cadence}

    def hear(self, control: StreamControl) -> None:
        """Take what an operator said."""
        match control:
            case PolicyDate():
                self._policies[control.name] = control
                self._all_dates = self._calendar.with_dates(
                    KnownDate(dt.date.fromisoformat(one.date), "policy", one.name, sector)
                    for one in self._policies.values()
                    for sector in one.sectors
                )
            case Capacity():
                self._capacities[control.sector] = control.people_per_day
            case Sensitivity():
                self._budgets[control.sector] = control.false_alarms_per_month

    def withdraw(self, key: str) -> None:
        """A control was withdrawn."""
        kind, _, name = key.partition("/")
        if kind == "policy" and self._policies.pop(name, None) is not None:
            self._all_dates = self._calendar
            for one in list(self._policies.values()):
                self.hear(one)
        elif kind == "capacity":
            self._capacities.pop(name, None)
        elif kind == "sensitivity" and name != "*":
            self._budgets.pop(name, None)

    def close(self, batch: Sequence[Counts], cadence: Cadence, index: int) -> list[Verdict]:
        """Period `index` is over for these sectors."""
        for counts in batch:
            counts.threshold.pop(cadence, None)
        if cadence is Cadence.HOUR:
            return self._hour(batch, index)
        self._models[cadence].refresh(batch, index)
        seen = self._look(batch, cadence, index, closed=True, as_of=cadence.start(index + 1))
        if seen is None:
            return []
        verdicts = [*self._surges(seen), *self._drops(seen), *self._records(seen), *self._mixes(seen)]
        verdicts += [*self._slow_rises(seen), *self._regimes(seen), *self._strains(seen)]
        if cadence is Cadence.DAY:
            verdicts += self._silences(seen)
            self._be_patient(seen)
        return verdicts

    def is_suspicious(self, counts: Counts, hour: int) -> bool:
        """Is it worth asking whether a sector is silent, at the start of this hour? (Asked very often.)"""
        patience = counts.memory.get("patience")
        if patience is None:
            return False
        silent = hour - 1 - counts.event_time // HOUR
        return silent >= patience or f"silence|{counts.sector}||hour" in counts.asked

    def peek(self, batch: Sequence[Counts], cadence: Cadence, index: int, as_of: float) -> list[Verdict]:
        """Period `index` is still filling: a count that is too high already will not fall."""
        if cadence is Cadence.HOUR:
            return []
        seen = self._look(batch, cadence, index, closed=False, as_of=as_of)
        return [] if seen is None else [*self._surges(seen), *self._strains(seen)]

    def revise(self, batch: Sequence[Counts], cadence: Cadence, index: int) -> list[Verdict]:
        """Closed period `index` has changed."""
        if cadence is Cadence.HOUR:
            return []
        latest = max(counts.closed.get(cadence, index) for counts in batch)
        if latest - index >= LONGEST:
            return []
        seen = self._look(batch, cadence, index, closed=True, as_of=cadence.start(latest + 1))
        return [] if seen is None else [*self._surges(seen), *self._drops(seen)]

    def _look(
        self, batch: Sequence[Counts], cadence: Cadence, index: int, *, closed: bool, as_of: float
    ) -> Seen | None:
        models = self._models[cadence]
        ready = models.ready(batch)
        if not ready:
            return None
        mean, dispersion, error = models.expect(ready, index, LONGEST)
        observed = np.stack([counts.series[cadence].window(index, LONGEST) for counts in ready]).astype(float)
        # Periods before a sector's first event are not zeros but nothing: they weigh on neither side.
        starts = np.array([counts.series[cadence].first for counts in ready])
        known = np.arange(index - LONGEST + 1, index + 1)[None, :] >= starts[:, None]
        alpha = np.array([self._alpha(counts.sector, cadence, Question.SURGE) for counts in ready])
        return Seen(
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

    def _alpha(self, sector: str, cadence: Cadence, question: Question) -> float:
        """The level at which a question may give its share of the sector's false alarms."""
        budget = self._budgets.get(sector, self._budgets["*"])
        return min(budget * SHARE[question] / MONTH[cadence], MOST)

    def score(self, batch: Sequence[Counts], cadence: Cadence, index: int) -> tuple[Seen, surge.Surge] | None:
        """What `close` bases its verdict on, as arrays, for many series. Learns as `close` does."""
        self._models[cadence].refresh(batch, index)
        seen = self._look(batch, cadence, index, closed=True, as_of=cadence.start(index + 1))
        if seen is None:
            return None
        self._shift(seen)
        return seen, self._surge(seen)

    @staticmethod
    def _surge(seen: Seen) -> surge.Surge:
        return surge.judge(
            seen.observed, seen.mean, seen.dispersion, seen.error, surge.WINDOWS[seen.cadence], seen.alpha
        )

    def _surges(self, seen: Seen) -> list[Verdict]:
        found = self._surge(seen)
        enough = (found.observed - found.expected >= FLOOR_PEOPLE) & (
            found.observed >= FLOOR_RATIO * found.expected
        )
        breach = (found.p_value <= seen.alpha) & enough
        if not seen.closed:
            for row, counts in enumerate(seen.batch):
                # Once it is a breach, only a tenth more is news again.
                needed = seen.observed[row, -1] * 1.1 if breach[row] else found.needed[row]
                counts.threshold[seen.cadence] = max(float(needed), float(seen.observed[row, -1]) + 1)
        wanted = range(len(seen.batch)) if seen.closed else np.flatnonzero(breach).tolist()
        return [
            self._verdict(
                seen,
                row,
                Question.SURGE,
                bool(breach[row]),
                observed=found.observed[row],
                expected=found.expected[row],
                dispersion=found.dispersion[row],
                p_value=found.p_value[row],
                alpha=seen.alpha[row],
                window=int(found.window[row]),
                **(self._why(seen, row) if breach[row] else {}),
            )
            for row in wanted
        ]

    def _drops(self, seen: Seen) -> list[Verdict]:
        found = drop.judge(seen.observed, seen.mean, seen.dispersion, seen.error, surge.WINDOWS[seen.cadence])
        out = []
        for row, counts in enumerate(seen.batch):
            alpha = self._alpha(counts.sector, seen.cadence, Question.DROP)
            fewer = found.expected[row] - found.observed[row] >= FLOOR_PEOPLE
            low = found.observed[row] * FLOOR_RATIO <= found.expected[row]
            breach = bool(found.p_value[row] <= alpha and fewer and low)
            out += self._answer(
                seen,
                row,
                Question.DROP,
                breach,
                observed=found.observed[row],
                expected=found.expected[row],
                dispersion=found.dispersion[row],
                p_value=found.p_value[row],
                alpha=alpha,
                window=int(found.window[row]),
            )
        return out

    def _records(self, seen: Seen) -> list[Verdict]:
        length = 3 * 366
        past = np.stack([counts.series[seen.cadence].window(seen.index - 1, length) for counts in seen.batch])
        starts = np.array([counts.series[seen.cadence].first for counts in seen.batch])
        present = np.arange(seen.index - length, seen.index)[None, :] >= starts[:, None]
        now = seen.observed[:, -1]
        tail = at_least(now, seen.mean[:, -1], seen.dispersion)
        found = record.judge(past.astype(float), present.astype(float), now, tail, record.PAST[seen.cadence])
        out = []
        for row in range(len(seen.batch)):
            out += self._answer(
                seen,
                row,
                Question.RECORD,
                bool(found.breach[row]),
                observed=now[row],
                expected=seen.mean[row, -1],
                dispersion=seen.dispersion[row],
                p_value=tail[row],
                alpha=record.UNUSUAL,
                record=bool(found.breach[row]),
                remark=f"highest before: {found.highest[row]:.0f}",
            )
        return out

    def _silences(self, seen: Seen) -> list[Verdict]:
        found = silence.judge(seen.observed, seen.mean, seen.dispersion, seen.error)
        out = []
        for row, counts in enumerate(seen.batch):
            alpha = self._alpha(counts.sector, seen.cadence, Question.SILENCE)
            out += self._answer(
                seen,
                row,
                Question.SILENCE,
                bool(found.p_value[row] <= alpha),
                observed=0.0 if found.periods[row] else seen.observed[row, -1],
                expected=found.expected[row] if found.periods[row] else seen.mean[row, -1],
                dispersion=seen.dispersion[row],
                p_value=found.p_value[row],
                alpha=alpha,
                window=max(int(found.periods[row]), 1),
            )
        return out

    def _mixes(self, seen: Seen) -> list[Verdict]:
        out = []
        for row, counts in enumerate(seen.batch):
            names = list(counts.slices.names)
            if counts.sliced is not seen.cadence or not names:
                continue
            table = counts.slices.window(seen.index, LONGEST * 2).astype(float)
            width = 7 if seen.cadence is Cadence.DAY else 1
            blocks = table.reshape(len(names), -1, width).sum(-1)[:, -9:]
            total = blocks[[name.startswith("demographic=") for name in names]].sum(0)
            if total[-1] == 0 or (total[:-1] > 0).sum() < 4:
                continue
            alpha = self._alpha(counts.sector, seen.cadence, Question.MIX)
            found = mix.judge(blocks[:, -1], total[-1], blocks[:, :-1], total[:-1], alpha)
            top = int(np.where(found.shifted, found.p_slice, 2.0).argmin()) if found.shifted.any() else -1
            shown = top if top >= 0 else int(found.p_slice.argmin())
            out += self._answer(
                seen,
                row,
                Question.MIX,
                top >= 0,
                observed=blocks[shown, -1],
                expected=found.expected[shown],
                dispersion=1.0,
                p_value=float(found.p_value),
                alpha=alpha,
                window=width,
                slices=tuple(
                    Contribution(
                        name=names[at], observed=blocks[at, -1], expected=round(found.expected[at], 2)
                    )
                    for at in np.argsort(found.p_slice)[:3]
                ),
                remark=mix.remark(names, found.shifted),
            )
        return out

    def _slow_rises(self, seen: Seen) -> list[Verdict]:
        key = f"slow_rise {seen.cadence}"
        held = np.array([counts.memory.get(key, (0.0, 0.0)) for counts in seen.batch])
        limits = [
            slow_rise.limit(1 / self._alpha(counts.sector, seen.cadence, Question.SLOW_RISE))
            for counts in seen.batch
        ]
        found = slow_rise.step(
            slow_rise.State(held[:, 0], held[:, 1]),
            seen.observed[:, -1],
            seen.mean[:, -1],
            seen.dispersion + seen.mean[:, -1] * seen.error,
            np.array(limits),
        )
        out = []
        for row, counts in enumerate(seen.batch):
            counts.memory[key] = (float(found.state.total[row]), float(found.state.age[row]))
            age = min(max(int(found.age[row]), 1), LONGEST)
            out += self._answer(
                seen,
                row,
                Question.SLOW_RISE,
                bool(found.alarm[row]),
                observed=seen.observed[row, -age:].sum(),
                expected=seen.mean[row, -age:].sum(),
                dispersion=seen.dispersion[row],
                p_value=found.p_value[row],
                alpha=float(np.exp(-limits[row])),
                window=age,
            )
        return out

    def _shift(self, seen: Seen) -> tuple[regime.Step, list[bool]]:
        """Follow each sector's run of one sign; a long one starts a new level where it began."""
        key = f"run {seen.cadence}"
        held = np.array([counts.memory.get(key, (0.0, 0.0, 0.0)) for counts in seen.batch])
        found = regime.step(
            regime.State(*held.T),
            seen.observed[:, -1],
            seen.mean[:, -1],
            seen.dispersion,
            run=RUNS[seen.cadence],
        )
        enough = np.abs(found.state.observed - found.state.expected) >= FLOOR_RUN
        proposed = (found.proposed & enough).tolist()
        runs = np.stack(found.state, 1).tolist()
        for counts, run, new in zip(seen.batch, runs, proposed, strict=True):
            if new:
                # Until a person says otherwise, the baseline takes the new level from its beginning on.
                regimes = counts.memory.setdefault(f"regimes {seen.cadence}", [])
                regimes.append(seen.index - abs(int(run[0])) + 1)
                del regimes[:-2]
            counts.memory[key] = (0.0, 0.0, 0.0) if new else tuple(run)
        return found, proposed

    def _regimes(self, seen: Seen) -> list[Verdict]:
        found, proposed = self._shift(seen)
        out = []
        for row in range(len(seen.batch)):
            length = max(abs(int(found.state.run[row])), 1)
            out += self._answer(
                seen,
                row,
                Question.REGIME,
                proposed[row],
                observed=seen.observed[row, -length:].sum(),
                expected=seen.mean[row, -length:].sum(),
                dispersion=seen.dispersion[row],
                p_value=found.p_value[row],
                alpha=2.0 ** (1 - RUNS[seen.cadence]),
                window=length,
                remark=f"level times {found.ratio[row]:.2f} for {length} {seen.cadence}s",
            )
        return out

    def _strains(self, seen: Seen) -> list[Verdict]:
        out = []
        for row, counts in enumerate(seen.batch):
            known = self._sectors.get(counts.sector)
            capacity = self._capacities.get(counts.sector, known.capacity if known else None)
            if capacity is None or seen.cadence is not Cadence.DAY:
                continue
            end = _moment(counts.zone, DAY * (seen.index + 1)).timestamp()
            left = 0.0 if seen.closed else max(end - seen.as_of, 0.0)
            taken = seen.observed[row, -1]
            rate = taken / max(DAY - left, 3600.0)
            found = strain.judge(taken, rate, capacity, left, seen.dispersion[row])
            full_in = float(found.full_in)
            out += self._answer(
                seen,
                row,
                Question.STRAIN,
                bool(found.breach),
                observed=taken,
                expected=seen.mean[row, -1],
                dispersion=seen.dispersion[row],
                p_value=float(found.p_value),
                alpha=0.5,
                capacity=capacity,
                full_at=dt.datetime.fromtimestamp(int(seen.as_of + full_in), dt.UTC)
                if 0 < full_in <= left
                else None,
            )
        return out

    def _be_patient(self, seen: Seen) -> None:
        """For how many hours each sector may be silent before anybody asks: what its busiest would bear."""
        for counts, dispersion in zip(seen.batch, np.maximum(seen.dispersion, 1.0001), strict=True):
            busiest = self._profile(counts, (seen.index + 1) * 24).max(initial=0.0)
            alpha = self._alpha(counts.sector, Cadence.HOUR, Question.SILENCE)
            people = -np.log(alpha) * (dispersion - 1) / np.log(dispersion)  # where nobody has chance alpha
            if busiest > 0:
                counts.memory["patience"] = max(int(people / busiest), 1)
            else:
                counts.memory.pop("patience", None)

    def _profile(self, counts: Counts, hour: int) -> Floats:
        """People expected in each of the 24 hours before `hour`; none where single hours tell nothing."""
        if Cadence.HOUR not in counts.series:  # tallies of whole days have no hours
            return np.zeros(0)
        days = counts.series[Cadence.HOUR].window(hour - 24, 24 * 14).reshape(14, 24)
        # The shape of two weeks at the level of the last three days: after a drop, silence is no second news.
        level = min(1.0, days[-3:].sum() / 3 / max(days.sum() / 14, 1e-9))
        profile: Floats = days.mean(0) * level + 1e-3
        return profile if profile.sum() >= HOURLY_LEAST else np.zeros(0)

    def _hour(self, batch: Sequence[Counts], index: int) -> list[Verdict]:
        """Silence by the hour, for sectors where an hour can tell anything."""
        return [verdict for counts in batch for verdict in self._silent_hours(counts, index)]

    def _silent_hours(self, counts: Counts, index: int) -> list[Verdict]:
        profile = self._profile(counts, index)
        if not len(profile):
            counts.asked.pop(f"silence|{counts.sector}||hour", None)
            return []
        observed = counts.series[Cadence.HOUR].window(index, 24).astype(float)[None, :]
        mean = profile[None, :]
        dispersion = np.array([max(counts.memory[f"model {Cadence.DAY}"]["dispersion"], 1.0)])
        found = silence.judge(observed, mean, dispersion, np.zeros(1))
        alpha = self._alpha(counts.sector, Cadence.HOUR, Question.SILENCE)
        seen = Seen(
            Cadence.HOUR, index, [counts], observed, mean, dispersion, np.zeros(1), np.array([alpha]), True,
            Cadence.HOUR.start(index + 1),
        )  # fmt: skip
        return self._answer(
            seen,
            0,
            Question.SILENCE,
            bool(found.p_value[0] <= alpha),
            observed=0.0 if found.periods[0] else observed[0, -1],
            expected=found.expected[0] if found.periods[0] else mean[0, -1],
            dispersion=dispersion[0],
            p_value=found.p_value[0],
            alpha=alpha,
            window=max(int(found.periods[0]), 1),
        )

    def _why(self, seen: Seen, row: int) -> dict[str, Any]:
        """Where a breach comes from: the slices that grew most, and when it was last so high."""
        counts = seen.batch[row]
        series = counts.series[seen.cadence]
        now = seen.observed[row, -1]
        past = series.values[: max(0, seen.index - series.first)]
        as_high = np.flatnonzero(past >= now)
        why: dict[str, Any] = {"record": not len(as_high) and len(past) >= record.PAST[seen.cadence]}
        if len(as_high):
            why["last_as_high"] = _period(counts, seen.cadence, series.first + int(as_high[-1]))
        if counts.sliced is seen.cadence and counts.slices.names:
            table = counts.slices.window(seen.index, LONGEST + 1)
            usual = table[:, :-1].mean(1)
            most = np.argsort(usual - table[:, -1])[:3]
            names = list(counts.slices.names)
            why["slices"] = tuple(
                Contribution(
                    name=names[at], observed=float(table[at, -1]), expected=round(float(usual[at]), 2)
                )
                for at in most
                if table[at, -1] > usual[at]
            )
        return why

    def _answer(
        self, seen: Seen, row: int, question: Question, breach: bool, **evidence: Any
    ) -> list[Verdict]:
        """A verdict, where somebody wants it: a breach, or calm after one."""
        key = "|".join((question, seen.batch[row].sector, "", seen.cadence))
        if not breach and key not in seen.batch[row].asked:
            return []
        return [self._verdict(seen, row, question, breach, **evidence)]

    def _verdict(
        self,
        seen: Seen,
        row: int,
        question: Question,
        breach: bool,
        *,
        expected: float,
        dispersion: float,
        p_value: float,
        alpha: float,
        **evidence: Any,
    ) -> Verdict:
        counts = seen.batch[row]
        known = self._sectors.get(counts.sector)
        key = f"since {question} {seen.cadence}"
        since = int(counts.memory.get(key, seen.index))
        if seen.closed:
            if breach:
                counts.memory[key] = since
            else:
                counts.memory.pop(key, None)
        upper = float(threshold(alpha, expected, max(dispersion, 1.0))) - 1
        lower = _lower(alpha, expected, max(dispersion, 1.0))
        model = counts.memory.get(f"model {seen.cadence}", {})
        return Verdict.of(
            question=question,
            sector=counts.sector,
            border=known.border if known else "",
            cadence=seen.cadence,
            period=_period(counts, seen.cadence, seen.index),
            as_of=dt.datetime.fromtimestamp(int(seen.as_of), dt.UTC),
            closed=seen.closed,
            breach=breach,
            evidence=Evidence(
                expected=round(float(expected), 3),
                lower=lower,
                upper=max(upper, lower),
                p_value=float(np.clip(p_value, 0, 1)),
                alpha=alpha,
                baseline=_baseline(model, seen.cadence),
                down_weighted=model.get("down_weighted", 0),
                since=_period(counts, seen.cadence, since) if breach else None,
                recent=tuple(seen.observed[row].tolist()),
                recent_expected=tuple(np.round(seen.mean[row], 1).tolist()),
                **evidence,
            ),
        )


def _lower(alpha: float, expected: float, dispersion: float) -> float:
    """The smallest count that is no drop at `alpha`."""
    return max(float(threshold(1 - alpha, expected, dispersion)) - 1, 0.0)


def _baseline(model: dict[str, Any], cadence: Cadence) -> str:
    if not model:
        return "the same hours of two weeks"
    steps = f", steps at {len(model['steps'])} dates" if model["steps"] else ""
    return f"regression over {model['periods']} {cadence}s{steps}"


def _period(counts: Counts, cadence: Cadence, index: int) -> dt.datetime:
    zone = "UTC" if cadence is Cadence.HOUR else counts.zone
    return _moment(zone, cadence.start(index))


def _moment(zone: str, wall: int) -> dt.datetime:
    """The moment at which the clocks of a zone show `wall` seconds since 1970."""
    return (dt.datetime(1970, 1, 1) + dt.timedelta(seconds=wall)).replace(tzinfo=ZoneInfo(zone))  # noqa: DTZ001
