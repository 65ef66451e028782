"""Silence by the hour: asked as often as an hour ends, so it has to cost next to nothing until it is time."""

import numpy as np

from streams.baselines import fitted_delays
from streams.baselines.negative_binomial import Floats
from streams.contract.cadence import HOUR, Cadence
from streams.contract.verdicts import Question, Verdict
from streams.counting.sector_counts import Counts
from streams.detectors import silence
from streams.judging.evidence import answer
from streams.judging.operating_limits import OperatingLimits
from streams.judging.sheet import Sheet

LEAST = 8.0  # people a day below which single hours tell nothing


def is_suspicious(counts: Counts, hour: int) -> bool:
    """Is it worth asking whether a sector is silent, at the start of this hour? (Asked very often.)"""
    patience = counts.memory.get("patience")
    if patience is None:
        return False
    silent = hour - 1 - counts.event_time // HOUR
    return silent >= patience or f"silence|{counts.sector}||hour" in counts.asked


def be_patient(sheet: Sheet) -> None:
    """For how many hours each sector may be silent before anybody asks: what its busiest would bear."""
    for counts, dispersion in zip(sheet.batch, np.maximum(sheet.dispersion, 1.0001), strict=True):
        busiest = _profile(counts, (sheet.index + 1) * 24).max(initial=0.0)
        alpha = sheet.limits.alpha(counts.sector, Cadence.HOUR, Question.SILENCE)
        people = -np.log(alpha) * (dispersion - 1) / np.log(dispersion)  # where nobody has chance alpha
        if busiest > 0 and not fitted_delays.waits(counts, Cadence.DAY):
            counts.memory["patience"] = max(int(people / busiest), 1)
        else:
            counts.memory.pop("patience", None)


def _profile(counts: Counts, hour: int) -> Floats:
    """People expected in each of the 24 hours before `hour`; none where single hours tell nothing."""
    if Cadence.HOUR not in counts.series:  # tallies of whole days have no hours
        return np.zeros(0)
    days = counts.series[Cadence.HOUR].window(hour - 24, 24 * 14).reshape(14, 24)
    # The shape of two weeks at the level of the last three days: after a drop, silence is no second news.
    level = min(1.0, days[-3:].sum() / 3 / max(days.sum() / 14, 1e-9))
    profile: Floats = days.mean(0) * level + 1e-3
    return profile if profile.sum() >= LEAST else np.zeros(0)


def silent_hours(limits: OperatingLimits, counts: Counts, index: int) -> list[Verdict]:
    """Has nobody come for longer than chance allows, by the end of hour `index`?"""
    profile = _profile(counts, index)
    if not len(profile):
        counts.asked.pop(f"silence|{counts.sector}||hour", None)
        return []
    observed = counts.series[Cadence.HOUR].window(index, 24).astype(float)[None, :]
    mean = profile[None, :]
    dispersion = np.array([max(counts.memory[f"model {Cadence.DAY}"]["dispersion"], 1.0)])
    found = silence.judge(observed, mean, dispersion, np.zeros(1))
    alpha = limits.alpha(counts.sector, Cadence.HOUR, Question.SILENCE)
    sheet = Sheet(
        limits, Cadence.HOUR, index, [counts], observed, mean, dispersion, np.zeros(1), np.array([alpha]),
        closed=True, as_of=Cadence.HOUR.start(index + 1),
    )  # fmt: skip
    return answer(
        sheet,
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
