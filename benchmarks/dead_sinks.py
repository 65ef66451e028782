"""Sinks that are dead for long, on a real broker: seconds from their return until each is right again.

    python -m benchmarks.dead_sinks [--minutes 60]

Two alerts workers run as they would; one of them is killed in the middle. Slack as an app, a Slack webhook,
Teams, PagerDuty and a signed webhook are stand-ins on loopback that answer everything with 500. Meanwhile
alerts begin, get worse and end, and some begin and end: of those nobody has to know.
"""

import argparse
import json
import os
import sys
import threading
import time
from collections import Counter, deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from benchmarks.slack_house import slack_house
from surgewatch.harness.webhook_receiver import SECRET
from surgewatch.harness.worker_process import running
from tests.alerts.made import verdict
from tests.integration.test_people import until
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
OTHERS: Final = ("duty", "hook", "chat", "teams")
OTHER_ROUTES: Final = """
[sink.duty]
kind = "pagerduty"
routing_key = "env:DUTY"
url = "{site}/duty"
allow_private = true

[sink.hook]
kind = "webhook"
url = "{site}/hook"
secret = "env:HOOK"
allow_private = true

[sink.chat]
kind = "slack"
url = "env:CHAT"
allow_private = true

[sink.teams]
kind = "teams"
url = "env:TEAMS"
allow_private = true

[[route]]
name = "others"
sinks = ["duty", "hook", "chat", "teams"]
"""


class Always(deque[str]):
    """Every request fails so."""

    def __bool__(self) -> bool:
        return True

    def popleft(self) -> str:
        return Fault.BROKEN


class Site(ThreadingHTTPServer):
    """The other sinks: all answer with `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.status = 200
        self.refused = Counter[str]()
        self.taken: list[tuple[float, str, str]] = []  # when, which sink, what


class Answer(BaseHTTPRequestHandler):
    server: Site

    def do_POST(self) -> None:
        body, sink = self.rfile.read(int(self.headers["content-length"])), self.path.strip("/")
        if self.server.status == 200:
            self.server.taken.append((time.monotonic(), sink, body.decode()))
        else:
            self.server.refused[sink] += 1
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None: ...


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
        self.server.faults, self.site.status = Always(), 500

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
        """Let the sinks answer; return the seconds until the last request of each."""
        self.site.taken.clear()
        self.server.calls.clear()
        self.server.faults, self.site.status = deque(), 200
        began = last = time.monotonic()
        seen, app = 0, 0.0
        while time.monotonic() - last < IDLE:
            posts = sum(one.startswith("chat.") for one in list(self.server.calls))
            if posts > seen:
                seen, app = posts, time.monotonic() - began
            last = max([began + app, *(at for at, *_ in list(self.site.taken))])
            time.sleep(0.1)
        times = {
            sink: max((at for at, to, _ in self.site.taken if to == sink), default=began) - began
            for sink in OTHERS
        }
        return {"app": app, **times}

    def faults(self) -> list[str]:
        """Return what is not right."""
        found = []
        texts = {sink: [body for _, to, body in self.site.taken if to == sink] for sink in OTHERS}
        keys = Counter(json.loads(body)["dedup_key"] for body in texts.pop("duty"))
        found += ["PagerDuty was sent an alert twice"] if max(keys.values()) > 1 else []
        found += [f"PagerDuty knows of {len(keys)}"] if len(keys) != len(CHANGED) else []
        ids = Counter(json.loads(body)["alert"]["alert_id"] for body in texts["hook"])
        found += ["the webhook was sent an alert twice"] if max(ids.values()) > 1 else []
        for sink, bodies in texts.items():
            shown = "\n".join(bodies).lower()
            found += [f"{sink} knows of {one}" for one in MEANWHILE if one in shown]
            found += [f"{sink} lacks {one}" for one in CHANGED if one not in shown]
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
    site = Site()
    threading.Thread(target=site.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{site.server_port}"
    os.environ.update(HOOK=SECRET, CHAT=f"{address}/chat", TEAMS=f"{address}/teams")
    with slack_house(OTHER_ROUTES.replace("{site}", address)) as house, running(*house.alerts):
        until(lambda: len(house.slack.server.sockets) == 2, seconds=60)
        outage = Outage(house, site)
        outage.begin()
        outage.live(60 * minutes)
        refused = dict(site.refused)
        seconds, faults = outage.heal(), outage.faults()
    print(json.dumps({"dead_minutes": minutes, "refused": refused, "seconds": seconds, "faults": faults}))
    if faults or max(seconds.values()) > BAR:
        sys.exit("a sink was not right in time")


if __name__ == "__main__":
    main()
