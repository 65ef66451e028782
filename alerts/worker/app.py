"""The alerts worker: verdicts become alerts, and every sink is brought what it should know.

verdicts ─▶ AlertPipeline ─▶ alerts.current ─▶ AlertTable ─┬▶ DeliveryQueue of each sink ─▶ receivers
                                             controls ─────┘        └ deliveries, notices, notices.dead
"""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from pydantic import ValidationError

from alerts.console.board import Board
from alerts.languages.language import language
from alerts.lifecycle.alert import Alert
from alerts.lifecycle.policies import policies
from alerts.notices.alert_pipeline import AlertPipeline, count_standing
from alerts.notices.controls_in_force import ControlsInForce
from alerts.notices.dead_letters import DeadLetterRecord
from alerts.notices.delivery_line import Moment
from alerts.notices.delivery_queue import DeliveryQueue
from alerts.notices.ledger import LedgerRecord
from alerts.notices.routing import count_unrouted
from alerts.sinks import limits_of
from alerts.worker.alert_table import AlertTable, Published
from alerts.worker.board_readers import BoardReaders
from alerts.worker.console_backend import console_backend, control_names, people
from alerts.worker.console_server import console_server
from alerts.worker.control_records import ControlRecords
from alerts.worker.dead_letters import DeadLetters
from alerts.worker.delivery import SinkDelivery
from alerts.worker.documents import Documents, documents
from alerts.worker.metrics import Metrics
from alerts.worker.outputs import AlertPublisher
from alerts.worker.overdue import Overdue
from alerts.worker.pagerduty_answers import PagerDutyAnswers
from alerts.worker.problems import Problems
from alerts.worker.routes_document import Configured, RoutesError, configured
from alerts.worker.sender import Sender
from alerts.worker.settings import Settings
from alerts.worker.sink_names import SinkNames
from alerts.worker.sink_owner import LedgerWriter, Records, SinkOwner
from alerts.worker.slack_api import SlackApi, refuse_bad_tokens
from alerts.worker.slack_clicks import SlackClicks, languages_of
from alerts.worker.supervised import Supervisor
from alerts.worker.tries import Tries
from streams.contract.controls import Control
from streams.contract.sectors import registry
from streams.contract.toml_documents import DocumentError
from streams.runtime.environment import refuse_unknown
from streams.runtime.flow_spec import FlowSpec
from streams.runtime.health import Pages
from streams.runtime.process import run
from streams.runtime.settings import WorkerSettings
from streams.runtime.worker import Worker

PAGERDUTY_HOOK: Final = "/hooks/pagerduty"
NEEDED: Final = ("verdicts", "alerts", "alerts.current", "deliveries", "notices", "notices.dead", "controls")


class Alerts:
    """The worker and what is around its pipeline: table of alerts, deliveries, console and API."""

    def __init__(self, settings: Settings, configured: Configured) -> None:
        self.settings = settings
        sinks, routing, self.networks = configured
        self.sinks = {sink.name: sink for sink in sinks}
        self.registry = registry(settings.registry)
        self.policies = policies(settings.policies)
        self.people = people(settings, self.registry)
        self.board = Board(
            policies=self.policies,
            sinks=self.sinks,
            language=language(settings.console_language),
            complete=False,
            clock=lambda: self.worker.now(),
        )
        self.metrics = Metrics(self.sinks)
        self.controls = ControlsInForce(routing, self.policies)
        self.control_records = ControlRecords(
            self.controls, self.board, self.sinks, on_unusable=self.metrics.unusable
        )
        self.control_names = control_names(self.registry, self.board, sinks=self.sinks, routes=routing.names)
        self.pipeline = AlertPipeline(self.policies)
        self._is_replay = settings.clock == "event"
        self.table = AlertTable(
            settings,
            self.observe,
            replay=self._is_replay,
            on_unusable=self.metrics.unusable,
        )
        self.owner = SinkOwner(
            settings,
            self.sinks,
            self.start_delivery,
            self.table.ready.wait,
            on_unusable=self.metrics.unusable,
        )
        self.worker = self._worker()
        self.pagerduty = PagerDutyAnswers(
            sinks,
            self.controls,
            ready=self.table.ready.wait,
            alerts=self.table.alerts,
            unanswered=self.unanswered,
            publish=self.publish,
            now=self.worker.now,
            count=self.metrics.pagerduty_answer,
        )
        self.names = SinkNames(sinks, self.networks)
        self.documents = Documents(documents(settings))
        self.letters = DeadLetters(
            settings,
            self.board,
            self.worker.publish,
            self.send_again,
            sinks=self.sinks,
            now=self.worker.now,
            on_unusable=self.metrics.unusable,
        )
        self.tries = Tries(self.board, self.metrics, self.letters.states, self.worker.now)
        self.supervisor = Supervisor()
        self.readers = BoardReaders(settings, self.board)
        self.clicks: list[SlackClicks] = []
        self.problems = Problems(
            self.owner,
            self.table,
            self.pipeline.all_alerts,
            names=self.names,
            supervisor=self.supervisor,
            beside=self.beside,
        )

    def _worker(self) -> Worker:
        return Worker(
            self.settings,
            [FlowSpec("verdicts", self.pipeline, "alerts", AlertPublisher(self.settings), self.metrics)],
            self.metrics.runtime,
            group="surgewatch-alerts",
            needed=NEEDED,
            on_control=self.apply_control,
            show=self.show,
            beside=lambda: {**self.table.read, **self.letters.read},
            problems=lambda: self.problems.found(),
            serve=self.serve,
            about={
                "sinks": list(self.sinks),
                "sinks_without_route": self.controls.routing.without_route(self.sinks),
            },
        )

    def moment(self) -> Moment:
        """Return now, by the broker's clock."""
        return Moment(self.worker.now(), time.monotonic())

    def observe(self, published: Published) -> None:
        """Take a change of an alert, of whichever worker."""
        if published.change.alert is None:
            self.board.forget_alert(published.change.question_key)
        else:
            self.board.alert(published.change.alert)
        for delivery in self.owner.deliveries.values():
            delivery.queue.observe(published.change, published_at=published.at, moment=self.moment())
        self.owner.wake()

    def apply_control(self, record: Any) -> None:
        """Apply one record of `controls`, and see at once what follows for the sinks."""
        self.control_records.apply(record)
        self.owner.wake()

    def start_delivery(self, name: str, ledger: Sequence[LedgerRecord], writer: LedgerWriter) -> SinkDelivery:
        """Make the delivery of a sink that is now this worker's, from its ledger."""
        sink = self.sinks[name]
        limits = limits_of(sink, self.settings.give_up_hours * 3600)
        queue = DeliveryQueue(name, self.controls, self.policies, limits=limits, replay=self._is_replay)
        for record in ledger:
            queue.restore(record, self.moment())
        for published in self.table.published():
            queue.observe(published.change, published_at=published.at, moment=self.moment())
        return SinkDelivery(
            sink,
            queue,
            self._sender.send,
            Records(writer, self.letters),
            self.tries,
            self.registry,
            clock=self.moment,
            wanted=self.letters.wanted_again(name),
        )

    async def send_again(self, record: DeadLetterRecord) -> None:
        """Send a dead letter again, where its sink is this worker's."""
        if delivery := self.owner.deliveries.get(record.letter.sink):
            await delivery.send_again(record)

    def unanswered(self, sink: str) -> list[Alert]:
        """Return the alerts that a sink of this worker's knows of and that nobody takes care of."""
        delivery = self.owner.deliveries.get(sink)
        known = delivery.queue.open_alerts(self.worker.now()) if delivery else []
        return [alert for alert in known if not alert.acknowledged_by]

    async def publish(self, control: Control) -> None:
        """Put a control on its topic, from which every worker applies it."""
        await self.worker.publish("controls", control.key.encode(), control.model_dump_json().encode())

    def show(self) -> None:
        """Bring the gauges up to date."""
        annotated = [self.controls.annotate(alert, self.worker.now()) for alert in self.pipeline.all_alerts()]
        self.metrics.standing(count_standing(annotated))
        self.metrics.unrouted(count_unrouted(annotated, self.controls.routing, self.sinks))
        self.metrics.deliveries(self.problems.waiting(), self.letters.waiting())
        self.metrics.unknown_hosts(self.names.unknown)
        self.metrics.unusable_documents(self.documents.watched, self.documents.unusable)

    def beside(self) -> Iterator[Overdue]:
        """Return what is done beside the deliveries, so that it is seen where it is not."""
        yield from self.readers.overdue.values()
        yield from self.pagerduty.overdue.values()
        yield from (clicks.overdue for clicks in self.clicks)

    @asynccontextmanager
    async def serve(self, settings: WorkerSettings, pages: Pages) -> AsyncIterator[None]:
        """Serve the console in its thread, and deliver, for as long as the block runs."""
        self._sender = Sender(self.sinks.values(), self.networks)
        backend = console_backend(
            self.settings,
            self.board,
            people=self.people,
            names=self.control_names,
            now=self.worker.now,
            border_of=self.registry.border_of,
            pages=pages,
            publish=self.publish,
            send_again=self.letters.send_again,
            hooks={PAGERDUTY_HOOK: self.pagerduty.receive} if self.pagerduty.secrets else {},
        )
        readers = self.readers.readers()
        self.clicks = [self._clicks(api) for api in self._sender.slack.values()]
        try:
            async with console_server(backend, settings.metrics_host, settings.metrics_port, readers=readers):
                tasks = [asyncio.create_task(task) for task in self._tasks()]
                try:
                    yield
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            await self._sender.close()

    async def _complete_board(self) -> None:
        await self.table.ready.wait()
        self.board.complete()

    def _tasks(self) -> Iterator[Any]:
        supervised = self.supervisor.run
        yield supervised("alert table", self.table.follow)
        yield self._complete_board()
        yield supervised("dead letters", self.letters.follow)
        yield supervised("deliveries", self.owner.run)
        yield supervised("pagerduty", lambda: self.pagerduty.poll(self._sender.http))
        yield supervised("names of sinks", self.names.follow)
        yield supervised("documents", self.documents.follow)
        for clicks in self.clicks:
            yield supervised("clicks in Slack", clicks.follow)

    def _clicks(self, api: SlackApi) -> SlackClicks:
        return SlackClicks(
            api,
            ready=self.table.ready.wait,
            alerts=self.table.alerts,
            names=self.control_names,
            holds=self.controls.holds,
            publish=self.publish,
            count=self.metrics.click,
            connected=self.metrics.slack_connections.track_inprogress,
            languages=languages_of(api.app, self.sinks.values()),
        )


@asynccontextmanager
async def alerts_worker() -> AsyncIterator[Worker]:
    """Make the worker that the environment describes; raises what `main` calls unusable."""
    settings = Settings()
    documents = filter(None, (settings.routes, settings.console_access))
    text = "".join(path.read_text(errors="replace") for path in documents if path.is_file())
    refuse_unknown(os.environ, Settings, re.findall(r"\benv:(\w+)", text))
    settings.make_state_dir()
    found = configured(settings)
    await refuse_bad_tokens(found.sinks, found.networks)
    yield Alerts(settings, found).worker


def main(*, check: bool = False) -> int:
    """Run one worker with the settings of the environment, or only check them; return the exit status."""
    return run(alerts_worker, (ValidationError, DocumentError, RoutesError), check=check)
