"""What the alerts worker should do and does not: the reasons of its own for which it is not ready."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from alerts.lifecycle.alert import Alert
from alerts.worker.alert_table import TOPIC, AlertTable
from alerts.worker.overdue import Overdue
from alerts.worker.sink_names import SinkNames
from alerts.worker.sink_owner import SinkOwner
from alerts.worker.supervised import Supervisor
from streams.runtime.readiness import NotReady

OWED_SECONDS: Final = 30.0  # after which something that is due makes the worker not ready


class Problems:
    """Looks at the parts of the worker. `published` returns the alerts that this worker has published.

    `beside` returns what is done beside the deliveries.
    """

    def __init__(
        self,
        owner: SinkOwner,
        table: AlertTable,
        published: Callable[[], Iterable[Alert]],
        *,
        names: SinkNames,
        supervisor: Supervisor,
        beside: Callable[[], Iterable[Overdue]] = tuple,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._owner, self._table, self._published = owner, table, published
        self._names, self._supervisor, self._beside = names, supervisor, beside
        self._steady = steady
        self._complete_at = steady()  # when the table last had every alert that was published

    def waiting(self) -> dict[str, tuple[int, float]]:
        """Return by sink how many messages are due, and for how many seconds the oldest of them has been."""
        steady = self._steady()
        return {name: one.waiting(steady) for name, one in self._owner.deliveries.items()}

    def found(self) -> Mapping[NotReady, str | None]:
        """Return what is wrong now, by reason."""
        answers = self._overdue(outside=True)
        return {
            NotReady.UNDELIVERED: "; ".join([*self._undelivered(), *answers]) or None,
            NotReady.UNKNOWN_HOST: self._names.problem(),
            NotReady.TASK_FAILING: "; ".join(self._failing()) or None,
        }

    def _failing(self) -> Iterator[str]:
        """Yield which tasks fail, and what has not been done for long."""
        if problem := self._supervisor.problem():
            yield problem
        yield from self._overdue(outside=False)

    def _overdue(self, *, outside: bool) -> list[str]:
        """Return what has not been done for long beside the deliveries."""
        return [problem for one in self._beside() if one.outside is outside and (problem := one.problem())]

    def _undelivered(self) -> Iterator[str]:
        """Yield why notices wait: in the order in which they would be delivered, the last step first."""
        for name, (_, oldest) in sorted(self.waiting().items()):
            if oldest > OWED_SECONDS:
                yield f"{name} has been owed a message for {oldest:.0f} s"
        steady = self._steady()
        if (idle := self._owner.idle(steady)) > OWED_SECONDS:
            yield f"deliveries have not begun for {idle:.0f} s"
        if self._table.has(self._published()):
            self._complete_at = steady
        if (behind := steady - self._complete_at) > OWED_SECONDS:
            yield f"{TOPIC} has had alerts for {behind:.0f} s that were not read"
