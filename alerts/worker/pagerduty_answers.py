"""What people do in PagerDuty becomes acknowledgements here, by its webhooks or by asking its API.

Both ways lead to the same control, which every worker applies. An answer that came before, or is older than
what an operator set since, changes nothing: so webhooks may be repeated, by whomever.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

import structlog
from pydantic import ValidationError

from alerts.lifecycle.alert import RANK, Alert, State
from alerts.notices.controls_in_force import ControlsInForce
from alerts.notices.feeds import on_same_source
from alerts.sinks import Sink
from alerts.sinks.pagerduty import PagerDutySink
from alerts.sinks.pagerduty_incidents import (
    SIGNATURE,
    IncidentChange,
    is_signed,
    look_up,
    read_incidents,
    read_webhook,
)
from alerts.worker.http_client import HttpAnswer, HttpClient
from alerts.worker.overdue import Overdue
from streams.contract.controls import Control

log = structlog.get_logger()

EVERY: Final = 30.0  # seconds between two rounds of questions
UNANSWERED_SECONDS: Final = 45.0  # a round and a half
MOST: Final = 50  # alerts asked for in one round; PagerDuty takes 960 questions a minute
LONGEST: Final = 65_536  # bytes of an answer


class AnswerOutcome(StrEnum):
    """What became of an answer: the bounded label of a metric."""

    ACKNOWLEDGED = "acknowledged"
    KNOWN = "known"  # it came before, or something newer was set since
    UNKNOWN_ALERT = "unknown_alert"
    OVER = "over"  # the alert fires no longer
    IGNORED = "ignored"  # another event, or one by an integration
    UNSIGNED = "unsigned"
    UNREADABLE = "unreadable"
    UNREACHABLE = "unreachable"  # the API


class PagerDutyAnswers:
    """Takes webhooks, and asks the API for sinks that have a token.

    `ready` waits until all alerts are known, and `alerts` gives them; `unanswered` gives those that a sink of
    this worker knows of and that nobody takes care of. `now` is the broker's time (epoch seconds).
    """

    def __init__(
        self,
        sinks: Iterable[Sink],
        controls: ControlsInForce,
        *,
        ready: Callable[[], Awaitable[object]],
        alerts: Callable[[], Sequence[Alert]],
        unanswered: Callable[[str], Sequence[Alert]],
        publish: Callable[[Control], Awaitable[None]],
        count: Callable[[AnswerOutcome], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._sinks = [sink for sink in sinks if isinstance(sink, PagerDutySink)]
        self._controls, self._ready = controls, ready
        self._alerts, self._unanswered = alerts, unanswered
        self._publish, self._now, self._count = publish, now, count
        self._asked: dict[str, float] = {}  # by alert: when, on the steady clock
        asked = [sink.name for sink in self._sinks if sink.api_token is not None]
        self.overdue = {
            name: Overdue(f"API of PagerDuty for {name}", UNANSWERED_SECONDS, outside=True) for name in asked
        }
        self.secrets = [secret for sink in self._sinks for secret in sink.webhook_secrets]

    async def receive(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        """Take a webhook; return the HTTP status and what became of it."""
        header = {name.lower(): value for name, value in headers.items()}.get(SIGNATURE, "")
        if not is_signed(body, header, self.secrets):
            return self._counted(AnswerOutcome.UNSIGNED, status=401)
        try:
            answer = read_webhook(body)
        except ValidationError:
            return self._counted(AnswerOutcome.UNREADABLE, status=422)
        return self._counted(await self.take(answer) if answer else AnswerOutcome.IGNORED)

    async def take(self, answer: IncidentChange) -> AnswerOutcome:
        """Publish the acknowledgement that an answer is, unless there is nothing in it that is new.

        The incident of a source stands for all alerts on it.
        """
        await self._ready()
        alerts = on_same_source(answer.alert_id, self._alerts())
        if not alerts:
            return AnswerOutcome.UNKNOWN_ALERT
        firing = [alert for alert in alerts if alert.state is State.FIRING]
        if not firing:
            return AnswerOutcome.OVER
        found = (self._controls.annotate(alert, self._now()) for alert in firing)
        controls = [answer._replace(alert_id=one.alert_id).control(one.assessment) for one in found]
        new = [control for control in controls if not self._controls.is_known(control)]
        for control in new:
            await self._publish(control)
        return AnswerOutcome.ACKNOWLEDGED if new else AnswerOutcome.KNOWN

    async def poll(self, client: HttpClient) -> None:
        """Ask again and again, for as long as it is not cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            for sink in self._sinks:
                if sink.api_token is not None:
                    await self.ask(sink, client)

    async def ask(self, sink: PagerDutySink, client: HttpClient) -> None:
        """Ask for the incidents of a sink, those first that were not asked for longest."""
        overdue = self.overdue[sink.name]
        overdue.begin()
        waiting = self._unanswered(sink.name)
        if not waiting:
            overdue.done()
        self._asked = {one.alert_id: self._asked.get(one.alert_id, 0.0) for one in waiting}
        order = sorted(waiting, key=lambda one: (self._asked[one.alert_id], -RANK[one.severity]))
        for alert in order[:MOST]:
            self._asked[alert.alert_id] = time.monotonic()
            if not await self._ask(sink, alert, client):
                return
            overdue.done()

    async def _ask(self, sink: PagerDutySink, alert: Alert, client: HttpClient) -> bool:
        """Ask for one incident; return whether the API answers."""
        if sink.api_token is None:
            return False
        request = look_up(alert.alert_id, sink.api_token, sink.api_url)
        got = await client.fetch(sink, request, LONGEST)
        if not isinstance(got, HttpAnswer) or got.status != 200:
            reason = f"http_{got.status}" if isinstance(got, HttpAnswer) else got.reason
            log.warning("pagerduty does not answer", sink=sink.name, reason=reason)
            self._count(AnswerOutcome.UNREACHABLE)
            self.overdue[sink.name].failed(reason)
            return False
        try:
            answer = read_incidents(alert.alert_id, got.body)
        except ValidationError:
            self._count(AnswerOutcome.UNREADABLE)
            return True
        if answer is not None:
            self._count(await self.take(answer))
        return True

    def _counted(self, taken: AnswerOutcome, status: int = 200) -> tuple[int, str]:
        self._count(taken)
        return status, taken
