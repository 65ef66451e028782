"""Evidence: what n sectors look like in a period, and the verdicts that are made of it."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import ArrayLike

from streams.baselines.negative_binomial import Floats, threshold
from streams.baselines.reporting_delay import SMALLEST
from streams.contract.cadence import Cadence
from streams.contract.verdicts import Contribution, Evidence, Question, Verdict
from streams.counting.sector_counts import Counts
from streams.detectors.record import PAST
from streams.judging.sheet import LONGEST, Sheet


def answer(
    sheet: Sheet,
    row: int,
    question: Question,
    breach: bool,
    *,
    expected: float,
    dispersion: float,
    alpha: float,
    **evidence: Any,
) -> list[Verdict]:
    """A verdict, where somebody wants it: a breach, or calm after one."""
    key = "|".join((question, sheet.batch[row].sector, "", sheet.cadence))
    if not breach and key not in sheet.batch[row].asked:
        return []
    lower, upper = normal(alpha, expected, dispersion)
    return [
        verdict(
            sheet, row, question, breach,
            expected=expected, lower=float(lower), upper=float(upper), alpha=alpha, **evidence,
        )
    ]  # fmt: skip


def normal(alpha: ArrayLike, expected: ArrayLike, dispersion: ArrayLike) -> tuple[Floats, Floats]:
    """The smallest count that is no drop and the largest that is no surge, at `alpha`."""
    level, spread = np.asarray(alpha), np.maximum(dispersion, 1.0)
    lower = np.maximum(threshold(1 - level, expected, spread) - 1, 0.0)
    return lower, np.maximum(threshold(level, expected, spread) - 1, lower)


def verdict(
    sheet: Sheet,
    row: int,
    question: Question,
    breach: bool,
    *,
    expected: float,
    p_value: float,
    **evidence: Any,
) -> Verdict:
    """A verdict with all that can be said for it; `evidence` goes into it as it is."""
    counts = sheet.batch[row]
    key = f"since {question} {sheet.cadence}"
    since = int(counts.memory.get(key, sheet.index))
    if sheet.closed and not sheet.again:
        if breach:
            counts.memory[key] = since
        else:
            counts.memory.pop(key, None)
    model = counts.memory.get(f"model {sheet.cadence}", {})
    return Verdict.of(
        occasion=_occasion(sheet, counts),
        question=question,
        sector=counts.sector,
        border=sheet.limits.border(counts.sector),
        cadence=sheet.cadence,
        period=period_start(counts, sheet.cadence, sheet.index),
        as_of=dt.datetime.fromtimestamp(int(sheet.as_of), dt.UTC),
        closed=sheet.closed,
        breach=breach,
        evidence=Evidence(
            expected=round(float(expected), 3),
            p_value=min(max(float(p_value), 0.0), 1.0),
            baseline=_baseline(model, sheet.cadence),
            down_weighted=model.get("down_weighted", 0),
            since=period_start(counts, sheet.cadence, since) if breach else None,
            share_arrived=_arrived(sheet, row, evidence.get("window", 1)),
            share_late=_came_late(sheet, row, evidence.get("window", 1)) if breach else 0.0,
            recent=tuple(sheet.observed[row].tolist()),
            recent_expected=tuple(np.round(sheet.mean[row], 1).tolist()),
            **evidence,
        ),
    )


def _occasion(sheet: Sheet, counts: Counts) -> str:
    """What tells a look from others at the same period and moment: whole numbers, the same in a replay."""
    if not sheet.occasion:
        return ""
    if sheet.closed:
        return f"{sheet.occasion} {counts.memory[f'revisions {sheet.cadence}']}"
    return f"{sheet.occasion} {counts.series[sheet.cadence].get(sheet.index)}"


def why(sheet: Sheet, row: int) -> dict[str, Any]:
    """Where a breach comes from: the slices that grew most, and when it was last so high."""
    counts = sheet.batch[row]
    series = counts.series[sheet.cadence]
    now = sheet.observed[row, -1]
    past = series.values[: max(0, sheet.index - series.first)]
    as_high = np.flatnonzero(past >= now)
    why: dict[str, Any] = {"record": not len(as_high) and len(past) >= PAST[sheet.cadence]}
    if len(as_high):
        why["last_as_high"] = period_start(counts, sheet.cadence, series.first + int(as_high[-1]))
    if counts.sliced is sheet.cadence and counts.slices.names:
        table = counts.slices.window(sheet.index, LONGEST + 1)
        usual = table[:, :-1].mean(1)
        most = np.argsort(usual - table[:, -1])[:3]
        names = list(counts.slices.names)
        why["slices"] = tuple(
            Contribution(name=names[at], observed=float(table[at, -1]), expected=round(float(usual[at]), 2))
            for at in most
            if table[at, -1] > usual[at]
        )
    return why


def _arrived(sheet: Sheet, row: int, window: int) -> float:
    if sheet.late is None:
        return 1.0
    whole = sheet.late.whole[row, -window:]
    share = (sheet.late.share[row, -window:] * whole).sum() / max(whole.sum(), 1e-9)
    return float(np.clip(round(float(share), 3), SMALLEST, 1.0))


def _came_late(sheet: Sheet, row: int, window: int) -> float:
    arrived = sheet.batch[row].arrived.get(sheet.cadence)
    return 0.0 if arrived is None else round(arrived.late(sheet.index, window), 3)


def _baseline(model: dict[str, Any], cadence: Cadence) -> str:
    if not model:
        return "the same hours of two weeks"
    if model.get("like"):
        own = f" and {model['periods']} {cadence}s" if model["periods"] else ""
        return f"prior of {model['like']} like sectors{own}"
    steps = f", steps at {len(model['steps'])} dates" if model["steps"] else ""
    return f"regression over {model['periods']} {cadence}s{steps}"


def period_start(counts: Counts, cadence: Cadence, index: int) -> dt.datetime:
    """The moment at which a period of a sector begins."""
    zone = "UTC" if cadence is Cadence.HOUR else counts.zone
    return moment(zone, cadence.start(index))


def moment(zone: str, wall: int) -> dt.datetime:
    """The moment at which the clocks of a zone show `wall` seconds since 1970."""
    return (dt.datetime(1970, 1, 1) + dt.timedelta(seconds=wall)).replace(tzinfo=ZoneInfo(zone))  # noqa: DTZ001
