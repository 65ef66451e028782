"""Sinks of every kind that are dead for long, on a real broker: seconds from their return to being right.

    python -m benchmarks.dead_sinks [--minutes 60]

Two alerts workers run as they would; one of them is killed in the middle. Every sink answers with an error.
Alertmanager and the mail server are real ones. Meanwhile alerts begin, get worse and end, and some begin and
end: of those nobody has to know.
"""

import argparse
import json
import sys
import time
from collections import Counter, deque
from typing import Final

from benchmarks.sinks_that_die import BY_SECTOR, DUTY, MANAGER, Site, sinks_that_die
from benchmarks.slack_house import slack_house
from surgewatch.harness.worker_process import running
from tests.alerts.made import verdict
from tests.integration.alerts_house import until
from tests.integration.test_slack import YESTERDAY, House
from tests.slack_server import Fault, buttons

BAR: Final = 60.0  # seconds from the return of a sink until it is right
IDLE: Final = 40.0  # seconds without a request after which nothing more will come
GOING: Final = tuple(f"going{number}" for number in range(8))
WORSE: Final = tuple(f"worse{number}" for number in range(8))
ENDING: Final = tuple(f"ending{number}" for number in range(4))
LATER: Final = tuple(f"later{number}" for number in range(4))
MEANWHILE: Final = tuple(f"meanwhile{number}" for number in range(6))
CHANGED: Final = (*WORSE, *ENDING, *LATER)
STAND: Final = sorted((*GOING, *WORSE, *LATER))  # in the end


class Always(deque[str]):
    """Every request fails so."""

    def __bool__(self) -> bool:
        return True

    def popleft(self) -> str:
        return Fault.BROKEN


class Outage:
    """The house, its sinks, and what they were sent since their return."""

    def __init__(self, house: House, site: Site) -> None:
        self.house, self.site, self.server = house, site, house.slack.server
        self.app: list[float] = []  # when Slack as an app was called with success

    def judge(self, day: int, *sectors: str, observed: float = 45) -> None:
        """Publish verdicts; without people they are calm."""
        self.house.publish(
            *(verdict(day, breach=observed > 0, observed=observed, sector=one) for one in sectors)
        )

    def begin(self) -> None:
        """Everybody knows of what stands; then the sinks are dead."""
        self.judge(YESTERDAY - 2, *GOING, *WORSE, *ENDING)
        until(lambda: len(self.server.parents()) == len((*GOING, *WORSE, *ENDING)), seconds=60)
        time.sleep(5)
        self.server.faults, self.site.is_dead = Always(), True

    def live(self, seconds: float) -> None:
        """Alerts begin, get worse and end; a worker is killed."""
        self.judge(YESTERDAY - 1, *MEANWHILE)
        time.sleep(seconds / 3)
        self.judge(YESTERDAY - 1, *WORSE, *LATER, observed=130)
        self.judge(YESTERDAY - 1, *GOING, observed=46)
        self.judge(YESTERDAY - 1, *ENDING, observed=0)
        self.house.alerts[0].kill()
        time.sleep(5)
        self.house.alerts[0].start()
        time.sleep(seconds / 3)
        self.judge(YESTERDAY, *MEANWHILE, observed=0)
        time.sleep(seconds / 3)

    def heal(self) -> dict[str, float]:
        """Let the sinks answer; return the seconds until each is right: until its last request, as a rule.

        Alertmanager is posted what stands every minute: it is right once it shows that.
        """
        self.site.taken.clear()
        self.server.calls.clear()
        self.server.faults, self.site.is_dead = deque(), False
        began = last = time.monotonic()
        seen, seconds = 0, dict[str, float]()
        while time.monotonic() - last < IDLE:
            posts = sum(one.startswith("chat.") for one in list(self.server.calls))
            if posts > seen:
                seen, seconds["app"] = posts, time.monotonic() - began
            if MANAGER not in seconds and self.site.standing() == STAND:
                seconds[MANAGER] = time.monotonic() - began
            seconds |= {to: at - began for at, to, _ in list(self.site.taken) if to != MANAGER}
            last = began + max(seconds.values(), default=0.0)
            time.sleep(0.1)
        return seconds

    def sent(self, sink: str) -> list[str]:
        """Return what a sink was sent since its return."""
        return [body for _, to, body in list(self.site.taken) if to == sink]

    def faults(self) -> list[str]:
        """Return what is not right."""
        found = []
        for sink in (*BY_SECTOR, MANAGER):
            texts = [body.lower() for body in self.sent(sink)]
            requests = Counter(one for one in (*CHANGED, *MEANWHILE) for body in texts if one in body)
            found += [f"{sink} knows of {one}" for one in MEANWHILE if requests[one]]
            found += [f"{sink} lacks {one}" for one in CHANGED if not requests[one]]
            found += [
                f"{sink} was sent {one} again" for one in CHANGED if requests[one] > 1 and sink != MANAGER
            ]
        keys = Counter(json.loads(body)["dedup_key"] for body in self.sent(DUTY))
        found += ["PagerDuty was sent an alert again"] if max(keys.values()) > 1 else []
        found += [f"PagerDuty knows of {len(keys)}"] if len(keys) != len(CHANGED) else []
        found += [f"Alertmanager shows {shown}"] if (shown := self.site.standing()) != STAND else []
        for one in MEANWHILE:
            found += [f"the app knows of {one}"] if self.house.slack.message(one) else []
        for one in (*GOING, *WORSE, *LATER, *ENDING):
            message = self.house.slack.message(one) or {"blocks": [], "ts": ""}
            is_open = any(button["action_id"] == "take" for button in buttons(message))
            found += [f"the app is wrong about {one}"] if is_open is (one in ENDING) else []
            number = len(self.server.replies(message["ts"]))
            found += [f"the app has {number} replies about {one}"] if number > 1 else []
        return found


def main() -> None:
    """Print the seconds of each sink; fail where one is above the bar or something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    minutes = parser.parse_args().minutes
    with (
        sinks_that_die() as (site, routes),
        slack_house(routes) as house,
        running(*house.alerts),
    ):
        until(lambda: len(house.slack.server.sockets) == 2, seconds=60)
        outage = Outage(house, site)
        outage.begin()
        outage.live(60 * minutes)
        refused = dict(site.refused)
        seconds, faults = outage.heal(), outage.faults()
    figures = {sink: round(value, 1) for sink, value in seconds.items()}
    print(json.dumps({"dead_minutes": minutes, "refused": refused, "seconds": figures, "faults": faults}))
    if faults or max(seconds.values()) > BAR:
        sys.exit("a sink was not right in time")


if __name__ == "__main__":
    main()
