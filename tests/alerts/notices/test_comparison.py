"""Which alerts of a sink are compared with what it knows, and when."""

from alerts.lifecycle.alert import State
from alerts.lifecycle.policies import Policies
from alerts.notices.alert_pipeline import AlertPipeline
from alerts.notices.batches import Limits
from alerts.notices.comparison import LOOK_SECONDS, Comparison
from alerts.notices.controls import Acknowledge
from alerts.notices.controls_in_force import ControlsInForce
from alerts.notices.delivery_line import Line, Moment
from alerts.notices.routing import Route, Routing
from streams.contract.verdicts import Verdict
from surgewatch.harness.records import Record
from tests.alerts.made import FIRST_DAY, outage, verdict

SINK = "pager"


class Compared:
    """The comparison of one sink, and the alerts that these verdicts have raised."""

    def __init__(self, *verdicts: Verdict) -> None:
        self.controls = ControlsInForce(Routing([Route(sinks=(SINK,))]))
        self.lines: dict[str, Line] = {}
        self.comparison = Comparison(
            SINK, self.controls, Policies(), lines=self.lines, limits=Limits(by_source=True), replay=False
        )
        pipeline = AlertPipeline(Policies())
        for offset, one in enumerate(verdicts):
            pipeline.process(0, [Record(offset, one.model_dump_json().encode(), 0)])
        for alert in pipeline.all_alerts():
            self.lines[alert.alert_id] = Line(alert=alert)
            self.comparison.place(alert.alert_id)
        self.ids = [alert.alert_id for alert in pipeline.all_alerts() if alert.state is State.FIRING]

    def choose(self, *changed: str, seconds: float = 0.0) -> list[str]:
        return self.comparison.choose(changed, Moment(FIRST_DAY.timestamp() + seconds, seconds))


def surges(number: int) -> list[Verdict]:
    return [verdict(0, breach=True, sector=f"sector-{at}") for at in range(number)]


def test_between_two_looks_only_what_changed_is_compared() -> None:
    compared = Compared(*surges(3))
    assert compared.choose() == compared.ids
    assert compared.choose(compared.ids[1], seconds=LOOK_SECONDS / 2) == [compared.ids[1]]
    assert compared.choose(compared.ids[1], seconds=LOOK_SECONDS) == compared.ids


def test_a_control_has_all_alerts_compared_at_once() -> None:
    compared = Compared(*surges(3))
    compared.choose()
    compared.controls.apply(Acknowledge(alert_id=compared.ids[0], by="anna", reason="drill", at=FIRST_DAY))
    assert compared.choose(compared.ids[1]) == compared.ids
    assert compared.choose() == []


def test_with_a_sector_of_a_source_the_alert_that_leads_the_source_is_compared() -> None:
    compared = Compared(*(outage(f"feed-{at}") for at in range(3)), *surges(1))
    compared.choose()
    leader = min(compared.ids[:3])
    follower = max(compared.ids[:3])
    assert compared.choose(follower) == [follower, leader]
    assert compared.choose(compared.ids[3]) == [compared.ids[3]]


def test_the_more_alerts_there_are_the_rarer_all_are_compared() -> None:
    compared = Compared(*surges(1))
    line = compared.lines[compared.ids[0]]
    compared.lines.update({f"alert-{at}": line for at in range(20_000)})
    compared.choose()
    assert compared.choose(seconds=3.9) == []
    assert len(compared.choose(seconds=4.1)) == 20_001
