"""The alerts worker is killed 10,000 times while it delivers, in one process and in virtual time.

`python -m benchmarks.kills [--kills 10000] [--seed 1]`

Verdicts and acknowledgements (clicks) come between the kills. In each delivery the worker dies before the
ledger is written, before the request, after it, or before the ledger has the answer. One sink is Slack as an
app: the real client and a stand-in for the API over HTTP. Each other sink drops what it has seen by its id.
"""

import argparse
import datetime as dt
import json
import random
import time
from collections import Counter

from alerts.lifecycle.alert import State
from alerts.notices.batches import Limits
from alerts.notices.controls import Acknowledge
from tests.alerts.delivery_law import assert_right
from tests.alerts.delivery_world import CHAT, LIMITS, PAGER, SECOND, SINKS, World
from tests.laws.test_slack_app import Channel

SECTORS = tuple(f"sector-{number}" for number in range(8))
DAYS = 120  # of one world; then there is a new one, as its history is kept


class Killed:
    """A world whose worker is killed in most of its deliveries."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.found = chance, Counter[str]()
        self.world = World(limits={**LIMITS, CHAT: Limits(spacing=1.0, edits=True, keyed=True)})
        self.channel = self.world.receivers[CHAT] = Channel(self.world)

    def live(self, kills: int) -> None:
        """Live through days until so many kills."""
        for day in range(DAYS):
            for sector in SECTORS:
                self.world.judge(sector, day, observed=self.chance.choice((None, None, 45, 45, 130)))
            self.deliver()
            self.click()
            if self.found["kills"] >= kills:
                return

    def deliver(self) -> None:
        """Deliver all that is due; the worker dies in four of five deliveries."""
        was_sent = True
        while was_sent:
            was_sent = False
            for sink in SINKS:
                dies_at = self.chance.randrange(5)
                if self.world.deliver(sink, dies_at=dies_at):
                    was_sent = True
                    self.found["kills"] += dies_at > 0
            self.world.advance(2.0)

    def click(self) -> None:
        """Somebody takes care of an alert that stands; afterwards all have to know."""
        standing = [one for one in self.world.pipeline.all_alerts() if one.state is State.FIRING]
        if not standing:
            return
        alert, by = self.chance.choice(standing), f"person-{self.found['clicks']}"
        at = dt.datetime.fromtimestamp(self.world.now, dt.UTC)
        self.world.control(Acknowledge(alert_id=alert.alert_id, by=by, at=at, reason="drill"))
        self.deliver()
        self.found["clicks"] += 1
        pager = self.world.receivers[PAGER].known[alert.alert_id]
        self.found["lost_clicks"] += pager.is_open and pager.acknowledged_by != by
        shown = [one for one in self.channel.server.parents() if alert.alert_id in str(one["metadata"])]
        self.found["lost_clicks"] += f"{by} takes care of it." not in str(shown)

    def check(self) -> Counter[str]:
        """Hold every sink against the law; return what there was."""
        self.world.heal()
        alerts = self.world.alerts()
        for alert in alerts:
            assert_right(self.world, PAGER, alert)
            assert_right(self.world, SECOND, alert)
        messages = Counter(str(one["metadata"]["event_payload"]) for one in self.channel.server.parents())
        repeated = sum(self.world.receivers[one].repeated for one in (PAGER, SECOND))
        return self.found + Counter(
            alerts=len(alerts),
            slack_messages=len(messages),
            second_slack_messages=messages.total() - len(messages),
            repeated_under_one_id=repeated,
        )


def main() -> None:
    """Kill, check and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    started, total, chance = time.monotonic(), Counter[str](), random.Random(asked.seed)
    while total["kills"] < asked.kills:
        killed = Killed(chance)
        try:
            killed.live(asked.kills - total["kills"])
            total += killed.check()
        finally:
            killed.channel.close()
    figures = {name: total[name] for name in FIGURES}
    print(json.dumps({**figures, "seconds": round(time.monotonic() - started, 1)}, indent=1))


FIGURES = (
    *("kills", "alerts", "clicks", "lost_clicks", "slack_messages", "second_slack_messages"),
    "repeated_under_one_id",
)

if __name__ == "__main__":
    main()
