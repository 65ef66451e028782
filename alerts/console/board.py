"""The board: what the console shows now. A bounded read model of verdicts, alerts, deliveries and controls.

The worker's loop and the console's thread write it, the console's reads it. Each public method holds one lock
for a few dictionary operations. Rows are never changed in place, so they are serialised without it.

Rows of alerts and sectors are made when they are read, in the console's thread, so that writing is cheap.
Every change raises `version`; `changes(since)` is what a page that has seen `since` lacks.
"""

import datetime as dt
import heapq
import threading
import time
from collections.abc import Callable, Iterable, Mapping

from alerts.console.board_rows import (
    Importance,
    alert_row,
    control_row,
    dead_letter_row,
    delivery_row,
    idle_sink_row,
    importance,
    is_no_acknowledgement,
    sector_row,
    sink_row,
    standing,
)
from alerts.console.news import News
from alerts.console.roles import Places
from alerts.console.rows import BoardLimits, Json, Removals, Row, Rows
from alerts.console.sector_history import SectorHistory
from alerts.languages.language import ENGLISH, Language
from alerts.lifecycle.alert import Alert, Notice, State
from alerts.lifecycle.policies import Policies
from alerts.notices.controls import Silence
from alerts.notices.controls_in_force import ControlsInForce
from alerts.notices.dead_letters import DeadLetter, letter_id
from streams.contract.controls import Control
from streams.contract.verdicts import Question, Verdict

SECTORS, ALERTS, CONTROLS = "sectors", "alerts", "controls"
SINKS, DELIVERIES, DEAD = "sinks", "deliveries", "dead"
ANNOTATE_SECONDS = 5.0  # after which time alone may have changed who takes care of an alert or silenced it


class Board:
    """What the console shows. Feed it in any order; read `snapshot` once and `changes` from then on.

    `clock`: epoch seconds of processing time. `complete`: no alerts are to come that stand already.
    """

    def __init__(
        self,
        limits: BoardLimits | None = None,
        *,
        policies: Policies | None = None,
        sinks: Iterable[str] = (),
        clock: Callable[[], float] = time.time,
        language: Language = ENGLISH,
        complete: bool = True,
    ) -> None:
        limits = limits or BoardLimits()
        self.version, self._is_complete = 0, complete
        self._policies, self._clock = policies or Policies(), clock
        self._language, self._room = language, limits.alerts
        self._lock = threading.RLock()
        self._rows = {
            SECTORS: Rows(limits.sectors),
            ALERTS: Rows(limits.alerts),
            CONTROLS: Rows(limits.controls, is_no_acknowledgement),
            SINKS: Rows(limits.controls),
            DELIVERIES: Rows(limits.deliveries),
            DEAD: Rows(limits.dead),
        }
        self._histories: dict[str, SectorHistory] = {}
        self._undrawn_sectors: set[str] = set()
        self._undrawn_alerts: set[str] = set()  # by question
        self._alerts: dict[str, Alert] = {}  # by question
        self._importance: dict[str, Importance] = {}  # of alerts, by question
        self._shown_alerts: set[str] = set()  # those that have a row, by question
        self._controls = ControlsInForce(policies=self._policies)
        self._silences: dict[str, float] = {}  # until when, by key
        self._annotated_at = 0.0  # epoch seconds; 0: the next reader does it
        self._removals = Removals()
        for sink in sinks:
            self._put(SINKS, sink, idle_sink_row(sink))

    # Writing

    def observe(self, verdict: Verdict) -> None:
        """Draw the plain count of a sector and whether it has data; what else is judged comes as alerts."""
        is_count = verdict.question is Question.SURGE and not verdict.subject
        with self._lock:
            if is_count:
                self._histories.setdefault(verdict.sector, SectorHistory(verdict)).observe(verdict)
            elif verdict.question is Question.SILENCE and verdict.sector in self._histories:
                self._histories[verdict.sector].mark_data(verdict)
            else:
                return
            self._undraw_sector(verdict.sector)

    def alert(self, alert: Alert) -> None:
        """Show the newest alert of a question."""
        with self._lock:
            before = self._alerts.get(alert.question_key)
            if before is not None and before.alert_id != alert.alert_id:
                self._drop(ALERTS, before.alert_id)
            self._alerts[alert.question_key] = self._controls.annotate(alert, self._clock())
            self._undraw(alert)

    def complete(self) -> None:
        """Take note that all alerts that stood at the start are there; before, none is no all-clear."""
        with self._lock:
            self._is_complete, self.version = True, self.version + 1

    def forget_alert(self, question_key: str) -> None:
        """Remove the alert of a question: it is no longer remembered."""
        with self._lock:
            alert = self._alerts.pop(question_key, None)
            self._importance.pop(question_key, None)
            if alert is not None:
                self._drop(ALERTS, alert.alert_id)
                self._undraw_sector(alert.sector)

    def delivery(self, sink: str, notice: Notice, outcome: str, *, at: dt.datetime, detail: str = "") -> None:
        """Show what became of one try; `outcome`: delivered, retry, refused or dead, as in the metrics."""
        with self._lock:
            row = delivery_row(sink, notice, outcome, at=at, detail=detail)
            self._put(DELIVERIES, row["id"], row)
            self.sink(sink, outcome, at=at, detail=detail)
            if outcome == "delivered":
                self.remove_dead_letter(letter_id(sink, notice.notice_id))

    def sink(self, sink: str, outcome: str, *, at: dt.datetime, detail: str = "") -> None:
        """Show how a sink is doing after a try, whatever it was about."""
        with self._lock:
            before = self._rows[SINKS].get(sink)
            self._put(SINKS, sink, sink_row(sink, before, outcome, at=at, detail=detail))

    def add_dead_letter(self, letter: DeadLetter) -> None:
        """Show a dead letter that waits."""
        with self._lock:
            self._put(DEAD, letter.letter_id, dead_letter_row(letter, self._language))

    def remove_dead_letter(self, letter: str) -> None:
        """Remove a dead letter: it was sent again and taken."""
        with self._lock:
            self._drop(DEAD, letter)

    def control(self, control: Control) -> None:
        """Show a control that is in force from now on."""
        with self._lock:
            self._controls.apply(control)
            if isinstance(control, Silence):
                self._silences[control.key] = control.until.timestamp()
            self._put(CONTROLS, control.key, control_row(control, self._language))
            self._annotated_at = 0.0

    def withdrawn(self, key: str) -> None:
        """Remove a control: it is no longer in force."""
        with self._lock:
            self._controls.withdraw(key, self._clock())
            self._silences.pop(key, None)
            self._drop(CONTROLS, key)
            self._annotated_at = 0.0

    def expire(self) -> None:
        """Remove the silences that are over, and bring the annotations of alerts up to date."""
        with self._lock:
            now = self._clock()
            over = [key for key, until in self._silences.items() if until <= now]
            for key in over:
                del self._silences[key]
                self._drop(CONTROLS, key)
            if over or abs(now - self._annotated_at) >= ANNOTATE_SECONDS:
                self._annotate_alerts()

    # Reading

    def alerts(self) -> list[Alert]:
        """Return every alert, also those that the page has no room for."""
        with self._lock:
            self.expire()
            return list(self._alerts.values())

    def controls_about(self, alert: Alert, until: dt.datetime | None) -> list[Control]:
        """Return who acknowledged an alert and silenced it; `until`: when it was over, if it is."""
        with self._lock:
            return self._controls.about(alert, until)

    def sectors(self) -> frozenset[str]:
        """Return the sectors that the board shows, or has alerts of."""
        with self._lock:
            return frozenset(self._histories).union(alert.sector for alert in self._alerts.values())

    def control_keys(self) -> frozenset[str]:
        """Return the keys of the controls in force, also of acknowledgements that have no row."""
        with self._lock:
            taken = {f"ack/{one.alert_id}" for one in self._alerts.values() if one.acknowledged_by}
            return frozenset(self._rows[CONTROLS].keys()).union(taken)

    def places(self, border_of: Mapping[str, str]) -> Places:
        """Return where sectors, alerts and controls are; `border_of`: what the registry knows of sectors."""
        with self._lock:
            known = {sector: history.newest.border for sector, history in self._histories.items()}
            raised = {alert.sector: alert.border or alert.sector for alert in self._alerts.values()}
            rows = self._rows[CONTROLS].newer(-1)
            return Places(
                border_of={**raised, **known, **border_of},
                control_sectors={row.value["id"]: tuple(row.value["sectors"]) for row in rows},
                alert_sectors={alert.alert_id: alert.sector for alert in self._alerts.values()},
            )

    def snapshot(self) -> News:
        """Return all there is to show."""
        with self._lock:
            self.expire()
            self._draw()
            return self._news(-1, whole=True)

    def changes(self, since: int) -> News:
        """Return what a page that has seen version `since` lacks; all where too much has happened since."""
        with self._lock:
            self.expire()
            is_known = since <= self.version
            self._draw()  # which may evict rows
            if not is_known or since < self._removals.floor:
                return self.snapshot()
            return self._news(since, whole=False)

    def _news(self, since: int, *, whole: bool) -> News:
        gone = [] if whole else self._removals.newer(since)
        rows = {kind: rows.newer(since) for kind, rows in self._rows.items()}
        return News(self.version, whole, self._is_complete, gone, standing(self._alerts.values()), rows)

    def _annotate_alerts(self) -> None:
        """Bring silences and acknowledgements on alerts up to date."""
        now = self._annotated_at = self._clock()
        for key, alert in self._alerts.items():
            annotated = self._controls.annotate(alert, now)
            if annotated is not alert:
                self._alerts[key] = annotated
                self._undraw(annotated)

    def _undraw(self, alert: Alert) -> None:
        self._undrawn_alerts.add(alert.question_key)
        self.version += 1
        self._undraw_sector(alert.sector)

    def _undraw_sector(self, sector: str) -> None:
        if sector in self._histories:
            self._undrawn_sectors.add(sector)
            self.version += 1

    def _draw(self) -> None:
        """Make the rows that are older than their alert or sector."""
        self._draw_alerts()
        self._draw_sectors()

    def _draw_alerts(self) -> None:
        """Make the rows of the alerts that there is room for: one that leaves gives its place to the next."""
        changed = self._undrawn_alerts & self._alerts.keys()
        if not changed and self._shown_alerts <= self._alerts.keys():
            return
        self._importance.update({key: importance(self._alerts[key]) for key in changed})
        shown = set(heapq.nlargest(self._room, self._importance, key=self._importance.__getitem__))
        for key in (self._shown_alerts - shown) & self._alerts.keys():
            self._drop(ALERTS, self._alerts[key].alert_id)
        for alert in [self._alerts[key] for key in shown & changed | shown - self._shown_alerts]:
            row = alert_row(alert, self._policies.of(alert.question), self._language)
            self._put(ALERTS, alert.alert_id, row)
        self._shown_alerts, self._undrawn_alerts = shown, set()

    def _draw_sectors(self) -> None:
        by_sector: dict[str, list[Alert]] = {sector: [] for sector in self._undrawn_sectors}
        for alert in self._alerts.values():
            if alert.sector in by_sector and alert.state is not State.RESOLVED:
                by_sector[alert.sector].append(alert)
        self._undrawn_sectors.clear()
        for sector, alerts in by_sector.items():
            history = self._histories.get(sector)
            if history is not None and history.shown is not None:
                self._put(SECTORS, sector, sector_row(history.shown, history.newest, alerts))

    def _put(self, kind: str, key: str, row: Json) -> None:
        self.version += 1
        evicted = self._rows[kind].put(key, Row(self.version, row))
        if evicted is not None:
            self._forget(kind, evicted)
            if kind == SECTORS:
                self._histories.pop(evicted, None)

    def _drop(self, kind: str, key: str) -> None:
        if self._rows[kind].drop(key):
            self._forget(kind, key)

    def _forget(self, kind: str, key: str) -> None:
        self.version += 1
        self._removals.add(self.version, kind, key)
