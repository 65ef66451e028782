"""Laws of the flow of summaries: the same words of the sectors give the same verdicts, however they come."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contract.cadence import Cadence
from streams.contract.reading import PRODUCED_AT
from streams.contract.sectors import Registry, Sector
from streams.contract.verdicts import Question
from streams.judging.period_summary import PeriodSummary
from streams.pipelines.border_pipeline import START, WAIT, BorderPipeline, Outcome

IDS = ("a", "b", "c", "d", "e")
DAYS = 45
BEGIN = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
PLACES = Registry(
    sector=tuple(
        Sector(
            id=name,
            name=name.upper(),
            country="US",
            border="south",
            neighbours=tuple(IDS[i] for i in (at - 1, at + 1) if 0 <= i < len(IDS)),
        )
        for at, name in enumerate(IDS)
    )
)


class Record(NamedTuple):
    value: bytes | None
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes]] = ((PRODUCED_AT, b"7"),)


def record(day: int, sector: str, observed: float = 50.0, expected: float = 50.0) -> Record:
    period = BEGIN + dt.timedelta(days=day)
    summary = PeriodSummary(
        sector=sector,
        border="south",
        cadence=Cadence.DAY,
        period=period,
        as_of=period + dt.timedelta(days=1),
        observed=observed,
        expected=expected,
        dispersion=2.0,
    )
    return Record(summary.model_dump_json().encode())


def _story() -> dict[tuple[int, str], float]:
    """Calm days; on the 30th and 31st people leave C for its neighbours, from the 40th three are high."""
    drawn = np.random.default_rng(4).poisson(50, (DAYS, len(IDS))).astype(float)
    counts = {(day, name): drawn[day, at] for day in range(DAYS) for at, name in enumerate(IDS)}
    for day in (30, 31):
        counts |= {(day, "b"): 80.0, (day, "c"): 3.0, (day, "d"): 78.0}
    for day in range(40, 44):
        counts |= {(day, "b"): 69.0, (day, "c"): 70.0, (day, "d"): 68.0}
    return counts


STORY = _story()
IN_STEP = [record(day, name, count) for (day, name), count in STORY.items()]


def ids(outcomes: list[Outcome]) -> list[str]:
    return [verdict.verdict_id for outcome in outcomes for verdict in outcome.verdicts]


def said(records: Sequence[Record], size: int = 7) -> list[str]:
    regions = BorderPipeline(PLACES)
    return ids([regions.process(0, records[at : at + size]) for at in range(0, len(records), size)])


WHOLE = said(IN_STEP)


def test_the_story_has_something_to_say() -> None:
    verdicts = BorderPipeline(PLACES).process(0, IN_STEP).verdicts
    assert {v.question for v in verdicts if v.breach} == {Question.DISPLACEMENT, Question.SCAN}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(IDS), min_size=0, max_size=DAYS * len(IDS)))
def test_how_the_sectors_words_are_interleaved_changes_nothing(turns: list[str]) -> None:
    """Each sector tells its own days in order; who is ahead, once all have spoken, is as it happens."""
    left = {name: [record(day, name, STORY[day, name]) for day in range(DAYS)] for name in IDS}
    records = [left[name].pop(0) for name in IDS]
    records += [left[name].pop(0) for name in turns if left[name]]
    records += [one for name in IDS for one in left[name]]
    assert said(records) == WHOLE


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 300))
def test_how_levels_are_fetched_changes_nothing(size: int) -> None:
    assert said(IN_STEP, size) == WHOLE


@settings(max_examples=20, deadline=None)
@given(st.integers(0, len(IN_STEP)), st.integers(0, len(IN_STEP)), st.integers(0, 40))
def test_who_died_and_reads_again_says_the_same_under_the_same_ids(
    died: int, settled: int, again: int
) -> None:
    """State is of `settled`; the worker lived on to `died`; the next one reads from before `settled`."""
    settled = min(settled, died)
    first, second = BorderPipeline(PLACES), BorderPipeline(PLACES)
    before = ids([first.process(0, IN_STEP[:settled])])
    held = {key: value for key, value in first.dirty().get(0, []) if value is not None}
    lost = ids([first.process(0, IN_STEP[settled:died])])
    second.restore(0, held)
    after = ids([second.process(0, IN_STEP[max(0, settled - again) :])])
    assert before + after == WHOLE
    assert after[: len(lost)] == lost


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, len(IN_STEP)), max_size=4))
def test_what_is_written_from_commit_to_commit_adds_up_to_what_is_held(commits: list[int]) -> None:
    """Keys are written where they changed and removed where a period is judged, as the changelog has it."""
    regions, held, at = BorderPipeline(PLACES), dict[bytes, bytes](), 0
    before = []
    for until in sorted(commits):
        before += ids([regions.process(0, IN_STEP[at:until])])
        at = until
        for key, value in regions.dirty().get(0, []):
            held.pop(key, None)
            if value is not None:
                held[key] = value
    revived = BorderPipeline(PLACES)
    revived.restore(0, held)
    assert before + ids([revived.process(0, IN_STEP[at:])]) == WHOLE


def test_a_period_waits_for_the_last_sector_that_has_ever_spoken() -> None:
    regions = BorderPipeline(PLACES)
    for day in range(3):
        assert not regions.process(0, [record(day, name) for name in IDS[:-1]]).periods
    assert regions.process(0, [record(0, "e")]).periods == {"south": 1}
    assert regions.process(0, [record(1, "e"), record(2, "e")]).periods == {"south": 2}


def test_a_sector_that_never_spoke_is_waited_for_only_at_the_beginning() -> None:
    regions = BorderPipeline(PLACES)
    days = [[record(day, name) for name in "abcd"] for day in range(40)]
    judged = [regions.process(0, day).periods["south"] for day in days]
    start = START[Cadence.DAY]
    assert judged[:start] == [0] * start
    assert sum(judged) == 40


def test_a_sector_that_fell_silent_is_waited_for_no_longer_than_history_goes() -> None:
    regions = BorderPipeline(PLACES)
    regions.process(0, [record(0, name) for name in IDS])
    days = [[record(day, name) for name in "abcd"] for day in range(1, 200)]
    judged = [regions.process(0, day).periods["south"] for day in days]
    assert sum(judged[: WAIT - 1]) == 0
    assert sum(judged) == 199


def test_a_word_that_comes_too_late_is_learnt_from_and_judges_nothing() -> None:
    regions = BorderPipeline(PLACES)
    for day in range(40):
        regions.process(0, [record(day, name) for name in "abcd"])
    late = regions.process(0, [record(day, "e") for day in range(40)])
    assert late.summaries == {"late": 40}
    assert not late.periods
    assert regions.process(0, [record(40, name) for name in IDS]).periods == {"south": 1}


@pytest.mark.parametrize(
    ("value", "became"),
    [
        (None, "unreadable"),
        (b"{", "unreadable"),
        (b"[]", "unreadable"),
        (record(0, "nobody").value, "unknown"),
    ],
)
def test_what_cannot_be_understood_is_counted_and_stops_nothing(value: bytes | None, became: str) -> None:
    outcome = BorderPipeline(PLACES).process(0, [Record(value), *IN_STEP])
    assert outcome.summaries[became] == 1
    assert ids([outcome]) == WHOLE


def test_state_is_bounded_by_the_border_and_not_by_what_has_happened() -> None:
    regions, held, sizes = BorderPipeline(PLACES), dict[bytes, bytes | None](), []
    for day in range(2 * WAIT):
        regions.process(0, [record(day, name) for name in IDS])
        held |= dict(regions.dirty()[0])
        sizes.append(sum(len(key) + len(value) for key, value in held.items() if value is not None))
    assert sizes[-1] <= sizes[WAIT] * 1.02


def test_a_sector_without_neighbours_or_upstream_tells_nobody() -> None:
    alone = Sector(id="alone", name="Alone", country="US", border="south")
    assert set(Registry(sector=(*PLACES.sector, alone)).audience) == set(IDS)
