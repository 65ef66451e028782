"""The notices of a sink that takes everything and always answers, as a replay gives them."""

from collections.abc import Iterable, Iterator

from alerts.lifecycle.alert import Notice
from alerts.lifecycle.policies import Policies
from alerts.notices.alert_pipeline import AlertChange
from alerts.notices.batches import Limits
from alerts.notices.controls_in_force import ControlsInForce
from alerts.notices.delivery_line import Moment
from alerts.notices.delivery_queue import DeliveryQueue
from alerts.notices.ledger import LedgerRecord
from alerts.notices.notices import compose
from alerts.notices.outcomes import Delivered
from alerts.notices.routing import Route, Routing
from streams.contract.sectors import Registry

SINK = "history"


class NoticeHistory:
    """Follows changes of alerts, each of them, in order."""

    def __init__(
        self, policies: Policies, registry: Registry, controls: ControlsInForce | None = None
    ) -> None:
        self.controls = controls or ControlsInForce(Routing([Route(sinks=(SINK,))]), policies)
        self._registry = registry
        self._queue = DeliveryQueue(SINK, self.controls, policies, limits=Limits(), replay=True)

    def restore(self, ledger: Iterable[LedgerRecord], now: float) -> None:
        """Go on from what the sink was sent before."""
        for record in ledger:
            self._queue.restore(record, Moment(now, steady=now))

    def follow(self, changes: Iterable[AlertChange], now: float) -> list[Notice]:
        """Return the notices that follow from these changes at `now` (epoch seconds)."""
        moment = Moment(now, steady=now)
        notices: list[Notice] = []
        for change in changes:
            self._queue.observe(change, published_at=now, moment=moment)
            notices += self._drain(moment)
        return [*notices, *self._drain(moment)]

    def _drain(self, moment: Moment) -> Iterator[Notice]:
        self._queue.refresh(moment)
        while batch := self._queue.take(moment):
            self._queue.begin(batch, moment)
            yield from (compose(message, self._registry) for message in batch.messages)
            self._queue.settle(batch, Delivered(), moment)
            self._queue.release(batch, moment)
