"""Whatever kinds of records come, and in whatever order they are read: the same verdicts and notices."""

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from streams.contract.questions import Question
from streams.contract.verdicts import DataStatus
from tests.examples import few
from tests.laws.mixtures import CALENDAR, PLACES, mixture
from tests.laws.reading import DAY, Read, System, read
from tests.laws.test_order_of_reading import assert_same

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
    sent, draw = mixture(seed), random.Random(moments)
    lived, replayed = (System(2, PLACES, wall_clock=True, calendar=CALENDAR) for _ in range(2))
    for before, event in itertools.pairwise([sent[0], *sent]):
        if draw.random() < 0.2:
            lived.tick(draw.uniform(before.appended_at, event.appended_at))
        lived.send([event])
        lived.read(size=1)
    replayed.send(sent)
    replayed.read()
    for system in (lived, replayed):
        system.tick(sent[-1].appended_at + 5 * DAY)
        system.notify()
    assert_same(lived.found, replayed.found)
