"""What a sink of the small world should know of an alert: the law of delivery."""

from alerts.lifecycle.alert import RANK, Alert, Severity, State
from alerts.notices.messages import people
from streams.contract.questions import Question
from tests.alerts.delivery_world import POLICIES, SECOND, World


def assert_all_right(world: World, sink: str) -> None:
    """Hold what a sink knows of every alert against what it should know.

    Of an alert whose message was refused it need not know before that is sent again.
    """
    limits, sources = world.limits[sink], []
    for alert in world.alerts():
        if limits.by_source and not world.replay and alert.question is Question.SILENCE:
            sources.append(alert)
        elif not world.has_letter(sink, alert):
            assert_right(world, sink, alert)
    _assert_one_page(world, sink, sources)


def assert_others_are_right(world: World, sink: str) -> None:
    """Hold what a sink knows of the alerts whose messages it takes, while it never takes those of others."""
    poisoned = world.receivers[sink].poisoned
    for alert in world.alerts():
        is_people = alert.question is not Question.SILENCE
        if is_people and alert.alert_id not in poisoned and not world.has_letter(sink, alert):
            assert_right(world, sink, alert)


def _assert_one_page(world: World, sink: str, alerts: list[Alert]) -> None:
    """Hold the one incident of a source against all alerts on it, read anew.

    A page that the sink may have, and that is sent again as it was, may be a second one. One that was given
    up may be there: nobody takes over before it is sent again. One whose end is a dead letter stays open, and
    holds back no page of the next outage.
    """
    known = world.receivers[sink].known
    pages = [alert for alert in alerts if known[alert.alert_id].is_open]
    refused = [alert for alert in alerts if world.has_letter(sink, alert)]
    firing = [alert for alert in alerts if alert.state is State.FIRING]
    looked = {alert.alert_id: world.in_force.attention(sink, alert, world.now) for alert in firing}
    is_covered = any(one.covered for one in looked.values())
    assert is_covered or all(page in refused for page in pages), "triggered and never resolved"
    left = [page for page in refused if page not in firing]
    once = [page for page in pages if page not in left and (sink, page.alert_id) not in world.maybe]
    assert len(once) <= 1, "two pages about one source"
    wanted = [alert for alert in firing if looked[alert.alert_id].admitted and alert not in refused]
    is_in_doubt = any((sink, alert.alert_id) in world.in_doubt for alert in refused)
    if sink == SECOND or not wanted or is_in_doubt:
        return
    assert pages, "its source stopped and the sink does not know"
    taken = {one.acknowledged_by for one in looked.values()} - {""}
    by = {known[page.alert_id].acknowledged_by for page in pages}
    assert refused or not taken or by & taken, "the sink does not know who takes care"


def assert_right(world: World, sink: str, alert: Alert) -> None:
    """Hold what a sink knows against the routes, the silences and the alert, read anew."""
    known = world.receivers[sink].known[alert.alert_id]
    attention = world.in_force.attention(sink, alert, world.now)
    if alert.state is not State.FIRING or not attention.covered:
        assert not known.is_open, "triggered and never resolved"
        return
    if not attention.admitted:
        return
    is_critical = alert.severity is Severity.CRITICAL
    is_ending = alert.calms > 0
    has_waited = world.now - attention.unsilenced_at >= 60 * POLICIES.default.unanswered_minutes[0]
    is_escalated = is_critical and has_waited and not attention.acknowledged_by and not is_ending
    if sink != SECOND or is_escalated:
        assert known.is_open, "it stands and the sink does not know"
    if known.is_open and sink != SECOND:
        assert RANK[known.severity] == RANK[alert.severity], "it got worse and the sink does not know"
        assert known.acknowledged_by == attention.acknowledged_by, (
            "it does not know who takes care, or nobody"
        )
        has_grown = alert.latest.breach and people(alert.latest) >= 2 * known.most_people
        assert not (is_critical and has_grown), "it has grown far and the sink does not know"
    if attention.unattended_since:
        assert not known.acknowledged_by, "its acknowledgement expired and the sink does not know"
        is_escalated = known.asked_since >= attention.unattended_since
        assert is_escalated or is_ending or not is_critical, "escalation did not resume"
