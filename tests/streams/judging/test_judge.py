"""The judge goes on from what was written down as if it had never stopped."""

import numpy as np
from msgspec.structs import replace

from streams.contract.cadence import Cadence
from streams.contract.questions import Look
from streams.contract.sectors import Registry
from streams.contract.verdicts import Verdict
from streams.counting.detection_state import DetectionState
from streams.counting.sector_counts import KEEP, Counts
from streams.counting.series import Series
from streams.judging.judge import Judge

START, LENGTH, STOP = 18_262, 60, 30


def _judged(stop: int | None) -> list[Verdict]:
    values = np.random.default_rng(7).poisson(20, LENGTH).astype(np.int32)
    values[40:] *= 3
    counts, judge, published = Counts("here"), Judge(Registry(sector=())), []
    counts.series[Cadence.DAY] = Series(Cadence.DAY, KEEP[Cadence.DAY])
    for day, people in enumerate(values.tolist()):
        if day == stop:
            counts.state = DetectionState.decode(counts.state.encode())
            judge = Judge(Registry(sector=()))
        counts.series[Cadence.DAY].add(START + day, people)
        published += judge.ask(Look.CLOSED, [counts], cadence=Cadence.DAY, index=START + day)
        counts.closed[Cadence.DAY] = START + day
    return published


def test_resuming_from_written_memory_equals_never_having_stopped() -> None:
    assert _judged(STOP) == _judged(None)


def test_a_model_of_an_older_version_is_not_used() -> None:
    counts, judge = Counts("here"), Judge(Registry(sector=()))
    series = counts.series[Cadence.DAY] = Series(Cadence.DAY, KEEP[Cadence.DAY])
    for day in range(STOP):
        series.add(START + day, 20)
    judge.ask(Look.CLOSED, [counts], cadence=Cadence.DAY, index=START + STOP - 1)
    series.add(START + STOP, 500)
    assert judge.ask(Look.OPEN, [counts], cadence=Cadence.DAY, index=START + STOP, watermark=0.0)
    model = counts.state.daily.model
    assert model is not None
    counts.state.daily.model = replace(model, coefficients=model.coefficients[:-4])  # a term less
    assert judge.ask(Look.OPEN, [counts], cadence=Cadence.DAY, index=START + STOP, watermark=0.0) == []


def test_a_level_that_trebles_is_in_breach_on_its_first_day() -> None:
    first = [one for one in _judged(None) if one.breach and one.question == "surge"]
    assert first[0].period.timestamp() == Cadence.DAY.start(START + 40)


def test_a_young_rise_is_not_drawn_on_as_if_it_were_a_season() -> None:
    months = (245, 452, 654, 672, 576, 781, 2_996, 5_530)  # the first of RCMP's table for Quebec
    counts, judge, first = Counts("here"), Judge(Registry(sector=())), Cadence.MONTH.index(1_483_228_800)
    series = counts.series[Cadence.MONTH] = Series(Cadence.MONTH, KEEP[Cadence.MONTH])
    for at, people in enumerate(months, first):
        series.add(at, people)
        published = judge.ask(Look.CLOSED, [counts], cadence=Cadence.MONTH, index=at)
    assert {one.question for one in published if one.breach} >= {"surge"}
    assert all(one.evidence.recent_expected[-1] < max(months[:-1]) for one in published)
