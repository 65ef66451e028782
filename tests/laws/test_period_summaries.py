"""Laws of the border pipeline: the same summaries give the same verdicts, in whatever order they come."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.cadence import Cadence
from streams.contract.reading import PRODUCED_AT
from streams.contract.sectors import Registry, Sector
from streams.contract.verdicts import Question
from streams.counting.state_version import StateVersionError
from streams.pipelines.border_pipeline import BorderOutput, BorderPipeline
from streams.pipelines.border_queue import JOIN, START, WAIT
from surgewatch.harness.records import Record
from tests.examples import few
from tests.five_sectors import BEGIN, IDS, MEAN, in_a_row, summary

DAYS = 45
PLACES = in_a_row()


def record(day: int, sector: str, observed: float = MEAN, expected: float = MEAN) -> Record:
    value = summary(day, sector, observed, expected=expected).model_dump_json().encode()
    return Record(0, value, headers=((PRODUCED_AT, b"7"),))


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


def ids(outputs: list[BorderOutput]) -> list[str]:
    return [verdict.verdict_id for output in outputs for verdict in output.verdicts]


def judged(records: Sequence[Record], size: int = 7) -> list[str]:
    """The verdicts on these summaries, and on what is left once all has been read."""
    border = BorderPipeline(PLACES)
    outputs = [border.process(0, records[at : at + size]) for at in range(0, len(records), size)]
    return ids([*outputs, border.tick(0.0)])


WHOLE = judged(IN_STEP)


def test_the_story_leads_to_verdicts() -> None:
    verdicts = BorderPipeline(PLACES).process(0, IN_STEP).verdicts
    assert {v.question for v in verdicts if v.breach} == {Question.DISPLACEMENT, Question.SCAN}


@few(30)
@given(
    st.lists(st.sampled_from(IDS), min_size=0, max_size=DAYS * len(IDS)),
    st.sets(st.sampled_from(IDS), max_size=2),
)
def test_the_order_in_which_sectors_are_read_changes_nothing(turns: list[str], silent: set[str]) -> None:
    """Summaries of one sector come in order; how far the others are read, if they come at all, is chance."""
    names = [name for name in IDS if name not in silent]
    left = {name: [record(day, name, STORY[day, name]) for day in range(DAYS)] for name in names}
    in_step = [left[name][day] for day in range(DAYS) for name in names]
    records = [left[name].pop(0) for name in turns if left.get(name)]
    records += [one for name in names for one in left[name]]
    assert judged(records) == judged(in_step)


@few(20)
@given(st.integers(1, 300))
def test_how_summaries_are_fetched_changes_nothing(size: int) -> None:
    assert judged(IN_STEP, size) == WHOLE


@few(20)
@given(st.integers(0, len(IN_STEP)), st.integers(0, len(IN_STEP)), st.integers(0, 40))
def test_a_restart_gives_the_same_verdicts_under_the_same_ids(died: int, settled: int, again: int) -> None:
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


@few(20)
@given(st.integers(1, 60), st.integers(0, 40))
def test_work_that_is_cut_gives_the_same_also_where_a_worker_dies_between_two_pieces(
    budget: int, pieces: int
) -> None:
    """A year of history may be judged at once. State is written between the pieces, offsets are not."""
    first, second = BorderPipeline(PLACES, budget), BorderPipeline(PLACES, budget)
    before, held = [first.process(0, IN_STEP)], dict[bytes, bytes]()
    while before[-1].more and len(before) <= pieces:
        held |= {key: value or b"" for key, value in first.dirty().get(0, [])}
        before.append(first.proceed(0))
    held |= {key: value or b"" for key, value in first.dirty().get(0, [])}
    second.restore(0, {key: value for key, value in held.items() if value})
    after = [second.process(0, IN_STEP)]
    while after[-1].more:
        after.append(second.proceed(0))
    assert all(sum(one.periods.values()) <= budget for one in (*before, *after))
    assert ids([*before, *after, second.tick(0.0)]) == WHOLE


def test_what_a_tick_releases_is_cut_too() -> None:
    whole, cut = BorderPipeline(PLACES), BorderPipeline(PLACES, 10)
    records = [record(day, name) for day in range(START[Cadence.DAY] + 40) for name in "abcd"]
    for border in (whole, cut):
        border.process(0, records)
        while border.proceed(0).more:
            pass
    ticks = [cut.tick(0.0, moves=True)]
    while ticks[-1].more:
        ticks.append(cut.tick(0.0, moves=False))
    assert len(ticks) > 5
    assert ids(ticks) == ids([whole.tick(0.0, moves=True)])


@few(20)
@given(st.lists(st.integers(0, len(IN_STEP)), max_size=4))
def test_what_is_written_from_commit_to_commit_adds_up_to_what_is_held(commits: list[int]) -> None:
    """Keys are written where they changed and removed where a period is judged, as the changelog has it."""
    border, held, at = BorderPipeline(PLACES), dict[bytes, bytes](), 0
    before = []
    for until in sorted(commits):
        before += ids([border.process(0, IN_STEP[at:until])])
        at = until
        for key, value in border.dirty().get(0, []):
            held.pop(key, None)
            if value is not None:
                held[key] = value
    revived = BorderPipeline(PLACES)
    revived.restore(0, held)
    assert before + ids([revived.process(0, IN_STEP[at:])]) == WHOLE


def test_a_period_waits_for_the_slowest_sector() -> None:
    border = BorderPipeline(PLACES)
    for day in range(3):
        assert not border.process(0, [record(day, name) for name in IDS[:-1]]).periods
    assert border.process(0, [record(0, "e")]).periods == {"south": 1}
    assert border.process(0, [record(1, "e"), record(2, "e")]).periods == {"south": 2}


def test_a_partition_that_is_read_far_ahead_does_not_make_the_others_late() -> None:
    border, days = BorderPipeline(PLACES), 5 * WAIT
    ahead = border.process(0, [record(day, name) for day in range(days) for name in "abcd"])
    assert not ahead.periods
    behind = border.process(0, [record(day, "e") for day in range(days)])
    assert behind.periods == {"south": days}
    assert not behind.summaries["late"]


def test_a_sector_that_never_reports_is_waited_for_until_all_is_read_and_others_have_a_start() -> None:
    border, start = BorderPipeline(PLACES), START[Cadence.DAY]
    border.process(0, [record(day, name) for day in range(start) for name in "abcd"])
    assert not border.tick(0.0, moves=False).periods
    assert not border.tick(0.0, moves=True).periods
    assert not border.process(0, [record(start, name) for name in "abcd"]).periods
    assert border.tick(0.0, moves=True).periods == {"south": start + 1}
    assert border.process(0, [record(start + 1, name) for name in "abcd"]).periods == {"south": 1}


def test_a_sector_that_reports_no_longer_is_waited_for_until_all_is_read_and_history_has_passed() -> None:
    border = BorderPipeline(PLACES)
    border.process(0, [record(0, name) for name in IDS])
    border.process(0, [record(day, name) for day in range(1, WAIT) for name in "abcd"])
    assert not border.tick(0.0).periods
    assert not border.process(0, [record(WAIT, name) for name in "abcd"]).periods
    assert border.tick(0.0).periods == {"south": WAIT}


def test_a_sector_that_joins_takes_part_some_periods_later() -> None:
    """So it does not matter whether its first summary is read just before or after a period is judged."""
    begins = 40 + JOIN[Cadence.DAY]
    calm = {"a": 50.0, "b": 50.0, "c": 50.0, "d": 50.0}
    moved = {**calm, "d": 3.0}  # to E
    others = [[record(day, *one) for one in (calm if day < begins else moved).items()] for day in range(60)]
    joins = [record(day, "e", 50.0 if day < begins else 95.0) for day in range(60)]
    found = []
    for is_first in (True, False):
        border = BorderPipeline(PLACES)
        border.process(0, [one for day in others[:40] for one in day])
        border.tick(0.0)
        verdicts = []
        for day in range(40, 60):
            both = [joins[day], *others[day]] if is_first else [*others[day], joins[day]]
            verdicts += border.process(0, both).verdicts
        found.append(
            [
                (one.period, one.question, one.sector, one.breach)
                for one in verdicts
                if one.period >= BEGIN + dt.timedelta(begins)
            ]
        )
    assert found[0] == found[1]
    assert any(breach for *_, breach in found[0])


def test_a_summary_that_comes_too_late_goes_into_the_history_and_is_not_judged() -> None:
    border = BorderPipeline(PLACES)
    border.process(0, [record(day, name) for day in range(40) for name in "abcd"])
    border.tick(0.0)
    late = border.process(0, [record(day, "e") for day in range(40)])
    assert late.summaries == {"late": 40}
    assert not late.periods
    assert border.process(0, [record(40, name) for name in IDS]).periods == {"south": 1}


@pytest.mark.parametrize(
    ("value", "became"),
    [
        (None, "unreadable"),
        (b"{", "unreadable"),
        (b"[]", "unreadable"),
        (record(0, "nobody").value, "unknown"),
        (record(40_000, "a").value, "future"),
    ],
)
def test_a_record_that_cannot_be_used_is_counted_and_stops_nothing(value: bytes | None, became: str) -> None:
    output = BorderPipeline(PLACES).process(0, [Record(0, value), *IN_STEP])
    assert output.summaries[became] == 1
    assert ids([output]) == WHOLE


def test_a_header_that_is_no_number_is_ignored() -> None:
    record = replace(IN_STEP[0], headers=[(PRODUCED_AT, b"1.5e9"), (PRODUCED_AT, b"\xff")])
    assert BorderPipeline(PLACES).process(0, [record]).summaries == {"waiting": 1}


@pytest.mark.parametrize("key", [b"south|day|", b"south|day|7", b"south|century|", b"junk"])
def test_state_that_this_version_cannot_read_is_refused_by_name(key: bytes) -> None:
    with pytest.raises(StateVersionError, match="this worker reads version"):
        BorderPipeline(PLACES).restore(0, {key: b"\x81\xa7version\x09"})


def test_state_is_bounded_by_the_border_and_not_by_what_has_happened() -> None:
    border, held, sizes = BorderPipeline(PLACES), dict[bytes, bytes | None](), []
    for day in range(2 * WAIT):
        border.process(0, [record(day, name) for name in IDS])
        held |= dict(border.dirty()[0])
        sizes.append(sum(len(key) + len(value) for key, value in held.items() if value is not None))
    assert sizes[-1] <= sizes[WAIT + JOIN[Cadence.DAY]] * 1.02


def test_a_sector_without_neighbours_or_upstream_has_no_summary() -> None:
    alone = Sector(id="alone", name="Alone", country="US", border="south")
    assert set(Registry(sector=(*PLACES.sector, alone)).audience) == set(IDS)


def test_a_border_of_the_past_is_judged() -> None:
    """Events may be of 1900: periods before 1970 have numbers below zero."""
    border = BorderPipeline(PLACES)
    days = [record(day, name) for day in range(-20_000, -19_990) for name in IDS]
    assert border.process(0, days).periods == {"south": 10}
