"""What a sink of the small world should know of an alert: the law of delivery."""

from alerts.lifecycle.alert import RANK, Alert, Severity, State
from tests.alerts.delivery_world import POLICIES, SECOND, World


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
    has_waited = world.now - attention.unsilenced_at >= 60 * POLICIES.default.unanswered_minutes[0]
    if sink != SECOND or (is_critical and has_waited and not attention.acknowledged_by):
        assert known.is_open, "it stands and the sink does not know"
    if known.is_open and sink != SECOND:
        assert RANK[known.severity] == RANK[alert.severity], "it got worse and the sink does not know"
        assert known.acknowledged_by == attention.acknowledged_by or not attention.acknowledged_by
    if attention.unattended_since:
        assert not known.acknowledged_by, "its acknowledgement expired and the sink does not know"
        is_escalated = known.asked_since >= attention.unattended_since
        assert is_escalated or not is_critical, "escalation did not resume"
