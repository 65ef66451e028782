"""The law of the Slack app: whatever happened, in the end each alert has one message, which shows its state.

The law of delivery with its rules, where one sink is the app: the real SDK against the stand-in for Slack.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, Final

import aiohttp
from hypothesis import strategies as st
from hypothesis.stateful import rule
from pydantic import SecretStr

from alerts.lifecycle.alert import Alert, State
from alerts.notices.batches import Batch, Limits
from alerts.notices.messages import Message
from alerts.notices.notices import compose
from alerts.notices.outcomes import Outcome
from alerts.notices.titles import figures
from alerts.notices.wording import place
from alerts.sinks.slack.app import SlackApp, SlackAppSink
from alerts.worker.delivery import posting
from alerts.worker.slack_api import SlackApi
from streams.contract.questions import Question
from tests.alerts.delivery_law import assert_all_right
from tests.alerts.delivery_world import CHAT, LIMITS, SINKS, World
from tests.alerts.one_sink import REGISTRY
from tests.alerts.receivers import Mood, Receiver
from tests.examples import few
from tests.laws.test_delivery import Delivery
from tests.slack_server import APP, BOT, CHANNEL, Fault, SlackServer, buttons, slack_server

FAULTS: Final = {
    Mood.BUSY: Fault.LIMITED,
    Mood.BROKEN: Fault.BROKEN_AFTER,
    Mood.LOST: Fault.LOST,
    Mood.SILENT: Fault.LOST_AFTER,
    Mood.REFUSES: "invalid_blocks",
    Mood.GONE: "is_archived",
}


class Channel(Receiver):
    """The app's channel. Its mood befalls the request of a try that `falls_on` numbers."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world, self.server, self.falls_on = world, SlackServer(), 0
        self._loop, self._open = asyncio.new_event_loop(), AsyncExitStack()
        self._run(self._start())

    async def _start(self) -> None:
        await self._open.enter_async_context(slack_server(self.server))
        app = SlackApp(SecretStr(BOT), SecretStr(APP), self.server.url)
        self.sink, self.api = (
            SlackAppSink(CHAT, app, CHANNEL),
            SlackApi(app, timeout=aiohttp.ClientTimeout(total=5)),
        )
        self._open.push_async_callback(self.api.close)

    def _run(self, work: Coroutine[Any, Any, Outcome | None]) -> Outcome | None:
        return self._loop.run_until_complete(work)

    def close(self) -> None:
        self._run(self._open.aclose())
        self._loop.close()

    def post(self, batch: Batch) -> Outcome:
        """Let the SDK do it."""
        (message,) = batch.messages
        mood = Mood.BROKEN if message.alert_id in self.poisoned else self.mood
        fault = [FAULTS[mood]] if mood in FAULTS else []
        self.server.faults.clear()
        self.server.faults.extend(["", ""][: self.falls_on] + fault)
        outcome = self._run(self.api.send(self.sink, self._posting(message)))
        assert outcome is not None
        return outcome

    def _posting(self, message: Message) -> Any:
        return posting(self.sink, self.world.queues[CHAT], message, compose(message, REGISTRY))


class SlackDelivery(Delivery):
    """The rules of delivery, and the place in a try at which Slack fails."""

    def __init__(self) -> None:
        super().__init__()
        edits = Limits(spacing=1.0, edits=True, by_source=True, keyed=True)
        self.world = World(limits={**LIMITS, CHAT: edits})
        self.channel = Channel(self.world)
        self.world.receivers[CHAT] = self.channel

    @rule(number=st.integers(0, 2))
    def move_fault(self, number: int) -> None:
        """The fault befalls a later request of a try: the edit, the reply, or the post after a look-up."""
        self.channel.falls_on = number

    def teardown(self) -> None:
        try:
            self.world.heal()
            refused = [one for one in self.world.alerts() if self.world.has_letter(CHAT, one)]
            silences = [one for one in self.world.alerts() if one.question is Question.SILENCE]
            if not any(alert in refused for alert in silences):
                self._look_at_source(silences)
            for alert in self.world.alerts():
                if alert not in (*silences, *refused):
                    self._look_at_messages(alert)
            for sink in set(SINKS) - {CHAT}:
                assert_all_right(self.world, sink)
        finally:
            self.channel.close()

    def _look_at_source(self, alerts: list[Alert]) -> None:
        """All alerts on the source have one message with buttons, which names each sector without data."""
        ids = {alert.alert_id for alert in alerts}
        messages = [one for one in self.channel.server.parents() if _payload(one)["alert"] in ids]
        opened = [str(one["blocks"]) for one in messages if buttons(one)]
        firing = [alert for alert in alerts if alert.state is State.FIRING]
        looked = [(one, self.world.in_force.attention(CHAT, one, self.world.now)) for one in firing]
        assert len(opened) <= 1, "two messages stand about one source"
        assert not opened or any(how.covered for _, how in looked), "it is over and the message stands"
        for alert, how in looked:
            if how.covered and how.admitted:
                assert opened, "its source stopped and no message stands"
                assert place(alert.sector) in opened[0], "the message lacks a sector without data"

    def _look_at_messages(self, alert: Alert) -> None:
        wanted = {"alert": alert.alert_id, "sink": CHAT}
        found = [one for one in self.channel.server.parents() if _payload(one) == wanted]
        assert len(found) <= 1, "two messages about one alert"
        attention = self.world.in_force.attention(CHAT, alert, self.world.now)
        is_standing = alert.state is State.FIRING and attention.covered
        if not found:
            assert not (is_standing and attention.admitted), "it stands and there is no message"
            return
        (message,) = found
        replies = Counter(_payload(one)["notice"] for one in self.channel.server.replies(message["ts"]))
        assert set(replies.values()) <= {1}, "one change is in the thread twice"
        is_open = any(button["action_id"] == "take" for button in buttons(message))
        assert not is_open or is_standing, "it is over and the message does not show it"
        if is_standing and (is_open or attention.admitted):
            assert is_open, "it stands and the message shows its end"
            self._look_at_state(alert, str(message["blocks"]))

    def _look_at_state(self, alert: Alert, shown: str) -> None:
        attention = self.world.in_force.attention(CHAT, alert, self.world.now)
        assert figures(alert.latest) in shown, "the message shows old figures"
        assert f"{alert.severity} · " in shown, "the message shows an old severity"
        for by, sentence in (
            (attention.acknowledged_by, "{} takes care of it."),
            (attention.silenced_by, "Silenced by {}."),
        ):
            assert not by or sentence.format(by) in shown, "the message lacks a mark"


def _payload(message: dict[str, Any]) -> dict[str, Any]:
    return dict(message["metadata"]["event_payload"])


TestSlackDelivery = SlackDelivery.TestCase
TestSlackDelivery.settings = few(300, stateful_step_count=30)
