"""Seconds from a click in Slack until it is everywhere, at rest: median and p99.

    python -m benchmarks.clicks [--alerts 50]

Two alerts workers and one for streams run as they would, on a real broker. Slack and PagerDuty are stand-ins
on loopback. Of each alert *Take it* and then *Bad data* are clicked, more than a second apart: Slack takes a
request a second. Everywhere is the edited message, the reply in its thread, both consoles and PagerDuty.
Escalation stops by the record that the consoles show.
"""

import argparse
import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

from benchmarks.slack_house import slack_house
from surgewatch.harness.worker_process import running
from tests.integration.alerts_house import Chat, until
from tests.integration.test_slack import ANNA, House
from tests.slack_server import Message

BAR: Final = 2.0  # seconds; the 99th percentile has to be within
PAGERDUTY: Final = """
[sink.duty]
kind = "pagerduty"
routing_key = "env:DUTY"
url = "{duty}/v2/enqueue"
allow_private = true

[[route]]
name = "duty"
sinks = ["duty"]
"""
CLICKS: Final = {
    "take": ("acknowledged_by", ANNA, "takes care of it."),
    "bad_data": ("assessment", "bad_data", "marked it as bad data."),
}
EVERYWHERE: Final = "everywhere"


class Loop:
    """The workers between Slack and PagerDuty, and how long clicks took to be seen where."""

    def __init__(self, house: House, duty: Chat) -> None:
        self.house, self.duty = house, duty
        self.seconds: dict[str, list[float]] = {}

    def click(self, message: Message, action: str) -> None:
        """Click once and wait until it is everywhere."""
        time.sleep(1.2)
        server, (mark, value, sentence) = self.house.slack.server, CLICKS[action]
        alert_id = message["metadata"]["event_payload"]["alert"]
        events, replies = len(self.duty.messages), len(server.replies(message["ts"]))
        places: dict[str, Callable[[], bool]] = {
            "message": lambda: sentence in json.dumps(server.messages[message["ts"]]),
            "thread": lambda: len(server.replies(message["ts"])) > replies,
            "consoles": lambda: self.house.mark(alert_id, mark) == [value, value],
            "PagerDuty": lambda: len(self.duty.messages) > events,
        }
        began, found = time.monotonic(), dict[str, float]()
        self.house.slack.run(server.click(message, action))
        while missing := places.keys() - found.keys():
            found |= {place: time.monotonic() - began for place in missing if places[place]()}
            time.sleep(0.002)
            assert time.monotonic() - began < 30, f"not at {missing}"
        _, event = self.duty.messages[-1]
        assert (event["event_action"], event["dedup_key"]) == ("acknowledge", alert_id)
        for place, seconds in (found | {EVERYWHERE: max(found.values())}).items():
            self.seconds.setdefault(place, []).append(seconds)

    def report(self) -> None:
        """Print the figures."""
        for place, seconds in self.seconds.items():
            centiles = statistics.quantiles(seconds, n=100, method="inclusive")
            print(
                f"{len(seconds)} clicks, {place}: median {statistics.median(seconds):.3f} s, "
                f"p99 {centiles[98]:.3f} s, slowest {max(seconds):.3f} s"
            )


def measure(loop: Loop, alerts: int) -> None:
    """Open one alert after the other, and click."""
    for number in range(alerts):
        events = len(loop.duty.messages)
        message = loop.house.open(f"sector{number}")
        until(lambda before=events: len(loop.duty.messages) > before)
        for action in CLICKS:
            loop.click(message, action)


def main() -> None:
    """Measure; fail where the 99th percentile is above the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=50)
    alerts = parser.parse_args().alerts
    duty = Chat()
    threading.Thread(target=duty.serve_forever, daemon=True).start()
    routes = PAGERDUTY.replace("{duty}", f"http://127.0.0.1:{duty.server_port}")
    with slack_house(routes) as house, running(*house.alerts, house.streams):
        until(lambda: len(house.slack.server.sockets) == 2)
        loop = Loop(house, duty)
        measure(loop, alerts)
    loop.report()
    seconds = loop.seconds[EVERYWHERE]
    if statistics.quantiles(seconds, n=100, method="inclusive")[98] > BAR:
        sys.exit(f"the 99th percentile is above {BAR:g} s")


if __name__ == "__main__":
    main()
