"""Waits for what another thread or process does."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(
    seek: Callable[[], T | None], what: str | Callable[[], str], seconds: float = 60, interval: float = 0.2
) -> T:
    """The first answer that is true; raises AssertionError with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := seek()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what if isinstance(what, str) else what()}")
        time.sleep(interval)
    return found
