"""Resume fetching after a rebalance, however long the broker takes to answer.

Faust's recovery service asks for the committed offsets and then lets records flow again. It gives that
`broker_request_timeout` seconds. Where they pass, mode reports the service as stopped: its task ends, and
nothing is fetched any more, for good, whatever the broker answers later and whatever rebalance follows.
"""

from typing import Any

from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery


class PatientRecovery(Recovery):
    """A recovery that waits until its request is answered, or another rebalance begins."""

    async def _wait(self, coro: Any, timeout: Any = None) -> None:
        await super()._wait(coro)  # without the timeout: requests have one, and the watchdog sees the rest


class Tables(TableManager):
    """Faust's tables, of which there are none: what is used of them is the recovery service."""

    @property
    def recovery(self) -> Recovery:
        if self._recovery is None:
            self._recovery = PatientRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
