"""The same records give the same verdicts: however they are split, fetched, read and read again."""

import itertools
import random
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contract.sectors import registry
from streams.producers.scenario import scenario
from tests.laws.reading import DAY, NOW, PLACES, Read, Sent, System, paced, read, story


def assert_same(one: Read, other: Read) -> None:
    assert {key: str(value) for key, value in one.verdicts.items()} == {
        key: str(value) for key, value in other.verdicts.items()
    }


def test_the_stories_lead_to_verdicts_of_every_kind() -> None:
    found = [read(story(seed)) for seed in range(3)]
    questions = {verdict.question for one in found for verdict in one.verdicts.values() if verdict.breach}
    assert len(questions) >= 3
    assert any(not verdict.closed for one in found for verdict in one.verdicts.values())
    assert sum(len(one.notices) for one in found) >= 3


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 2, 4, 7]), st.integers(0, 10_000), st.booleans())
def test_partitions_order_of_reading_fetches_and_restarts_change_nothing(
    seed: int, partitions: int, order: int, live: bool
) -> None:
    sent = story(seed, live=live)
    once = read(sent, wall_clock=live)
    assert_same(read(sent, partitions=partitions, seed=order, size=40, wall_clock=live), once)


@pytest.mark.xfail(strict=False, reason="open: alerts expire by the event time of their whole partition")
@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 2, 4, 7]), st.integers(0, 10_000))
def test_notices_do_not_depend_on_them_either(seed: int, partitions: int, order: int) -> None:
    sent = story(seed, days=60)
    assert read(sent, partitions=partitions, seed=order, size=40).notices == read(sent).notices


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_log_that_is_lived_gives_what_its_replay_gives(seed: int, moments: int) -> None:
    """Live, time passes between records too; in the replay only the records move it."""
    sent, draw = story(seed, live=True), random.Random(moments)
    lived, replayed = (System(2, PLACES, wall_clock=True) for _ in range(2))
    for before, event in itertools.pairwise([sent[0], *sent]):
        if draw.random() < 0.3:
            lived.tick(draw.uniform(before.appended_at, event.appended_at))
        lived.send([event])
        lived.read(size=1)
    replayed.send(sent)
    replayed.read()
    for system in (lived, replayed):
        system.tick(sent[-1].appended_at + 5 * DAY)
        system.notify()
    assert_same(lived.found, replayed.found)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60))
def test_the_clock_on_the_wall_moves_no_history(seed: int, size: int) -> None:
    """A history that is loaded years later is judged as a pure replay: nothing is carried up to now."""
    sent, system = story(seed), System(4, PLACES, wall_clock=True)
    for at in range(0, len(sent), size):
        system.send(sent[at : at + size])
        system.read()
        system.tick(NOW + at)
    system.notify()
    assert_same(system.found, read(sent))


@lru_cache(maxsize=1)
def roxham() -> tuple[list[Sent], Read]:
    sent = [Sent(one.key.decode(), one.value, NOW) for one in scenario("roxham-2022").events(registry())]
    return sent, read(sent, places=registry())


@pytest.mark.timeout(900)
def test_a_whole_history_that_is_read_at_once_gives_the_verdicts_of_the_demo() -> None:
    """The demo's producer keeps a few hundred events ahead, so its worker often has read all there is."""
    sent, whole = roxham()
    assert_same(paced(sent, 500, registry()), whole)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("partitions", "order"), [(4, None), (4, 1), (7, 2)])
def test_a_real_history_gives_the_same_however_many_partitions_it_is_read_from(
    partitions: int, order: int | None
) -> None:
    sent, whole = roxham()
    assert_same(read(sent, places=registry(), partitions=partitions, seed=order, size=3_000), whole)
