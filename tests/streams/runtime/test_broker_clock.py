"""Time is the broker's where it gives it, whatever the clock on the wall says."""

from streams.runtime.broker_clock import BrokerClock


class Clocks:
    """A wall clock that somebody sets, and a monotonic one that nobody can."""

    wall, monotonic = 5_000_000.0, 10.0

    def broker_clock(self) -> BrokerClock:
        return BrokerClock(lambda: self.wall, lambda: self.monotonic)


def test_a_broker_that_gives_no_time_leaves_the_clock_of_this_machine() -> None:
    clocks = Clocks()
    clock = clocks.broker_clock()
    assert (clock.now(), clock.skew(), clock.age()) == (5_000_000, 0, float("inf"))


def test_a_wrong_clock_on_the_wall_moves_nothing() -> None:
    clocks = Clocks()
    clock = clocks.broker_clock()
    clock.observe(1_000_000)
    clocks.wall, clocks.monotonic = 9_000_000, 25
    assert clock.now() == 1_000_015
    assert (clock.skew(), clock.age()) == (7_999_985, 15)


def test_the_newest_append_time_counts() -> None:
    clocks = Clocks()
    clock = clocks.broker_clock()
    clock.observe(1_000_000)
    clocks.monotonic += 100
    clock.observe(1_000_090)
    assert (clock.now(), clock.age()) == (1_000_090, 0)
