"""The law of delivery: whatever happened, once sinks answer again each one knows what it should know."""

import datetime as dt

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from alerts.notices.controls import Acknowledge, Reroute, Silence
from alerts.notices.routing import QuietHours, Route
from streams.contract.controls import Withdrawn
from tests.alerts.delivery_law import assert_all_right, assert_others_are_right
from tests.alerts.delivery_world import CHAT, PAGER, SINKS, World
from tests.alerts.receivers import Mood

SECTORS = ("swanton", "houlton", "blaine")
WORKS = st.sampled_from((0, 3))  # how often each sink's delivery gets to run
WHO = {"by": "anna", "reason": "drill"}
NIGHT = QuietHours(start=dt.time(20), end=dt.time(6))
ROUTE_CHANGES = {
    "all": (None, Route(name="all", sinks=(PAGER,)), Route(name="all", sinks=(CHAT,), quiet=NIGHT)),
    "duty": (None, Route(name="duty", sinks=(PAGER,), sector=("swanton",)), Route(name="duty", sinks=SINKS)),
}


class Delivery(RuleBasedStateMachine):
    """Verdicts, operators, faults and deaths in any order. After most of them the worker `works` or not."""

    replay = False

    def __init__(self) -> None:
        super().__init__()
        self.world = World(replay=self.replay)
        self.days = dict.fromkeys(SECTORS, 0)
        self.feeds = 0  # days on which the source was looked at

    @initialize(sends_again=st.booleans())
    def begin(self, sends_again: bool) -> None:
        self.world.sends_again = sends_again

    @rule(sector=st.sampled_from(SECTORS), observed=st.sampled_from((45, 130, 300)), works=WORKS)
    def breach(self, sector: str, observed: float, works: int) -> None:
        self.world.judge(sector, self.days[sector], observed=observed)
        self.days[sector] += 1
        self.world.work(works)

    @rule(sector=st.sampled_from(SECTORS), number=st.sampled_from((1, 3)), works=WORKS)
    def calm(self, sector: str, number: int, works: int) -> None:
        for _ in range(number):
            self.world.judge(sector, self.days[sector], observed=None)
            self.days[sector] += 1
        self.world.work(works)

    @rule(sectors=st.sampled_from((SECTORS, *zip(SECTORS, strict=True))), is_dead=st.booleans(), works=WORKS)
    def feed(self, sectors: tuple[str, ...], is_dead: bool, works: int) -> None:
        """A source stops, or sends again, for some sectors or all of them."""
        for sector in sectors:
            self.world.feed(sector, self.feeds, is_dead=is_dead)
        self.feeds += 1
        self.world.work(works)

    @rule(seconds=st.sampled_from((20, 900, 6 * 3600, 100 * 3600)), works=WORKS)
    def wait(self, seconds: int, works: int) -> None:
        self.world.advance(seconds)
        self.world.work(works)

    @rule(step=st.sampled_from((-7200, 7200)))
    def set_clock(self, step: int) -> None:
        self.world.advance(1, clock_step=step)

    @rule(sink=st.sampled_from(SINKS), mood=st.sampled_from(Mood))
    def change_mood(self, sink: str, mood: Mood) -> None:
        self.world.receivers[sink].mood = mood

    @rule(number=st.integers(0, 5))
    def poison(self, number: int) -> None:
        if alerts := self.world.alerts():
            for receiver in self.world.receivers.values():
                receiver.poisoned ^= {alerts[number % len(alerts)].alert_id}

    @rule(sink=st.sampled_from(SINKS), dies_at=st.integers(1, 4))
    def die(self, sink: str, dies_at: int) -> None:
        self.world.deliver(sink, dies_at=dies_at)
        self.world.restart()

    @rule(number=st.integers(1, 4), works=WORKS)
    def publish_again(self, number: int, works: int) -> None:
        self.world.publish_again(number, works)

    @rule(
        sector=st.sampled_from((*SECTORS, "*")),
        hours=st.sampled_from((0.5, 8)),
        wait=st.sampled_from((0, 0, 2)),
        repeats=st.sampled_from((None, None, "FREQ=DAILY")),
        notify=st.sampled_from((None, *SINKS)),
    )
    def silence(
        self, sector: str, hours: float, wait: float, repeats: str | None, notify: str | None
    ) -> None:
        starts = self._at() + dt.timedelta(hours=wait)
        until = starts + dt.timedelta(hours=hours, days=3 if repeats else 0)
        when = {
            "starts": starts if wait or repeats else None,
            "until": until,
            "repeats": repeats,
            "hours": hours,
        }
        self.world.control(Silence(name=sector, sector=sector, notify=notify, at=self._at(), **when, **WHO))

    @rule(number=st.integers(0, 5), by=st.sampled_from(("anna", "boris")), works=WORKS)
    def acknowledge(self, number: int, by: str, works: int) -> None:
        if alerts := self.world.alerts():
            alert_id = alerts[number % len(alerts)].alert_id
            self.world.control(Acknowledge(alert_id=alert_id, by=by, at=self._at(), reason="drill"))
        self.world.work(works)

    @rule(number=st.integers(0, 5), works=WORKS)
    def take_acknowledgement_back(self, number: int, works: int) -> None:
        if alerts := self.world.alerts():
            key = f"ack/{alerts[number % len(alerts)].alert_id}"
            self.world.control(Withdrawn(withdraws=key, at=self._at(), **WHO))
        self.world.work(works)

    @rule(name=st.sampled_from(sorted(ROUTE_CHANGES)), which=st.integers(0, 2), works=WORKS)
    def change_route(self, name: str, which: int, works: int) -> None:
        self.world.control(Reroute(name=name, route=ROUTE_CHANGES[name][which], at=self._at(), **WHO))
        self.world.work(works)

    @rule(key=st.sampled_from(("route/all", "route/duty", "silence/swanton", "silence/*")), works=WORKS)
    def withdraw(self, key: str, works: int) -> None:
        self.world.control(Withdrawn(withdraws=key, at=self._at(), **WHO))
        self.world.work(works)

    @rule()
    def send_again(self) -> None:
        self.world.send_again()

    def teardown(self) -> None:
        self.world.go_on()
        for sink in SINKS:
            assert_others_are_right(self.world, sink)
        self.world.heal()
        for sink in SINKS:
            assert_all_right(self.world, sink)

    def _at(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.world.now, dt.UTC)


class Replay(Delivery):
    """The same where every step of an alert is sent."""

    replay = True


TestDelivery, TestReplay = Delivery.TestCase, Replay.TestCase
TestDelivery.settings = TestReplay.settings = settings(stateful_step_count=20, deadline=None)


def test_a_message_that_had_to_wait_is_not_kept_back_by_a_page_that_fails() -> None:
    """Found by a draft that sent what had to wait last: the page took every turn."""
    state = Delivery()
    state.begin(sends_again=False)
    state.feed(is_dead=True, sectors=("swanton",), works=0)
    state.poison(number=0)
    state.change_mood(mood=Mood.BUSY, sink=CHAT)
    state.breach(observed=45, sector="swanton", works=3)
    state.publish_again(number=2, works=3)
    state.teardown()
