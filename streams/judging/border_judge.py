"""The judge of one border: what no sector shows alone. Displacement, spill-over and scan over its sectors.

    summaries of one closed period ─▶ history (the last KEEP periods of every sector) ─▶ verdicts

Periods are judged in their order: the same summaries give the same verdicts, and a judge that is restored
goes on as if it had never stopped.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.baselines.negative_binomial import Floats
from streams.contract.cadence import Cadence
from streams.contract.questions import DEFAULT_BUDGET, Question
from streams.contract.sectors import Registry
from streams.contract.verdicts import DataStatus, Verdict
from streams.counting.detection_state import Breach
from streams.detectors import BorderView
from streams.judging.frames import BorderFrame
from streams.judging.held_verdicts import nothing_judged
from streams.judging.operating_limits import level
from streams.judging.period_summary import PeriodSummary
from streams.judging.publication import publish
from streams.judging.questions import DETECTORS

KEEP: Final = 120  # periods of history: enough to find a lag of two weeks in
FIGURES: Final = 4  # that are kept of a period
NEVER: Final = -(1 << 40)  # a period before all others


class _Kept(msgspec.Struct, array_like=True):
    """On the wire."""

    ids: list[str]
    last: int
    history: bytes
    standing: dict[str, dict[str, Breach]]


class BorderJudge:
    """One border and one cadence: its sectors' last periods, and the questions that stand."""

    def __init__(
        self,
        registry: Registry,
        border: str,
        cadence: Cadence = Cadence.DAY,
        *,
        false_alarms_per_month: float = DEFAULT_BUDGET,
    ) -> None:
        seen = [registry.by_id[name] for name, borders in registry.audience.items() if border in borders]
        # Those of other borders, which are upstream of some here, come last: they are nobody's neighbours.
        places = sorted(seen, key=lambda sector: (sector.border != border, sector.id))
        self.border, self.cadence, self._false_alarms = border, cadence, false_alarms_per_month
        self._ids = [sector.id for sector in places]
        self._names = [sector.name for sector in places]
        row = {name: at for at, name in enumerate(self._ids)}
        own = [sector for sector in places if sector.border == border]
        self._adjacent = np.zeros((len(places), len(places)), bool)
        for sector in own:
            for other in sector.neighbours:
                if registry.by_id[other].border == border:
                    self._adjacent[row[sector.id], row[other]] = True
        self._adjacent |= self._adjacent.T
        self._pairs: NDArray[np.int64] = np.array(
            [(row[up], row[sector.id]) for sector in own for up in sector.upstream], np.int64
        ).reshape(-1, 2)
        self._own = np.arange(len(places)) < len(own)
        self.last = NEVER  # the newest period that was judged
        # Observed, expected, dispersion, alarm; by sector and period, oldest first. No summary: 0 of 0.
        self._history: NDArray[np.float32] = np.zeros((FIGURES, len(places), 0), np.float32)
        self._standing: dict[str, dict[str, Breach]] = {}  # by place and question

    @property
    def sectors(self) -> Sequence[str]:
        """The ids of the sectors that are looked at."""
        return self._ids

    def close(self, summaries: Sequence[PeriodSummary]) -> list[Verdict]:
        """Judge one period that is over for the border; a period that was judged before is passed over."""
        known = {summary.sector: summary for summary in summaries if summary.sector in self._ids}
        if not known:
            return []
        first = known[min(known)]
        if first.index <= self.last:
            return []
        self._learn(known, first.index)
        missing = {one.sector: one.no_data_since for one in summaries if one.no_data_since is not None}
        view = self._view(missing)
        frame = BorderFrame(
            view=view,
            standing=self._standing,
            index=self.last,
            period=first.period,
            as_of=max(summary.as_of for summary in known.values()),
        )
        return [
            verdict
            for question in Question
            if question.regional
            for verdict in self._ask(question, missing, frame)
        ]

    def _ask(
        self, question: Question, missing: Mapping[str, dt.datetime], frame: BorderFrame
    ) -> list[Verdict]:
        """Ask a question of the sectors with data; what cannot be answered without the others is held."""
        found = DETECTORS[question](frame.view, self._alpha(question))
        places = found.places or self._ids
        held = list[Verdict]()
        if missing:
            known = np.array([place not in missing for place in places])
            asked = known if found.asked is None else found.asked & known
            unasked = [places[row] for row in np.flatnonzero(~asked).tolist()]
            held = self._hold(question, unasked, missing=missing, frame=frame)
            found = replace(found, asked=asked)
        verdicts = publish(question, found, frame)
        if found.members and found.breach.any():
            stands = self._standing[places[0]][question]
            # Of one without data it is not known whether it still belongs to them.
            stands.members = sorted({*found.members, *(one for one in stands.members if one in missing)})
        return [*held, *verdicts]

    def _hold(
        self,
        question: Question,
        places: Sequence[str],
        *,
        missing: Mapping[str, dt.datetime],
        frame: BorderFrame,
    ) -> list[Verdict]:
        """Return what stands in places that are not asked: a dead feed brings nobody back."""
        held = list[Verdict]()
        for place in sorted(places):
            stands = self._standing.get(place, {}).get(question)
            if stands is None:
                continue
            stands.last += 1  # calm is awaited for as long after the gap as it was before
            evidence = nothing_judged(
                level(question, self.cadence, self._false_alarms), since=self._since(place, missing)
            )
            held.append(
                Verdict.of(
                    question=question,
                    breach=stands.since is not None,
                    data=DataStatus.WITHOUT_DATA,
                    evidence=evidence,
                    **frame.header(place, 0),
                )
            )
        return held

    def _since(self, place: str, missing: Mapping[str, dt.datetime]) -> dt.datetime:
        """Return since when a place is without data, or else what it cannot be judged without."""
        if place in missing:
            return missing[place]
        beside = self._adjacent[self._ids.index(place)] if place in self._ids else self._own
        near = [missing[self._ids[row]] for row in np.flatnonzero(beside) if self._ids[row] in missing]
        return min(near or missing.values())

    def _alpha(self, question: Question) -> Floats:
        return np.full(len(self._ids), level(question, self.cadence, self._false_alarms))

    def recall(self, summary: PeriodSummary) -> None:
        """Take a summary into the history that came too late for its period to be judged by."""
        kept = self._kept(summary)
        if kept is not None:
            kept[:] = summary.figures

    def knows(self, summary: PeriodSummary) -> bool:
        """Return whether the history has a summary, or no longer has its period."""
        kept = self._kept(summary)
        return kept is None or bool((kept == np.array(summary.figures, np.float32)).all())

    def _kept(self, summary: PeriodSummary) -> NDArray[np.float32] | None:
        """The figures that the history has of a sector and period [FIGURES]."""
        ago = self.last - summary.index
        if summary.sector not in self._ids or not 0 <= ago < self._history.shape[2]:
            return None
        return self._history[:, self._ids.index(summary.sector), -1 - ago]

    def encode(self) -> bytes:
        """Encode all that outlives the worker, for `restore`."""
        standing = {place: breaches for place, breaches in self._standing.items() if breaches}
        return msgspec.msgpack.encode(_Kept(self._ids, self.last, self._history.tobytes(), standing))

    def restore(self, held: bytes) -> None:
        """Restore what `encode` wrote; sectors that the registry no longer has are skipped."""
        kept = msgspec.msgpack.decode(held, type=_Kept)
        self._standing = kept.standing
        was = np.frombuffer(kept.history, np.float32).reshape(FIGURES, len(kept.ids), -1)
        self.last = kept.last if was.shape[2] else NEVER
        self._history = np.zeros((FIGURES, len(self._ids), was.shape[2]), np.float32)
        for at, name in enumerate(self._ids):
            if name in kept.ids:
                self._history[:, at] = was[:, kept.ids.index(name)]

    def _learn(self, known: dict[str, PeriodSummary], index: int) -> None:
        skipped = min(index - self.last - 1, KEEP) if self.last > NEVER else 0
        column = np.zeros((FIGURES, len(self._ids), skipped + 1), np.float32)
        for at, name in enumerate(self._ids):
            if name in known:
                column[:, at, -1] = known[name].figures
        self._history = np.concatenate([self._history, column], axis=2)[:, :, -KEEP:]
        self.last = index

    def _view(self, missing: Collection[str]) -> BorderView:
        observed, mean, dispersion, alarm = self._history.astype(float)
        cluster = self._standing.get(self.border, {}).get(Question.SCAN)
        together = cluster.members if cluster else []
        return BorderView(
            border=self.border,
            cadence=self.cadence,
            ids=self._ids,
            names=self._names,
            own=self._own,
            adjacent=self._adjacent,
            pairs=self._pairs,
            observed=observed,
            mean=mean,
            dispersion=dispersion,
            alarm=alarm > 0,
            missing=np.array([name in missing for name in self._ids]),
            together=np.array([name in together for name in self._ids]),
        )
