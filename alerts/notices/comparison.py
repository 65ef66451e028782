"""What one sink is to be sent next of an alert: as the sink is to see it, against what it knows."""

import math
from collections.abc import Collection, Mapping
from typing import Final

from alerts.lifecycle.alert import Alert, State
from alerts.lifecycle.policies import Policies
from alerts.notices.batches import Limits
from alerts.notices.controls_in_force import Attention, ControlsInForce
from alerts.notices.delivery_line import Line, Moment, is_known
from alerts.notices.feeds import Feeds, Member
from alerts.notices.messages import Message, View, annotated
from alerts.notices.reconciliation import difference

LOOK_SECONDS: Final = 1.0  # between two comparisons of all alerts
LOOK_SECONDS_EACH: Final = 0.0002  # so that many alerts take an eighth of a worker's time at most


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
        self._limits = limits._replace(edits=limits.edits and not replay)
        self._feeds = Feeds(lines) if limits.by_source and not replay else None
        self._look_at = -math.inf  # of the steady clock: when all alerts are to be compared again
        self._version = -1  # of the controls when all were compared

    def place(self, alert_id: str) -> None:
        """Take note that the line of an alert is new, has changed, or is gone."""
        if self._feeds is not None:
            self._feeds.place(alert_id)

    def choose(self, changed: Collection[str], moment: Moment) -> list[str]:
        """Return the alerts to be compared: those that changed, and those that lead them on their source.

        Time and controls make messages due too. So now and then, and after every control, it is all alerts.
        """
        if self._feeds is not None:
            self._feeds.look_anew()
        if moment.steady < self._look_at and self._controls.version == self._version:
            leaders = (self._leader(one, moment) for one in changed)
            return list(dict.fromkeys((*changed, *filter(None, leaders))))
        self._look_at = moment.steady + max(LOOK_SECONDS, LOOK_SECONDS_EACH * len(self._lines))
        self._version = self._controls.version
        return list(self._lines)

    def is_shown_by_another(self, alert_id: str, moment: Moment) -> bool:
        """Return whether the sink has the source of an alert open under the id of another one, as of now."""
        if self._feeds is not None:
            self._feeds.look_anew()
        leader = self._leader(alert_id, moment)
        return leader not in ("", alert_id) and self._lines[leader].is_begun

    def _leader(self, alert_id: str, moment: Moment) -> str:
        if self._feeds is None:
            return ""
        return self._feeds.leader(alert_id, lambda alert: self._attention(alert, moment))

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
            limits=self._limits,
        )

    def open_alerts(self, now: float) -> list[Alert]:
        """Return the alerts that fire and that the sink has open, but for silenced ones.

        Those with a message on its way are left out: it has what is so.
        """
        moment, lines = Moment(now, steady=0.0), self._lines.items()
        at_rest = ((one, line) for one, line in lines if line.is_open and not line.in_flight)
        found = [self._seen(one, line.entry.view, moment) for one, line in at_rest]
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
