"""The questions: each asks its detector, and makes verdicts of what it answers."""

import datetime as dt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.baselines.design_matrix import PERIODS
from streams.baselines.negative_binomial import Floats, at_least
from streams.contract.cadence import DAY, Cadence
from streams.contract.verdicts import Contribution, Question, Verdict
from streams.detectors import drop, mix, record, regime, silence, slow_rise, strain, surge
from streams.judging.evidence import answer, moment, normal, verdict, why
from streams.judging.sheet import LONGEST, Sheet

RUNS: Final = {Cadence.HOUR: 48, Cadence.DAY: 15, Cadence.WEEK: 8, Cadence.MONTH: 5}
FLOOR_RUN: Final = 20.0  # people that a new level is off by, in all its periods together
FLOOR_PEOPLE: Final = 5.0  # a surge (or drop) is at least so many people from what was expected,
FLOOR_RATIO: Final = 1.3  # and so many times


def surge_of(sheet: Sheet) -> surge.Surge:
    """The surge detector on a sheet."""
    seen = sheet.cautious()
    return surge.judge(sheet.observed, seen.mean, seen.each, sheet.error, surge.PAST[sheet.cadence])


def matters(observed: Floats, expected: Floats) -> NDArray[np.bool_]:
    """Is it enough people to be worth an alert, however improbable it is?"""
    return (observed - expected >= FLOOR_PEOPLE) & (observed >= FLOOR_RATIO * expected)


def surges(sheet: Sheet) -> list[Verdict]:
    """Too many people?"""
    found = surge_of(sheet)
    breach = (found.p_value <= sheet.alpha) & matters(found.observed, found.expected)
    if not sheet.closed and not sheet.early:
        seen, past = sheet.cautious(), surge.PAST[sheet.cadence]
        least = surge.needed(sheet.observed, seen.mean, seen.each, sheet.error, past, sheet.alpha)
        for row, counts in enumerate(sheet.batch):
            # Once it is a breach, only a tenth more is news again.
            needed = sheet.observed[row, -1] * 1.1 if breach[row] else least[row]
            counts.threshold[sheet.cadence] = max(float(needed), float(sheet.observed[row, -1]) + 1)
    lower, upper = normal(sheet.alpha, found.expected, found.dispersion)
    last = sheet.mean[:, -1]
    alone = normal(sheet.alpha, last, sheet.last + last * sheet.error)
    wanted = range(len(sheet.batch)) if sheet.closed else np.flatnonzero(breach).tolist()
    return [
        verdict(
            sheet,
            row,
            Question.SURGE,
            bool(breach[row]),
            observed=found.observed[row],
            expected=found.expected[row],
            lower=lower[row],
            upper=upper[row],
            p_value=found.p_value[row],
            alpha=sheet.alpha[row],
            window=int(found.window[row]),
            period_lower=alone[0][row],
            period_upper=alone[1][row],
            **(why(sheet, row) if breach[row] else {}),
        )
        for row in wanted
    ]


def drops(sheet: Sheet) -> list[Verdict]:
    """Too few?"""
    windows = drop.WINDOWS[sheet.cadence]
    found = drop.judge(sheet.observed, sheet.mean, sheet.pooled(windows), sheet.error, windows)
    out = []
    for row, counts in enumerate(sheet.batch):
        alpha = sheet.limits.alpha(counts.sector, sheet.cadence, Question.DROP)
        fewer = found.expected[row] - found.observed[row] >= FLOOR_PEOPLE
        low = found.observed[row] * FLOOR_RATIO <= found.expected[row]
        breach = bool(found.p_value[row] <= alpha and fewer and low)
        out += answer(
            sheet,
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


def records(sheet: Sheet) -> list[Verdict]:
    """More than ever?"""
    length = 3 * 366
    past = np.stack([counts.series[sheet.cadence].window(sheet.index - 1, length) for counts in sheet.batch])
    starts = np.array([counts.series[sheet.cadence].first for counts in sheet.batch])
    present = np.arange(sheet.index - length, sheet.index)[None, :] >= starts[:, None]
    now = sheet.observed[:, -1]
    seen = sheet.cautious()
    tail = at_least(now, seen.mean[:, -1], seen.last)
    found = record.judge(past.astype(float), present.astype(float), now, tail, record.PAST[sheet.cadence])
    out = []
    for row in range(len(sheet.batch)):
        out += answer(
            sheet,
            row,
            Question.RECORD,
            bool(found.breach[row]),
            observed=now[row],
            expected=sheet.mean[row, -1],
            dispersion=sheet.dispersion[row],
            p_value=tail[row],
            alpha=record.UNUSUAL,
            record=bool(found.breach[row]),
            remark=f"highest before: {found.highest[row]:.0f}",
        )
    return out


def silence_doubt(sheet: Sheet) -> Floats | float:
    """Relative variance of the people expected in the silent periods, by the doubt about what has arrived."""
    if sheet.late is None:
        return 0.0
    silent = np.cumsum(sheet.observed[:, ::-1], axis=1)[:, ::-1] == 0
    people = np.where(silent, sheet.mean, 0.0)
    doubtful = (people * np.sqrt(sheet.late.doubt)).sum(1)
    share: Floats = np.square(doubtful / np.maximum(people.sum(1), 1e-9))
    return share


def silences(sheet: Sheet) -> list[Verdict]:
    """Nobody for too long?"""
    found = silence.judge(sheet.observed, sheet.mean, sheet.dispersion, sheet.error + silence_doubt(sheet))
    out = []
    for row, counts in enumerate(sheet.batch):
        alpha = sheet.limits.alpha(counts.sector, sheet.cadence, Question.SILENCE)
        out += answer(
            sheet,
            row,
            Question.SILENCE,
            bool(found.p_value[row] <= alpha),
            observed=0.0 if found.periods[row] else sheet.observed[row, -1],
            expected=found.expected[row] if found.periods[row] else sheet.mean[row, -1],
            dispersion=sheet.dispersion[row],
            p_value=found.p_value[row],
            alpha=alpha,
            window=max(int(found.periods[row]), 1),
        )
    return out


def mixes(sheet: Sheet) -> list[Verdict]:
    """Other people than usual, in whatever number?"""
    out = []
    for row, counts in enumerate(sheet.batch):
        names = list(counts.slices.names)
        if counts.sliced is not sheet.cadence or not names:
            continue
        table = counts.slices.window(sheet.index, LONGEST * 2).astype(float)
        width = 7 if sheet.cadence is Cadence.DAY else 1
        blocks = table.reshape(len(names), -1, width).sum(-1)[:, -9:]
        total = blocks[[name.startswith("demographic=") for name in names]].sum(0)
        if total[-1] == 0 or (total[:-1] > 0).sum() < 4:
            continue
        alpha = sheet.limits.alpha(counts.sector, sheet.cadence, Question.MIX)
        found = mix.judge(blocks[:, -1], total[-1], blocks[:, :-1], total[:-1], alpha)
        top = int(np.where(found.shifted, found.p_slice, 2.0).argmin()) if found.shifted.any() else -1
        shown = top if top >= 0 else int(found.p_slice.argmin())
        out += answer(
            sheet,
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
                Contribution(name=names[at], observed=blocks[at, -1], expected=round(found.expected[at], 2))
                for at in np.argsort(found.p_slice)[:3]
            ),
            remark=mix.remark(names, found.shifted),
        )
    return out


def slow_rises(sheet: Sheet) -> list[Verdict]:
    """A little too many for long?"""
    key = f"slow_rise {sheet.cadence}"
    # State of before knows the sum and the age alone.
    held = np.array([(*counts.memory.get(key, ()), *(0.0,) * 4)[:4] for counts in sheet.batch])
    limits = [
        slow_rise.limit(1 / sheet.limits.alpha(counts.sector, sheet.cadence, Question.SLOW_RISE))
        for counts in sheet.batch
    ]
    found = slow_rise.step(
        slow_rise.State(*held.T),
        sheet.observed[:, -1],
        sheet.mean[:, -1],
        sheet.last + sheet.mean[:, -1] * sheet.error,
        np.array(limits),
    )
    kept = np.stack(found.state, 1).tolist()
    out = []
    for row, counts in enumerate(sheet.batch):
        counts.memory[key] = kept[row]
        begun = found.rise.age[row] > 0
        out += answer(
            sheet,
            row,
            Question.SLOW_RISE,
            bool(found.alarm[row]),
            observed=found.rise.observed[row] if begun else sheet.observed[row, -1],
            expected=found.rise.expected[row] if begun else sheet.mean[row, -1],
            dispersion=sheet.dispersion[row],
            p_value=found.p_value[row],
            alpha=float(np.exp(-limits[row])),
            window=max(int(found.rise.age[row]), 1),
        )
    return out


def shift(sheet: Sheet) -> tuple[regime.Step, list[bool]]:
    """Follow each sector's run of one sign; a long one starts a new level where it began."""
    key = f"run {sheet.cadence}"
    held = np.array([counts.memory.get(key, (0.0, 0.0, 0.0)) for counts in sheet.batch])
    found = regime.step(
        regime.State(*held.T),
        sheet.observed[:, -1],
        sheet.mean[:, -1],
        sheet.last,
        run=RUNS[sheet.cadence],
    )
    enough = np.abs(found.state.observed - found.state.expected) >= FLOOR_RUN
    new_level = found.proposed & enough
    if new_level.any():
        age = sheet.index - np.array([counts.series[sheet.cadence].first for counts in sheet.batch])
        new_level &= regime.improbable(found.state, sheet.last, age >= 2 * PERIODS[sheet.cadence])
    proposed = new_level.tolist()
    runs = np.stack(found.state, 1).tolist()
    for counts, run, new in zip(sheet.batch, runs, proposed, strict=True):
        if new:
            # Until a person says otherwise, the baseline takes the new level from its beginning on.
            regimes = counts.memory.setdefault(f"regimes {sheet.cadence}", [])
            regimes.append(sheet.index - abs(int(run[0])) + 1)
            del regimes[:-2]
        counts.memory[key] = (0.0, 0.0, 0.0) if new else tuple(run)
    return found, proposed


def regimes(sheet: Sheet) -> list[Verdict]:
    """A lasting new level?"""
    found, proposed = shift(sheet)
    out = []
    for row in range(len(sheet.batch)):
        length = max(abs(int(found.state.run[row])), 1)
        out += answer(
            sheet,
            row,
            Question.REGIME,
            proposed[row],
            observed=sheet.observed[row, -length:].sum(),
            expected=sheet.mean[row, -length:].sum(),
            dispersion=sheet.dispersion[row],
            p_value=found.p_value[row],
            alpha=2.0 ** (1 - RUNS[sheet.cadence]),
            window=length,
            remark=f"level times {found.ratio[row]:.2f} for {length} {sheet.cadence}s",
        )
    return out


def strains(sheet: Sheet) -> list[Verdict]:
    """More than a place can take in?"""
    out = []
    for row, counts in enumerate(sheet.batch):
        capacity = sheet.limits.capacity(counts.sector)
        if capacity is None or sheet.cadence is not Cadence.DAY:
            continue
        end = moment(counts.zone, DAY * (sheet.index + 1)).timestamp()
        left = 0.0 if sheet.closed else max(end - sheet.as_of, 0.0)
        taken = sheet.observed[row, -1]
        rate = taken / max(DAY - left, 3600.0)
        found = strain.judge(taken, rate, capacity, left, sheet.dispersion[row])
        full_in = float(found.full_in)
        out += answer(
            sheet,
            row,
            Question.STRAIN,
            bool(found.breach),
            observed=taken,
            expected=sheet.mean[row, -1],
            dispersion=sheet.dispersion[row],
            p_value=float(found.p_value),
            alpha=0.5,
            capacity=capacity,
            full_at=dt.datetime.fromtimestamp(int(sheet.as_of + full_in), dt.UTC)
            if 0 < full_in <= left
            else None,
        )
    return out
