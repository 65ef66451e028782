"""Events are counted in runs; however many there are, each is looked at a few times only."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import inf
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streams.counting.decoder import Event
from streams.pipelines.runs import end_of_run


def event(count: int, event_time: int = 0) -> Event:
    return Event(
        0, "a", "swanton", event_time, event_time, event_time, count, "between_ports", "unknown",
        None, None, None,
    )  # fmt: skip


class Watched(Sequence[Event]):
    """Events that count how often they are read."""

    def __init__(self, events: list[Event]) -> None:
        self.events, self.read = events, 0

    def __len__(self) -> int:
        return len(self.events)

    def __getitem__(self, at: Any) -> Any:
        self.read += 1
        return self.events[at]


def runs(events: Sequence[Event], room: float, blind_until: float = -inf) -> Iterator[int]:
    start = 0
    while start < len(events):
        start = end_of_run(events, start, room=room, blind_until=blind_until)
        yield start


@given(st.lists(st.integers(0, 9)), st.integers(-5, 60))
def test_a_run_ends_behind_the_event_that_uses_up_the_room(people: list[int], room: int) -> None:
    before = sum(total < room for total in accumulate(people))
    assert end_of_run([event(count) for count in people], 0, room=room) == min(before + 1, len(people))


def test_without_a_limit_all_is_one_run() -> None:
    assert [*runs([event(5)] * 9, inf)] == [9]


def test_events_of_a_moment_that_was_looked_at_are_one_run() -> None:
    """Ten thousand events of one day, all dated to its midnight, are no ten thousand looks at it."""
    same = [event(1, 60)] * 4
    assert [*runs([*same, event(1, 61), *same], -3, blind_until=60)] == [5, 9]


def test_a_report_of_the_morning_ends_a_run_once_the_run_has_an_event_that_was_not_looked_at() -> None:
    """Else the end of a fetch would decide when the period is looked at."""
    assert [*runs([event(1, 61), event(5, 10), event(1, 70)], 4, blind_until=60)] == [2, 3]


@given(st.integers(1, 300), st.integers(-3, 400))
def test_counting_run_by_run_reads_every_event_once(number: int, room: int) -> None:
    events = Watched([event(1)] * number)
    assert [*runs(events, room)][-1] == number
    assert events.read == number
