"""A whole system on this machine for as long as a replay takes: broker, workers, a receiver, and a story.

scenario ─▶ embedded broker ─▶ streams worker ─▶ alerts worker ─▶ signed webhooks ─▶ receiver
"""

import datetime as dt
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from streams.contract.sectors import registry
from streams.contract.topics import topics
from streams.producers.kafka_client import Broker
from streams.producers.outgoing import Outgoing
from streams.producers.scenario import scenario
from streams.producers.sender import send
from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.embedded_kafka import EmbeddedBroker
from surgewatch.harness.webhook_receiver import Receiver, receiving
from surgewatch.harness.worker_process import Samples, Worker, running, total

AHEAD = 500  # events that may be on their way: the embedded broker keeps 5 MiB a partition
STALL_TIMEOUT = 120.0  # seconds without progress after which the demo gives up
REST = 15.0  # seconds without news after which nothing more comes: borders wait for their slowest sector


class DemoError(RuntimeError):
    """The demo cannot go on; the message has the reason."""


@dataclass(frozen=True)
class Summary:
    """What happened, in numbers."""

    scenario: str
    sent: int
    counted: int
    duplicate: int
    corrected: int
    rejected: int
    fired: int
    resolved: int
    notices: int
    delivered: int
    failed: int
    repeated: int  # webhooks that came again under the same id
    seconds: float
    seconds_to_notice_median: float
    seconds_to_notice_p99: float

    @property
    def problems(self) -> list[str]:
        """Return what went wrong."""
        out = []
        if self.sent != self.counted + self.duplicate + self.corrected + self.rejected:
            out.append("not every event sent is counted or rejected")
        if self.failed or self.repeated or self.delivered != self.notices:
            out.append("not every notice was delivered once")
        return out

    def as_dict(self) -> dict[str, object]:
        """Return the summary as plain values, for JSON."""
        return {**asdict(self), "problems": self.problems}


class Demo:
    """Everything that runs, and its metrics."""

    def __init__(self, name: str, start: dt.datetime | None, end: dt.datetime | None) -> None:
        self.name = name
        self.events = list(scenario(name).events(registry(), start=start, end=end))
        if not self.events:
            raise DemoError(f"{name} has no events between these dates")
        self.receiver = Receiver()
        self.sent = 0
        self.streams: Samples = {}
        self.alerts: Samples = {}
        self.began = time.monotonic()
        self._failure: Exception | None = None

    def run(self, look: Callable[["Demo"], None], *, keep: Callable[["Demo"], None] | None = None) -> Summary:
        """Start everything, replay, and wait for the end; `look` is called several times a second."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="surgewatch-")))
            broker = stack.enter_context(EmbeddedBroker())
            broker.touch(*(topic.name for topic in topics()))
            stack.enter_context(receiving(self.receiver))
            self.workers = tuple(_workers(broker.servers, self.receiver, folder))
            stack.enter_context(running(*self.workers))
            self.began = time.monotonic()
            threading.Thread(target=self._send, args=(broker.servers,), daemon=True).start()
            self._watch(look)
            summary = self.summary()
            if keep is not None:
                keep(self)
            return summary

    def summary(self) -> Summary:
        """Return the figures so far."""
        events = {
            name: int(total(self.streams, "surgewatch_events_total", outcome=name))
            for name in ("counted", "duplicate", "corrected", "rejected")
        }
        received = self.receiver.received
        waits = sorted(
            one.at - one.notice.produced_at.timestamp() for one in received if one.notice.produced_at
        )
        return Summary(
            scenario=self.name,
            sent=self.sent,
            **events,
            fired=int(total(self.alerts, "surgewatch_alert_transitions_total", state="firing")),
            resolved=int(total(self.alerts, "surgewatch_alert_transitions_total", state="resolved")),
            notices=int(total(self.alerts, "surgewatch_notices_total")),
            delivered=len(received) - self.receiver.repeated,
            failed=int(total(self.alerts, "surgewatch_deliveries_total", outcome="dead")),
            repeated=self.receiver.repeated,
            seconds=round(time.monotonic() - self.began, 1),
            seconds_to_notice_median=round(statistics.median(waits), 3) if waits else 0.0,
            seconds_to_notice_p99=round(waits[int(len(waits) * 0.99)], 3) if waits else 0.0,
        )

    @property
    def processed(self) -> int:
        """Return how many events the streams worker has processed."""
        return int(total(self.streams, "surgewatch_events_total"))

    def _send(self, servers: str) -> None:
        try:
            send(self._paced(), Broker(servers).embedded())
        except Exception as error:
            self._failure = error

    def _paced(self) -> Iterable[Outgoing]:
        """Yield events no faster than they are read: the embedded broker drops old records."""
        for event in self.events:
            while self.sent - self.processed >= AHEAD:
                time.sleep(0.01)
            self.sent += 1
            yield event

    def _watch(self, look: Callable[["Demo"], None]) -> None:
        """Wait until everything is processed and delivered, and borders had time to go on."""
        moved, last = time.monotonic(), (0, 0, 0.0)
        while not self._is_done() or time.monotonic() - moved < REST:
            if self._failure is not None:
                raise DemoError(f"the replay failed: {self._failure}")
            for worker in self.workers:
                if worker.process is not None and worker.process.poll() is not None:
                    raise DemoError(f"the {worker.package} worker ended:\n{worker.tail()}")
            self.refresh()
            look(self)
            behind = total(self.streams, "surgewatch_consumer_lag")
            now = (self.processed, len(self.receiver.received), behind)
            if now != last:
                moved, last = time.monotonic(), now
            if time.monotonic() - moved > STALL_TIMEOUT:
                raise DemoError(
                    f"nothing moves any more:\n{self.workers[0].tail()}\n{self.workers[1].tail()}"
                )
            time.sleep(0.05)
        look(self)

    def refresh(self) -> None:
        """Ask both workers for their metrics."""
        streams, alerts = self.workers
        self.streams = streams.samples() or self.streams
        self.alerts = alerts.samples() or self.alerts

    def _is_done(self) -> bool:
        if self.sent < len(self.events) or self.processed < self.sent:
            return False
        # Verdicts are processed, and every alert that fired or ended was notified. Checked twice: one may
        # be on its way.
        for _ in range(2):
            time.sleep(0.5)
            self.refresh()
            waiting = total(self.alerts, "surgewatch_consumer_lag") + total(
                self.alerts, "surgewatch_delivery_queue"
            )
            made = sum(
                total(self.alerts, "surgewatch_alert_transitions_total", state=state)
                for state in ("firing", "resolved")
            )
            done = sum(
                total(self.alerts, "surgewatch_notices_total", reason=reason)
                for reason in ("first", "resolved")
            )
            if waiting or done < made:
                return False
        return True


def _workers(servers: str, receiver: Receiver, folder: Path) -> Iterator[Worker]:
    ports = {"streams": free_port(), "alerts": free_port()}
    common = {
        "SURGEWATCH_BROKERS": servers,
        "SURGEWATCH_CLOCK": "event",
        "SURGEWATCH_BATCH_EVENTS": "500",
        "SURGEWATCH_WEBHOOK_URL": receiver.url,
        "SURGEWATCH_WEBHOOK_SECRET": receiver.secret,
        "SURGEWATCH_ALLOW_PRIVATE": "true",
        "SURGEWATCH_STREAMS_PORT": str(ports["streams"]),
        "SURGEWATCH_ALERTS_PORT": str(ports["alerts"]),
    }
    for package in ("streams", "alerts"):
        environment = {**common, "SURGEWATCH_STATE_DIR": str(folder / package)}
        yield Worker(package, ports[package], environment, folder / f"{package}.log")
