"""What stands in sectors without data: held verdicts of what was in breach, and the silence."""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator

import numpy as np

from streams.baselines.negative_binomial import at_most
from streams.contract.cadence import Cadence
from streams.contract.questions import Question
from streams.contract.verdicts import DataStatus, Evidence, Verdict
from streams.counting.detection_state import Breach
from streams.counting.sector_counts import Counts
from streams.counting.series import hour_after
from streams.detectors import SectorView
from streams.judging import missing_tallies
from streams.judging.absence import WEEK, lose, period_of
from streams.judging.frames import period_header
from streams.judging.operating_limits import OperatingLimits


def hold(view: SectorView, limits: OperatingLimits) -> list[Verdict]:
    """Publish of sectors without data what stands at the end of a period: held verdicts, and the silence."""
    verdicts = list[Verdict]()
    for row, counts in enumerate(view.sectors):
        asked = [question for question in Question if question is not Question.SILENCE]
        verdicts += _standing(asked, counts, view=view, limits=limits)
        if view.cadence is Cadence.DAY and (not counts.state.stopped or _is_silent(counts)):
            verdicts += _silent_days(view, row, limits)
        elif view.cadence in missing_tallies.TALLIED:
            verdicts += _overdue_tally(view, row, limits)
    return verdicts


def hold_in_part(
    view: SectorView, limits: OperatingLimits, found: Collection[tuple[str, Question]]
) -> list[Verdict]:
    """Publish of days that are mostly without data what stands, where it was not `found` in them."""
    verdicts = list[Verdict]()
    for counts in view.sectors:
        state = counts.state
        since = state.outage[0] if state.no_data_since is None and state.outage else None
        asked = [one for one in Question if not one.entry.waits and (counts.sector, one) not in found]
        verdicts += _standing(asked, counts, view=view, limits=limits, since=since)
    return verdicts


def _standing(
    asked: Iterable[Question],
    counts: Counts,
    *,
    view: SectorView,
    limits: OperatingLimits,
    since: int | None = None,
) -> Iterator[Verdict]:
    """Publish what stands of these questions, and those that are always published."""
    breaches = counts.state.of(view.cadence).breaches
    for question in asked:
        stands = breaches.get(question)
        if stands is not None:
            stands.last += 1  # calm is awaited for as long after the gap as it was before
        if stands is not None or question.entry.always:
            yield _held(question, stands, counts, view=view, limits=limits, since=since)


def _is_silent(counts: Counts) -> bool:
    """Return whether a silence stands that was found by chance: a source that stops later does not end it."""
    return any(Question.SILENCE in each.breaches for each in (counts.state.hourly, counts.state.daily))


def _held(
    question: Question,
    stands: Breach | None,
    counts: Counts,
    *,
    view: SectorView,
    limits: OperatingLimits,
    since: int | None,
) -> Verdict:
    """Nothing seen of nothing expected; in breach where a breach stood when data ended (`since`)."""
    return Verdict.of(
        question=question,
        breach=stands is not None and stands.since is not None,
        data=DataStatus.WITHOUT_DATA,
        evidence=nothing_judged(
            limits.alpha(counts.sector, view.cadence, question),
            since=_moment(_since(counts, view.cadence) if since is None else since),
        ),
        **period_header(counts, limits, cadence=view.cadence, index=view.index, as_of=view.as_of),
    )


def nothing_judged(alpha: float, *, since: dt.datetime) -> Evidence:
    """Return the evidence of a sector without data: nobody of nobody expected."""
    return Evidence(
        observed=0.0,
        expected=0.0,
        lower=0.0,
        upper=0.0,
        p_value=1.0,
        alpha=alpha,
        no_data_since=since,
        baseline="nothing is judged without data",
    )


def _silent_days(view: SectorView, row: int, limits: OperatingLimits) -> list[Verdict]:
    """The silence at the end of a day, by the hour where that is how it was found.

    None where it was found just now.
    """
    counts = view.sectors[row]
    by_hour = Question.SILENCE in counts.state.hourly.breaches
    cadence = Cadence.HOUR if by_hour else Cadence.DAY
    end = hour_after(counts.zone, Cadence.DAY, view.index)
    index = end - 1 if by_hour else view.index
    window = index - period_of(counts, cadence, counts.data_until)
    expected = float(view.mean[row, -WEEK:].mean() * (window / 24 if by_hour else window))
    return _silence(
        view, row, limits, cadence=cadence, index=index, window=window, expected=expected,
        baseline="the same days of the week before the silence",
    )  # fmt: skip


def _overdue_tally(view: SectorView, row: int, limits: OperatingLimits) -> list[Verdict]:
    """The silence of tallies at the end of a week or month, where one is overdue."""
    counts, cadence, index = view.sectors[row], view.cadence, view.index
    if not missing_tallies.is_overdue(counts, cadence, index):
        return []
    if len(counts.series) == 1:
        lose([counts], np.ones(1, bool))
    window, known = missing_tallies.missing(counts, cadence, index), view.mean[row][view.mean[row] > 0]
    expected = float(known[-WEEK:].mean() * window) if len(known) else 0.0
    return _silence(
        view, row, limits, cadence=cadence, index=index, window=window, expected=expected,
        baseline=f"the {cadence}s before the silence",
    )  # fmt: skip


def _silence(
    view: SectorView,
    row: int,
    limits: OperatingLimits,
    *,
    cadence: Cadence,
    index: int,
    window: int,
    expected: float,
    baseline: str,
) -> list[Verdict]:
    """Nobody in a window of periods up to `index`; nothing where that is published already."""
    counts = view.sectors[row]
    stands = counts.state.of(cadence).breaches.setdefault(Question.SILENCE, Breach(last=index - 1))
    if stands.last >= index:
        return []
    stands.last = index
    dispersion = float(view.dispersion[row] + expected * view.error[row])
    as_of = cadence.start(index + 1) if cadence is Cadence.HOUR else view.as_of
    found = Verdict.of(
        question=Question.SILENCE,
        breach=True,
        data=DataStatus.WITHOUT_DATA,
        evidence=Evidence(
            observed=0.0,
            expected=round(expected, 3),
            lower=0.0,
            upper=round(expected, 3),
            p_value=float(at_most(0, expected, dispersion)),
            alpha=limits.alpha(counts.sector, cadence, Question.SILENCE),
            window=max(window, 1),
            no_data_since=_moment(_since(counts, view.cadence)),
            baseline=baseline,
            recent=tuple(view.observed[row].tolist()),
            recent_expected=tuple(np.round(view.mean[row], 1).tolist()),
        ),
        **period_header(counts, limits, cadence=cadence, index=index, as_of=as_of),
    )
    return [found]


def _since(counts: Counts, cadence: Cadence) -> int:
    """Return up to when there is data (epoch seconds)."""
    if counts.state.no_data_since is not None:
        return counts.state.no_data_since
    if cadence in missing_tallies.TALLIED:
        return missing_tallies.since(counts, cadence)
    return counts.data_until


def _moment(epoch: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(epoch, dt.UTC)
