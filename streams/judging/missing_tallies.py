"""Missing tallies: a week or month of which no tally has come is not a week of nobody.

    tallies    ▂ ▃ ▂ ▃ ▂ ░ ░ ░ ░         ░ over, and no tally of it
    held                 ▔▔▔▔▔▔▔         from the first on: what stands, stands, and nothing is learnt
    silence                ▔▔▔▔▔         once the first is later than tallies of this sector usually are

Where so few people are expected that a table may have no row for them, it is a week of nobody.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from streams.baselines import fitted_delays
from streams.contract.cadence import HOUR, Cadence
from streams.contract.questions import Look, Question
from streams.counting.sector_counts import KEEP, Counts
from streams.counting.series import hour_after
from streams.detectors import silence
from streams.judging.operating_limits import OperatingLimits
from streams.judging.views import Views

TALLIED: Final = (Cadence.WEEK, Cadence.MONTH)  # only tallies count into them
YOUNG: Final = 12  # periods in which it is not known yet how late tallies usually are
USUAL_DELAY: Final = 3  # periods by which they may be late until then


def is_missing(counts: Counts, cadence: Cadence, index: int) -> bool:
    """Return whether a period is known to be without its tally."""
    if cadence not in TALLIED or index not in counts.state.of(cadence).gaps:
        return False
    return not counts.series[cadence].get(index) and (cadence, index) not in counts.nil


def missing(counts: Counts, cadence: Cadence, index: int) -> int:
    """Return how many periods up to `index` are over since the one of the newest tally."""
    return index - (counts.series[cadence].end - 1)


def is_overdue(counts: Counts, cadence: Cadence, index: int) -> bool:
    """Return whether a tally is later, as of the end of a period, than this sector's usually are.

    A tally is made once its period is over, so it has at least the next one to come in.
    """
    is_young = index - counts.series[cadence].first < YOUNG
    usual = max(fitted_delays.waits(counts, cadence), USUAL_DELAY if is_young else 1)
    return missing(counts, cadence, index) > usual


def since(counts: Counts, cadence: Cadence) -> int:
    """Return the end of the newest tally's period (epoch seconds)."""
    return hour_after(counts.zone, cadence, counts.series[cadence].end - 1) * HOUR - 1


def leave_out(
    sectors: Sequence[Counts], cadence: Cadence, index: int, *, views: Views, limits: OperatingLimits
) -> None:
    """Leave a period that closes without a tally out of what is learnt, where people are expected."""
    if cadence not in TALLIED:
        return
    for counts in sectors:
        _forget(counts, cadence, index)
    without = [counts for counts in sectors if _may_be_missing(counts, cadence, index, limits)]
    if not without:
        return
    explained = _by_chance(without, cadence, index, views=views, limits=limits)
    for counts in without:
        if counts.sector not in explained or is_missing(counts, cadence, index - 1):
            gaps = counts.state.of(cadence).gaps
            end = counts.series[cadence].end
            gaps += [period for period in range(end, index + 1) if period not in gaps]


def _by_chance(
    sectors: Sequence[Counts], cadence: Cadence, index: int, *, views: Views, limits: OperatingLimits
) -> set[str]:
    """Return the sectors in which nobody may have come since the newest tally. Without a model, none."""
    view = views.of(sectors, Look.CLOSED, cadence, index)
    if view is None:
        return set()
    newest = np.array([counts.series[cadence].end - 1 for counts in view.sectors])
    found = silence.judge_until(view, newest)
    alpha = limits.alphas(view.sectors, cadence, Question.SILENCE)
    rows = np.flatnonzero(found.p_value > alpha).tolist()
    return {view.sectors[row].sector for row in rows}


def _may_be_missing(counts: Counts, cadence: Cadence, index: int, limits: OperatingLimits) -> bool:
    as_of = hour_after(counts.zone, cadence, index) * HOUR
    return missing(counts, cadence, index) > 0 and not limits.is_zero(counts, as_of)


def _forget(counts: Counts, cadence: Cadence, index: int) -> None:
    """Keep of the gaps those that are still without a tally, for as long as their periods are kept."""
    state = counts.state.of(cadence)
    state.gaps = [
        period
        for period in state.gaps
        if period > index - KEEP[cadence] and is_missing(counts, cadence, period)
    ]
