"""Laws of revised summaries: new figures of a period count from the sector's next period on."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from streams.contract.verdicts import Question
from streams.pipelines.border_pipeline import BorderPipeline
from tests.examples import few
from tests.laws.test_period_summaries import BEGIN, DAYS, IDS, PLACES, STORY, Record, judged, record

HELD = 30  # the first of two days on which people leave C for its neighbours


def by_sector() -> dict[str, list[Record]]:
    """C is without data on the first day of a displacement, and that day is judged a day later."""
    read = {name: [record(day, name, STORY[day, name]) for day in range(DAYS)] for name in IDS}
    read["c"][HELD : HELD + 1] = [record(HELD, "c", 0.0, 0.0), record(HELD, "c", STORY[HELD, "c"])]
    return read


@few(30)
@given(st.lists(st.sampled_from(IDS), max_size=DAYS * len(IDS)))
def test_the_order_in_which_sectors_are_read_changes_nothing(turns: list[str]) -> None:
    left = by_sector()
    records = [left[name].pop(0) for name in turns if left[name]]
    records += [one for name in IDS for one in left[name]]
    assert judged(records) == judged([one for read in by_sector().values() for one in read])


def test_a_day_that_was_held_counts_in_the_windows_of_later_days() -> None:
    output = BorderPipeline(PLACES).process(0, [one for read in by_sector().values() for one in read])
    (moved, *_) = [v for v in output.verdicts if v.question is Question.DISPLACEMENT and v.breach]
    assert moved.period == BEGIN + dt.timedelta(HELD + 1)
    days = range(HELD + 2 - moved.evidence.window, HELD + 2)
    assert moved.evidence.observed == sum(STORY[day, "c"] for day in days)
    assert moved.evidence.expected == 50.0 * moved.evidence.window
    assert output.summaries["revised"] == 1


def test_a_summary_that_is_read_again_is_repeated() -> None:
    border, read = BorderPipeline(PLACES), [one for read in by_sector().values() for one in read]
    border.process(0, read)
    again = border.process(0, [record(day, "a", STORY[day, "a"]) for day in range(DAYS)])
    assert again.summaries == {"repeated": DAYS}
    assert again.verdicts == []
