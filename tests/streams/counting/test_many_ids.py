"""What an event costs does not grow with the ids that its sector remembers.

Bars are in CPU seconds and twenty times what it takes. Where the cost grew with the ids, it took four times
the bar.
"""

import time

from streams.counting import state_codec
from streams.counting.dedup import LIMIT
from streams.counting.sector_counts import Counts
from tests.streams.counting.test_bounds import DAY, NOW, OLDEST, all_of, event, restored


def spent(since: float) -> float:
    return time.process_time() - since


def test_a_history_that_is_loaded_after_todays_events_is_counted_and_restored_at_once() -> None:
    """Its ids are in as many segments as it has days."""
    counts, since = Counts("here"), time.process_time()
    counts.add([event(0, NOW), *(event(day, OLDEST + day * DAY) for day in range(1, LIMIT - 1000))])
    assert spent(since) < 3
    since = time.process_time()
    back = restored(counts)
    assert spent(since) < 3
    assert all_of(back) == all_of(counts)
    for one in (counts, back):  # both go on alike
        one.add([event(LIMIT + day, NOW + day * DAY) for day in range(LIMIT // 4)])
    assert sorted(back.dedup.counted) == sorted(counts.dedup.counted)


def test_thousands_of_corrections_are_made_at_once_and_written() -> None:
    counts = Counts("here")
    counts.add([event(number, NOW) for number in range(LIMIT)])
    held = dict(state_codec.pairs(counts))
    since = time.process_time()
    counts.add([event(LIMIT + n, NOW, count=0, replaces=f"e{n}") for n in range(0, LIMIT, 4)])
    assert spent(since) < 1
    assert counts.people == LIMIT * 3 // 4
    held |= dict(state_codec.pairs(counts))
    back = state_codec.restore({key: value for key, value in held.items() if value is not None}, {})["here"]
    assert all_of(back) == all_of(counts)
    again = [event(2 * LIMIT + n, NOW, count=0, replaces=f"e{n}") for n in range(0, LIMIT, 4)]
    assert len(back.add(again).unknown) == len(again)
