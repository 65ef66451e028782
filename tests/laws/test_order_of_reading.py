"""The same records give the same verdicts and notices: split, fetched, read and read again in any way."""

import datetime as dt
import itertools
import random
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.contract.sectors import Registry, registry
from streams.producers.scenario import scenario
from tests.examples import few
from tests.laws.reading import DAY, NAMES, NOW, PLACES, Read, Sent, System, paced, read, story, tallies

SEEDS = st.integers(0, 10_000)
PARTITIONS = st.sampled_from([1, 2, 4, 7])
PAIRS = st.sampled_from(list(itertools.pairwise(NAMES)))  # neighbours
WINTER = dt.datetime(2023, 1, 15, tzinfo=dt.UTC), dt.datetime(2023, 4, 10, tzinfo=dt.UTC)


def assert_same(one: Read, other: Read) -> None:
    assert {key: str(value) for key, value in one.verdicts.items()} == {
        key: str(value) for key, value in other.verdicts.items()
    }
    assert one.notices == other.notices


def assert_lived_as_replayed(
    sent: Sequence[Sent], moments: int, *, ticks: float, places: Registry = PLACES, **more: Any
) -> None:
    """Live, time passes before a share `ticks` of the records; in the replay only they move it."""
    draw = random.Random(moments)
    lived, replayed = (System(2, places, wall_clock=True, **more) for _ in range(2))
    for before, event in itertools.pairwise([sent[0], *sent]):
        if draw.random() < ticks:
            lived.tick(draw.uniform(before.appended_at, event.appended_at))
        lived.send([event])
        lived.read(size=1)
    replayed.send(sent)
    replayed.read()
    for system in (lived, replayed):
        system.tick(sent[-1].appended_at + 5 * DAY)
        system.notify()
    assert_same(lived.found, replayed.found)


def test_the_stories_lead_to_verdicts_of_every_kind() -> None:
    found = [read(story(seed)) for seed in range(3)]
    questions = {verdict.question for one in found for verdict in one.verdicts.values() if verdict.breach}
    assert len(questions) >= 3
    assert any(not verdict.closed for one in found for verdict in one.verdicts.values())
    sources = {(v.evidence.source, v.breach) for one in found for v in one.verdicts.values()}
    assert sources >= {("", True), ("river", True), ("river", False)}
    assert sum(len(one.notices) for one in found) >= 3


@few(15)
@given(SEEDS, PAIRS, PARTITIONS, SEEDS, st.booleans(), st.booleans())
def test_partitions_order_of_reading_fetches_and_restarts_change_nothing(
    seed: int, names: tuple[str, ...], partitions: int, order: int, live: bool, old: bool
) -> None:
    """Long enough for alerts to be forgotten before verdicts on them are published again."""
    sent = story(seed, days=32, names=names, live=live, old=old)
    once = read(sent, wall_clock=live)
    assert_same(read(sent, partitions=partitions, seed=order, size=40, wall_clock=live), once)


@few(10)
@given(SEEDS, PAIRS, PARTITIONS, SEEDS)
@example(841, ("a", "b"), 4, 0)  # of one sector nobody is expected, and only the other one is late
def test_tallies_that_stop_are_found_whatever_the_order_of_reading(
    seed: int, names: tuple[str, ...], partitions: int, order: int
) -> None:
    sent = tallies(seed, names=names)
    once = read(sent, wall_clock=True)
    assert_same(read(sent, partitions=partitions, seed=order, size=9, wall_clock=True), once)


def test_some_of_these_tallies_are_missed() -> None:
    verdicts = [
        verdict for seed in range(3) for verdict in read(tallies(seed), wall_clock=True).verdicts.values()
    ]
    assert {v.breach for v in verdicts if v.question == "silence"} == {True, False}


@few(5)
@given(SEEDS, PAIRS, SEEDS, st.booleans())
@example(4185, ("c", "d"), 5874, False)  # several events in one fetch end a lack of data
@example(1480, ("a", "b"), 2457, False)  # an event ends a lack of data, and no other comes for hours
@example(1, ("a", "b"), 1, True)  # events of last week come to a sector whose clock has gone on
def test_a_log_that_is_lived_gives_what_its_replay_gives(
    seed: int, names: tuple[str, ...], moments: int, old: bool
) -> None:
    sent = story(seed, names=names, live=True, old=old)
    assert_lived_as_replayed(sent, moments, ticks=0.3)


@few(5)
@given(SEEDS, PAIRS, st.integers(1, 60))
def test_the_clock_on_the_wall_moves_no_history(seed: int, names: tuple[str, ...], size: int) -> None:
    """A history that is loaded years later is judged as a pure replay: nothing is carried up to now."""
    sent, system = story(seed, names=names), System(4, PLACES, wall_clock=True)
    for at in range(0, len(sent), size):
        system.send(sent[at : at + size])
        system.read()
        system.tick(NOW + at)
    system.notify()
    assert_same(system.found, read(sent))


@lru_cache(maxsize=1)
def roxham() -> tuple[list[Sent], Read]:
    """The winter of Roxham Road, up to its closing and the weeks after it."""
    records = scenario("roxham-2022").events(registry(), None, *WINTER)
    sent = [Sent(one.key.decode(), one.value, NOW) for one in records]
    return sent, read(sent, places=registry())


def test_a_whole_history_that_is_read_at_once_gives_the_verdicts_of_the_demo() -> None:
    """The demo's producer keeps a few hundred events ahead, so its worker often has read all there is."""
    sent, whole = roxham()
    assert {verdict.question.regional for verdict in whole.verdicts.values()} == {True, False}
    assert_same(paced(sent, 500, registry()), whole)


@pytest.mark.parametrize(("partitions", "order"), [(4, 1), (7, 2)])
def test_a_real_history_gives_the_same_however_many_partitions_it_is_read_from(
    partitions: int, order: int
) -> None:
    sent, whole = roxham()
    assert_same(read(sent, places=registry(), partitions=partitions, seed=order, size=3_000), whole)
