"""Something that is done again and again beside the deliveries, and for how long it has not been done."""

import time
from collections.abc import Callable


class Overdue:
    """Names itself where it was last done more than `patience` seconds ago. Nothing is due before `begin`.

    One thread may do it, and another look. It is `outside` where it takes an answer of a sink's service.
    """

    def __init__(
        self,
        name: str,
        patience: float,
        steady: Callable[[], float] = time.monotonic,
        *,
        outside: bool = False,
    ) -> None:
        self._name, self._patience, self._steady = name, patience, steady
        self.outside = outside
        self._done_at: float | None = None
        self._cause = ""

    def begin(self) -> None:
        """It is due from now on."""
        self._done_at = self._done_at or self._steady()

    def done(self) -> None:
        """It was done just now."""
        self._done_at, self._cause = self._steady(), ""

    def failed(self, cause: str) -> None:
        """It was tried in vain."""
        self._cause = cause

    def problem(self) -> str | None:
        """Return for how long it has not been done, and why; None where it was."""
        waited = 0.0 if self._done_at is None else self._steady() - self._done_at
        if waited <= self._patience:
            return None
        return f"{self._name}: not for {waited:.0f} s{self._cause and f' ({self._cause})'}"
