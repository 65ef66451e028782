"""Whatever kinds of records come, and in whatever order they are read: the same verdicts and notices."""

from hypothesis import given
from hypothesis import strategies as st

from streams.contract.questions import Question
from streams.contract.verdicts import DataStatus
from tests.examples import few
from tests.laws.mixtures import CALENDAR, PLACES, mixture
from tests.laws.reading import Read, read
from tests.laws.test_order_of_reading import assert_lived_as_replayed, assert_same

SEEDS = st.integers(0, 10_000)


def once(of: int, **how: int) -> Read:
    return read(mixture(of), places=PLACES, wall_clock=True, calendar=CALENDAR, **how)


def test_mixtures_have_verdicts_of_every_status_and_of_borders() -> None:
    verdicts = [one for seed in (1, 2, 4) for one in once(seed).verdicts.values()]
    assert {one.data for one in verdicts} == set(DataStatus)
    breaches = {one.question for one in verdicts if one.breach}
    assert breaches >= {Question.SURGE, Question.DROP, Question.SILENCE, Question.DISPLACEMENT}


@few(3)
@given(SEEDS, st.sampled_from([2, 4, 7]), SEEDS)
def test_mixtures_split_and_interleaved_with_restarts_give_the_same(
    seed: int, partitions: int, order: int
) -> None:
    assert_same(once(seed, partitions=partitions, seed=order, size=40), once(seed))


@few(2)
@given(SEEDS, SEEDS)
def test_a_mixture_that_is_lived_gives_what_its_replay_gives(seed: int, moments: int) -> None:
    assert_lived_as_replayed(mixture(seed), moments, ticks=0.2, places=PLACES, calendar=CALENDAR)
