"""Time is the broker's where it gives it, whatever the local clock shows."""

from streams.runtime.broker_clock import BrokerClock


class Clocks:
    """A wall clock that somebody sets, and a monotonic one that nobody can."""

    wall, monotonic = 1_800_005_000.0, 10.0

    def broker_clock(self) -> BrokerClock:
        return BrokerClock(lambda: self.wall, lambda: self.monotonic)


def test_a_broker_that_gives_no_time_leaves_the_clock_of_this_machine() -> None:
    clocks = Clocks()
    clock = clocks.broker_clock()
    assert (clock.now(), clock.skew(), clock.age()) == (1_800_005_000, 0, float("inf"))


def test_a_wrong_clock_on_the_wall_moves_nothing() -> None:
    clocks = Clocks()
    clock = clocks.broker_clock()
    clock.observe(1_800_000_000)
    clocks.wall, clocks.monotonic = 1_900_000_000, 25
    assert clock.now() == 1_800_000_015
    assert (clock.skew(), clock.age()) == (99_999_985, 15)


def test_the_newest_append_time_counts() -> None:
    clocks = Clocks()
    clock = clocks.broker_clock()
    clock.observe(1_800_000_000)
    clocks.monotonic += 100
    clock.observe(1_800_000_090)
    assert (clock.now(), clock.age()) == (1_800_000_090, 0)


def test_times_of_the_embedded_broker_are_no_times() -> None:
    clock = Clocks().broker_clock()
    clock.observe(0.001)
    assert clock.skew() == 0
