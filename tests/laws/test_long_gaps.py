"""A long silence costs little, and is judged the same whether time passes hour by hour or at once."""

import random

from hypothesis import given
from hypothesis import strategies as st

from streams.contract.cadence import Cadence
from streams.contract.questions import Question
from streams.judging.judge import Judge
from streams.pipelines.sector_pipeline import SectorOutput, SectorPipeline
from tests.examples import few
from tests.laws.reading import DAY, HOUR, NAMES, PLACES, START, Record, Sent, story

DAYS = 24


def pipeline(budget: int | None = None) -> SectorPipeline:
    return SectorPipeline(PLACES, Judge(PLACES), wall_clock=True, budget=budget)


def records(sent: list[Sent], offset: int = 0) -> list[Record]:
    return [Record(offset + at, one.value, one.appended_at * 1000) for at, one in enumerate(sent)]


def ids(outputs: list[SectorOutput]) -> list[str]:
    return sorted(
        {verdict.verdict_id + str(verdict) for output in outputs for verdict in output.verdicts}
        | {str(summary) for output in outputs for summary in output.summaries}
    )


def counted(flow: SectorPipeline) -> object:
    for counts in flow.partitions[0].counts.values():
        counts.settle()
    return {
        name: (
            counts.people,
            counts.offset,
            counts.closed,
            {cadence: (one.first, one.values.tolist()) for cadence, one in counts.series.items()},
        )
        for name, counts in flow.partitions[0].counts.items()
    }


@few(4)
@given(st.integers(0, 10_000), st.sampled_from([3, 20, 100]), st.integers(0, 10_000))
def test_time_that_passes_at_once_gives_what_time_gives_that_passes_hour_by_hour(
    seed: int, days: int, moments: int
) -> None:
    """Hour by hour, at some moments, or when the next event comes: `days` without any."""
    sent, draw = records(story(seed, DAYS, live=True)), random.Random(moments)
    end = sent[-1].timestamp // 1000 if sent else START
    until = end + days * DAY
    at_once, by_hours, at_times = pipeline(), pipeline(), pipeline()
    outputs = [[one.process(0, sent)] if sent else [] for one in (at_once, by_hours, at_times)]
    outputs[0].append(at_once.tick(until))
    outputs[1] += [by_hours.tick(moment) for moment in (*range(end, until, HOUR), until)]
    outputs[2] += [at_times.tick(moment) for moment in sorted(draw.randrange(end, until) for _ in range(9))]
    outputs[2].append(at_times.tick(until))
    assert ids(outputs[0]) == ids(outputs[1]) == ids(outputs[2])


@few(4)
@given(st.integers(0, 10_000), st.integers(5, 40), st.integers(0, 10_000))
def test_the_cuts_of_work_change_nothing(seed: int, budget: int, moments: int) -> None:
    """Neither where work stops, nor that a worker dies there and the next one goes on from its commit."""
    sent, draw = records(story(seed, DAYS, live=True)), random.Random(moments)
    until = START + 60 * DAY
    whole = pipeline()
    expected = [whole.process(0, sent), whole.tick(until)]
    held, outputs, cut = dict[bytes, bytes](), list[SectorOutput](), pipeline(budget)

    def commit() -> None:
        for key, value in cut.dirty().get(0, []):
            held.pop(key, None)
            held.update({} if value is None else {key: value})

    for is_fetch in (True, False):
        outputs.append(cut.process(0, sent) if is_fetch else cut.tick(until))
        while outputs[-1].more:
            if draw.random() < 0.3:
                commit()
            dies = draw.random() < 0.1
            if dies:
                cut = pipeline(budget)
                cut.restore(0, dict(held))
            if is_fetch:
                outputs.append(cut.process(0, sent) if dies else cut.proceed(0))
            else:
                outputs.append(cut.tick(until))
        commit()
    assert ids(outputs) == ids(expected)
    revived = pipeline()
    revived.restore(0, held)
    assert counted(revived) == counted(whole)


def test_a_silence_of_years_only_repeats_what_stands() -> None:
    """Without data nothing is learnt or found: each day repeats the silence and the level of a sector."""
    flow, years = pipeline(), 3
    flow.process(0, records(story(5, DAYS, live=True)))
    flow.tick(START + 365 * DAY)
    output = flow.tick(START + (1 + years) * 365 * DAY)
    assert {(one.question, one.breach) for one in output.verdicts} <= {
        (Question.SILENCE, True),
        (Question.SURGE, False),
    }
    assert len(output.verdicts) <= 2 * years * 365 * len(NAMES)
    assert flow.partitions[0].counts["a"].closed[Cadence.DAY] >= START // DAY + 4 * 365 - 1


def test_work_is_cut_where_the_budget_is_used_up() -> None:
    flow, outputs = pipeline(budget=10), 1
    output = flow.process(0, records(story(5, DAYS, live=True)))
    while output.more:
        output = flow.proceed(0)
        outputs += 1
    assert outputs > 10
