"""Late events: days of which little is known yet are no drops and no silences, and surges are still found.

The real case is Italy's daily arrivals by sea by date of report, twice a month: what was known of a day on
the day itself was 13 % of the final count in the median, where it was revised; one without a report reads 0.
"""

import datetime as dt
from functools import cache

import numpy as np
import pytest

from benchmarks.late_stream import (
    DATA,
    DAY,
    START,
    VINTAGES,
    Unaware,
    breaches,
    days,
    delayed,
    hours_until_alerted,
    italy,
    read,
)
from streams.contract.verdicts import Question, Verdict
from streams.judging.judge import Judge

PLACES, CALM, LENGTH = 12, 60, 72  # days; the rate doubles after CALM

real = pytest.mark.skipif(not VINTAGES.exists(), reason=f"no {VINTAGES.name} in {DATA}: set SURGEWATCH_DATA")


@real
@pytest.mark.data
@pytest.mark.parametrize("question", [Question.DROP, Question.SILENCE, Question.REGIME])
def test_days_that_are_not_reported_yet_are_taken_for_no_drop_silence_or_new_level(
    question: Question,
) -> None:
    finals, aware, unaware = (days(italy(what), question) for what in ("finals", "aware", "unaware"))
    missed = {dt.date(2021, 7, at) for at in range(1, 15)}  # the only report that was left out: a silence
    assert len(aware - missed) <= 1.1 * len(finals) + 2
    assert len(unaware) > 3 * len(aware)


@real
@pytest.mark.data
def test_surges_of_the_finals_are_alerted_with_the_first_report_of_their_day() -> None:
    reported: dict[dt.date, dt.date] = {}
    for report in sorted(read(VINTAGES)):
        if report.people:
            reported.setdefault(report.day, report.on)
    finals, aware = days(italy("finals"), Question.SURGE), italy("aware")
    alerted = {day: aware[Question.SURGE, day] for day in finals & days(aware, Question.SURGE)}
    assert len(alerted) >= 0.9 * len(finals)
    assert sum(on <= reported[day] + DAY for day, on in alerted.items()) >= 0.9 * len(alerted)


@real
@pytest.mark.data
def test_late_reports_make_no_flood_of_surges() -> None:
    finals, aware, unaware = (days(italy(what), Question.SURGE) for what in ("finals", "aware", "unaware"))
    assert len(aware) <= 1.25 * len(finals)
    assert len(unaware) > 2.5 * len(finals)


@cache
def found(judge: type[Judge]) -> tuple[tuple[float, Verdict], ...]:
    return tuple(breaches(judge, delayed(PLACES, LENGTH, CALM)))


def test_a_doubled_rate_is_alerted_sooner_where_the_delay_is_known() -> None:
    aware, unaware = (hours_until_alerted(list(found(judge)), CALM) for judge in (Judge, Unaware))
    never = [24.0 * (LENGTH - CALM)] * (PLACES - len(unaware))
    assert len(aware) == PLACES
    assert np.median(aware) + 6 < np.median([*unaware, *never])


def test_days_of_which_a_third_is_still_to_come_are_no_drops_and_no_new_level() -> None:
    fewer = {Question.DROP, Question.REGIME}
    calm = {
        judge: {
            (one.sector, one.question, one.period)
            for when, one in found(judge)
            if when < START + CALM and one.question in fewer
        }
        for judge in (Judge, Unaware)
    }
    assert len(calm[Judge]) <= 1 < len(calm[Unaware])


def test_evidence_holds_how_much_has_arrived_and_how_much_came_late() -> None:
    surges = [one for when, one in found(Judge) if when >= START + CALM and one.question is Question.SURGE]
    first = next(one for one in surges if one.closed)
    again = [
        one for one in surges if one.closed and one.period == first.period and one.sector == first.sector
    ]
    assert 0.5 < first.evidence.share_reported < 0.95
    assert again[-1].evidence.share_reported > first.evidence.share_reported
    assert again[-1].evidence.share_late > 0.05
