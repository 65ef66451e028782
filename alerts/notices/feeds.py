"""Sinks that show a source as one alert: however many sectors it carries, it is one page, and one end.

The alerts on a source are shown under the id of one of them, which leads: the one that the sink has open,
else the oldest. One that the sink has refused leads only where there is no other. The sink is shown the sum
of those that it is to know of. Whoever acknowledges one of them takes care of the source.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from alerts.lifecycle.alert import MOST_PARTS, RANK, Alert, Part, State
from alerts.notices.controls_in_force import Attention
from alerts.notices.delivery_line import Line
from alerts.notices.messages import View

OVER: Final = {"over": True, "sends": True}  # of a part

Look = Callable[[Alert], Attention]


class Member(NamedTuple):
    """An alert on a source, or the sum of them, and how it concerns the sink."""

    alert: Alert
    attention: Attention


def on_same_source(alert_id: str, alerts: Iterable[Alert]) -> list[Alert]:
    """Return the alert of an id and all that fire on its source, it first: one cause, one deed.

    Empty where no alert of that id is known. One that is over is returned where none of them fires.
    """
    known = list(alerts)
    found = next((alert for alert in known if alert.alert_id == alert_id), None)
    if found is None:
        return []
    source = found.latest.evidence.source
    firing = [
        one for one in known if source and one.latest.evidence.source == source and one.state is State.FIRING
    ]
    return sorted(firing, key=lambda one: one.alert_id != alert_id) or [found]


class Feeds:
    """Which alert leads those on the same source, among the lines of one sink."""

    def __init__(self, lines: Mapping[str, Line]) -> None:
        self._lines = lines
        self._sources: dict[str, str] = {}  # by alert
        self._members: defaultdict[str, dict[str, None]] = defaultdict(dict)  # by source, oldest line first
        self._leaders: dict[str, str] = {}  # by source; each is found when it is asked for

    def place(self, alert_id: str) -> None:
        """Take note of the source of an alert whose line is new, has changed or is gone."""
        line, before = self._lines.get(alert_id), self._sources.pop(alert_id, "")
        source = line.source if line else ""
        if source != before and before:
            self._members[before].pop(alert_id)
        if source:
            self._sources[alert_id] = source
            self._members[source][alert_id] = None

    def look_anew(self) -> None:
        """Find out anew who leads: alerts or time have moved."""
        self._leaders.clear()

    def leader(self, alert_id: str, look: Look) -> str:
        """Return the alert that leads those on the source of this one; empty where none does.

        `look` returns how an alert concerns the sink now.
        """
        source = self._sources.get(alert_id, "")
        if source not in self._leaders:
            self._leaders[source] = self._leader(self._members.get(source, ()), look)
        return self._leaders[source]

    def _leader(self, ids: Iterable[str], look: Look) -> str:
        """Return the oldest alert that is begun, else the oldest that fires; empty where none does.

        The source does not wait for an alert whose messages the sink has refused: another one leads then.
        """
        begun, firing = [], []
        for one in ids:
            line, alert = self._lines[one], self._lines[one].last_known
            if alert is None:
                continue
            if line.is_begun and (line.fires or not line.is_end_refused):
                begun.append((False, alert.onset, one))
            elif line.fires and look(alert).covered:
                firing.append((bool(line.entry.given_up), alert.onset, one))
        return min(begun or firing)[-1] if begun or firing else ""

    def seen(self, alert_id: str, view: View | None, look: Look) -> Member | None:
        """Return a source as the sink is to see it under this id; None where it is to see nothing new."""
        line = self._lines[alert_id]
        is_leader = self.leader(alert_id, look) == alert_id
        last = line.alert or (view.alert if view else None)
        if last is None or not (is_leader or line.is_begun):
            return None
        ids = [alert_id, *(self._followers(alert_id) if is_leader else ())]
        parts = _known_parts(view)
        firing = [Member(alert, look(alert)) for alert in self._firing(ids, parts)]
        known = parts if view and view.open else {}
        shown = [one for one in firing if one.alert.alert_id in known or one.attention.admitted]
        covered = [one for one in shown if one.attention.covered]
        over = self._over(parts, [one.alert for one in firing])
        took = [look(alert) for one in over if (alert := self._alert(one.alert_id))]
        took += [one.attention for one in firing]
        return _sum(last, covered or shown, over=over, took=took, view=view)

    def _followers(self, leader: str) -> Iterator[str]:
        """Yield the alerts that the leader stands for; those that the sink has open are none of them."""
        for one in self._members[self._sources[leader]]:
            if one != leader and not self._lines[one].is_begun:
                yield one

    def _firing(self, ids: Iterable[str], parts: Mapping[str, Part]) -> Iterator[Alert]:
        """Yield the alerts that fire; a state that is no newer than the end that the sink knows is none."""
        for one in ids:
            alert, part = self._lines[one].alert, parts.get(one)
            is_old = alert is not None and part is not None and part.over and alert.position <= part.position
            if alert is not None and alert.state is State.FIRING and not is_old:
                yield alert

    def _over(self, parts: Mapping[str, Part], firing: Collection[Alert]) -> list[Part]:
        """Return the sectors that the sink knows of and that are over, also in a newer alert."""
        dead = {alert.sector for alert in firing}
        return [
            _part(alert, over=True) if (alert := self._alert(one)) else part.model_copy(update=OVER)
            for one, part in parts.items()
            if part.sector not in dead
        ]

    def _alert(self, alert_id: str) -> Alert | None:
        return self._lines[alert_id].alert if alert_id in self._lines else None


def _sum(
    last: Alert,
    firing: Sequence[Member],
    *,
    over: Sequence[Part],
    took: Sequence[Attention],
    view: View | None,
) -> Member:
    """Return the alerts on a source as one, under the id of the one that leads, as it was `last`."""
    if not firing:
        alert = last.model_copy(update={"state": State.RESOLVED, "parts": _sorted(over)})
        return Member(alert, Attention(covered=True, admitted=frozenset()))
    eldest = min(firing, key=lambda one: (one.alert.alert_id != last.alert_id, one.alert.onset)).alert
    severities = [one.alert.severity for one in firing] + ([view.severity] if view and view.open else [])
    parts = [*(_part(one.alert) for one in firing), *over]
    update = {
        "alert_id": last.alert_id,
        "severity": max(severities, key=RANK.__getitem__),
        "raised_at": min((one.alert.raised_at for one in firing if one.alert.raised_at), default=None),
        "parts": _sorted(parts),
    }
    return Member(eldest.model_copy(update=update), _attention(firing, took))


def _known_parts(view: View | None) -> dict[str, Part]:
    """Return what the sink knows by alert; where it was shown one sector alone, that one."""
    if view is None:
        return {}
    parts = view.alert.parts or (_part(view.alert, over=not view.open),)
    return {part.alert_id: part for part in parts}


def _part(alert: Alert, *, over: bool = False) -> Part:
    return Part(
        alert_id=alert.alert_id,
        sector=alert.sector,
        position=alert.position,
        sends=over or not alert.latest.breach,
        over=over,
    )


def _sorted(parts: Iterable[Part]) -> tuple[Part, ...]:
    return tuple(sorted(parts, key=lambda part: (part.sends, part.sector))[:MOST_PARTS])


def _attention(firing: Sequence[Member], took: Sequence[Attention]) -> Attention:
    """Return how they concern the sink together: silenced where all are, acknowledged where one is."""
    found = [one.attention for one in firing]
    taken = next((one for one in (*found, *took) if one.acknowledged_by), found[0])
    awake = [one for one in found if not one.silenced_by]
    return found[0]._replace(
        covered=any(one.covered for one in found),
        admitted=frozenset().union(*(one.admitted for one in found)),
        acknowledged_by=taken.acknowledged_by,
        assessment=taken.assessment,
        silenced_by="" if awake else found[0].silenced_by,
        silenced_until=min(one.silenced_until for one in found),
        unsilenced_at=min((one.unsilenced_at for one in awake), default=0.0),
        unattended_since=max(one.unattended_since for one in found),
    )
