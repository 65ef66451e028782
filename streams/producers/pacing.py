"""Replay in event time: at the original intervals, divided by a speed."""

import re
import time
from collections.abc import Callable, Iterable, Iterator

from streams.producers.outgoing import Outgoing


def speed(text: str) -> float:
    """Return the factor of "1000x" or "1000"; "max" is infinity. Raises ValueError."""
    if text == "max":
        return float("inf")
    matched = re.fullmatch(r"(\d+(?:\.\d+)?)x?", text)
    if matched is None or float(matched[1]) <= 0:
        raise ValueError(f"{text!r} is no speed such as 1000x or max")
    return float(matched[1])


def paced(
    records: Iterable[Outgoing],
    factor: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Outgoing]:
    """Yield records, none before its time; late ones at once."""
    if factor == float("inf"):
        yield from records
        return
    began: float | None = None
    first = 0
    for record in records:
        if began is None:
            began, first = clock(), record.at
        wait = began + (record.at - first) / factor - clock()
        if wait > 0:
            sleep(wait)
        yield record
