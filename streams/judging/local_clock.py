"""What the clock of a time zone shows at each of many hours, changes of the clock included."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from streams.contract.cadence import DAY, HOUR
from streams.counting.series import Integers, local


class LocalClock(NamedTuple):
    """By UTC hour."""

    day: Integers  # days since 1970
    weekday: Integers  # 0 to 6, from Monday on
    hour: Integers  # 0 to 23


@lru_cache(maxsize=256)
def local_clock(zone: str, end: int, hours: int) -> LocalClock:
    """Return what the clock of a zone shows in each of the `hours` before the UTC hour `end`.

    >>> local_clock("UTC", 49, 2).hour.tolist(), local_clock("UTC", 49, 2).weekday.tolist()
    ([23, 0], [4, 5])
    """
    wall = np.array([local(zone, hour) for hour in range(end - hours, end)])
    day = wall // DAY
    return LocalClock(day, (day + 3) % 7, wall % DAY // HOUR)
