"""What one sink is to be sent next of an alert: as the sink is to see it, against what it knows."""

from collections.abc import Collection, Mapping

from alerts.lifecycle.alert import Alert, State
from alerts.lifecycle.policies import Policies
from alerts.notices.batches import Limits
from alerts.notices.controls_in_force import Attention, ControlsInForce
from alerts.notices.delivery_line import Line, Moment, is_known
from alerts.notices.feeds import Feeds, Member
from alerts.notices.reconciliation import Message, View, annotated, difference


class Comparison:
    """Compares the alerts of one sink's lines. In a `replay` every alert is by itself."""

    def __init__(
        self,
        sink: str,
        controls: ControlsInForce,
        policies: Policies,
        *,
        lines: Mapping[str, Line],
        limits: Limits,
        replay: bool,
    ) -> None:
        self._sink, self._controls, self._policies, self._lines = sink, controls, policies, lines
        self._edits = limits.edits and not replay
        self._feeds = Feeds(lines) if limits.by_source and not replay else None

    def regroup(self, moment: Moment) -> None:
        """Find the alerts anew that are shown as one."""
        if self._feeds is not None:
            self._feeds.regroup(lambda alert: self._attention(alert, moment))

    def affected(self, changed: Collection[str]) -> list[str]:
        """Return the alerts that changed, and those that are shown as one with them."""
        return list(changed) if self._feeds is None else self._feeds.with_others(changed)

    def difference(self, alert_id: str, view: View | None, moment: Moment) -> Message | None:
        """Return the next message about an alert to a sink that has this view of it; None: there is none."""
        seen = self._seen(alert_id, view, moment)
        if seen is None or (seen.alert.state is not State.FIRING and not (view and view.open)):
            return None
        return difference(
            seen.alert,
            view,
            seen.attention,
            policy=self._policies.of(seen.alert.question),
            now=moment.now,
            given_up=self._lines[alert_id].entry.given_up,
            edits=self._edits,
        )

    def open_alerts(self, now: float) -> list[Alert]:
        """Return the alerts that fire and that the sink has open, but for silenced ones."""
        moment, lines = Moment(now, steady=0.0), self._lines.items()
        found = [self._seen(one, line.entry.view, moment) for one, line in lines if line.is_open]
        firing = [seen for seen in found if seen and seen.alert.state is State.FIRING]
        return [annotated(alert, attention) for alert, attention in firing if not attention.silenced_by]

    def _seen(self, alert_id: str, view: View | None, moment: Moment) -> Member | None:
        """Return an alert as the sink is to see it; None: what it knows is newer, or another one leads."""
        line = self._lines[alert_id]
        if self._feeds is not None and line.source:
            return self._feeds.seen(alert_id, view, lambda alert: self._attention(alert, moment))
        if is_known(line.alert, view):
            return None
        last = line.alert or (view.alert.model_copy(update={"state": State.RESOLVED}) if view else None)
        return Member(last, self._attention(last, moment)) if last else None

    def _attention(self, alert: Alert, moment: Moment) -> Attention:
        return self._controls.attention(self._sink, alert, moment.now)
