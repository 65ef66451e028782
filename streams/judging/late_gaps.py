"""Gaps that late reports show: empty days between others that are reported.

    known at the time     ▂▃▂▃░░░░░░░░░░      ░ not reported yet
    known afterwards      ▂▃▂▃      ▂▃▂▃      chance explains no run of that length: a gap
                              ▔▔▔▔▔▔

Reported on time, such a run is a silence, and the sector is without data while it lasts. Reported late, it is
over by the time it is judged: no silence is alerted, and its days are left out just the same.
"""

import numpy as np

from streams.contract.cadence import Cadence
from streams.contract.questions import Question
from streams.counting.sector_counts import Counts
from streams.detectors import LONGEST, SectorView, silence
from streams.judging import absence
from streams.judging.operating_limits import OperatingLimits


def without_late_gaps(view: SectorView, newest: SectorView, limits: OperatingLimits) -> SectorView:
    """Leave out the run of empty days that ends a view, where days after it are known.

    Returns the view of the other sectors: those whose day can be judged. `newest` is the view of the day
    that closes.
    """
    is_over = (view.observed[:, -1] == 0) & (absence.data_until(view, limits) > view.index)
    is_over &= [not counts.sources for counts in view.sectors]  # whose outages are known
    rows = np.flatnonzero(is_over).tolist()
    if view.cadence is not Cadence.DAY or not rows:
        return view
    seen = view.select(rows)
    reported = np.array([_last_reported(counts, view.index) for counts in seen.sectors])
    alpha = limits.alphas(seen.sectors, view.cadence, Question.SILENCE)
    found = silence.judge_until(seen, reported)
    kept = np.ones(len(view.sectors), bool)
    for at in np.flatnonzero(found.p_value <= alpha).tolist():
        kept[rows[at]] = not _leave_out(seen.sectors[at], view.index, int(found.periods[at]), newest)
    return view if kept.all() else view.select(np.flatnonzero(kept).tolist())


def _last_reported(counts: Counts, index: int) -> int:
    """Return the last day up to `index` with people, or of which nobody was reported."""
    people = np.flatnonzero(counts.series[Cadence.DAY].window(index, LONGEST))
    nil = [day for cadence, day in counts.nil if cadence is Cadence.DAY and day <= index]
    return max([*nil, index - LONGEST + 1 + int(people[-1])] if len(people) else nil, default=index - LONGEST)


def _leave_out(counts: Counts, index: int, run: int, newest: SectorView) -> bool:
    """Leave out a run of days up to `index`; return False where its only day is the first of a drop.

    As of a single day without data (`absence.reopen`): whether it is depends on the day after it.
    """
    state = counts.state.of(Cadence.DAY)
    left_out = absence.leave_out(counts, Cadence.DAY, range(index - run + 1, index + 1))
    if run == 1 and left_out:
        if index == newest.index:
            state.held_day = index
        elif absence.is_low(newest, newest.sectors.index(counts), index + 1):
            state.gaps.remove(index)
            return False
    return True
