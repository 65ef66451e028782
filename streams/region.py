"""The region: what no sector can see alone. Displacement, spill-over and scan over the sectors of one border.

    levels of one closed period ─▶ history (the last KEEP periods of every sector) ─▶ verdicts

Pure, and in the order of its periods: the same levels give the same verdicts, and a region that was written
down and taken back goes on as if it had never stopped.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtri

from streams.baselines.tails import Floats, mid
from streams.calendar import Cadence
from streams.detectors import displacement, scan, spill_over
from streams.levels import Level
from streams.sectors import Registry
from streams.verdicts import Contribution, Evidence, Question, Verdict

KEEP = 120  # periods of history: enough to find a lag of two weeks in
CALM = 8  # periods for which a question that was in breach is also answered with *calm*
ALPHA = 1e-3  # false alarms per question, border and period
WIDEST = 4.0  # normal score beyond which a residual tells no more


class Region:
    """One border and one cadence: its sectors' last periods, and which questions stand."""

    def __init__(
        self, registry: Registry, border: str, cadence: Cadence = Cadence.DAY, alpha: float = ALPHA
    ) -> None:
        places = sorted((s for s in registry.sector if s.border == border), key=lambda s: s.id)
        self.border, self.cadence, self._alpha = border, cadence, alpha
        self._ids = [sector.id for sector in places]
        self._names = [sector.name for sector in places]
        row = {name: at for at, name in enumerate(self._ids)}
        self._adjacent = np.zeros((len(places), len(places)), bool)
        for sector in places:
            for other in sector.neighbours:
                if other in row:
                    self._adjacent[row[sector.id], row[other]] = True
        self._adjacent |= self._adjacent.T
        self._pairs: NDArray[np.int64] = np.array(
            [(row[up], row[sector.id]) for sector in places for up in sector.upstream if up in row], np.int64
        ).reshape(-1, 2)
        self._sets = scan.zones(self._adjacent)
        self._last = -1  # the newest period
        # Observed, expected, dispersion; by sector and period, oldest first. Of the unheard: 0 of 0.
        self._history: Floats = np.zeros((3, len(places), 0))
        self._asked: dict[str, int] = {}  # question key: the last period in breach

    def close(self, levels: Sequence[Level]) -> list[Verdict]:
        """Judge one period that is over for the border; a period that was judged before is passed over."""
        heard = {level.sector: level for level in levels if level.sector in self._ids}
        if not heard:
            return []
        first = heard[min(heard)]
        index = first.index
        if index <= self._last:
            return []
        self._learn(heard, index)
        as_of = max(level.as_of for level in heard.values())
        verdicts = [
            verdict
            for question in (self._displacement, self._spill_over, self._scan)
            for verdict in question(_stamp(self, first, as_of))
        ]
        return [verdict for verdict in verdicts if self._is_said(verdict, index)]

    def encode(self) -> bytes:
        """On the wire; taken back by `restore`."""
        return msgspec.msgpack.encode((self._ids, self._last, self._history.tolist(), self._asked))

    def restore(self, held: bytes) -> None:
        """Take written state back; sectors that the registry no longer has are left out."""
        ids, self._last, history, self._asked = msgspec.msgpack.decode(held)
        was = np.asarray(history, np.float64).reshape(3, len(ids), -1)
        self._history = np.zeros((3, len(self._ids), was.shape[2]))
        for at, name in enumerate(self._ids):
            if name in ids:
                self._history[:, at] = was[:, ids.index(name)]

    def _learn(self, heard: dict[str, Level], index: int) -> None:
        skipped = min(index - self._last - 1, KEEP) if self._last >= 0 else 0
        column = np.zeros((3, len(self._ids), skipped + 1))
        for at, name in enumerate(self._ids):
            if name in heard:
                level = heard[name]
                column[:, at, -1] = level.observed, level.expected, level.dispersion
        self._history = np.concatenate([self._history, column], axis=2)[:, :, -KEEP:]
        self._last = index

    def _is_said(self, verdict: Verdict, index: int) -> bool:
        key = verdict.question_key
        if verdict.breach:
            self._asked[key] = index
            return True
        last = self._asked.get(key)
        if last is not None and index - last > CALM:
            del self._asked[key]
        return key in self._asked

    def _displacement(self, verdict: "Stamp") -> Iterable[Verdict]:
        seen, mean, dispersion = self._history[:, :, -1]
        judged = displacement.judge(seen, mean, dispersion, self._adjacent)
        for at, p in enumerate(judged.p_value):
            near = [int(i) for i in np.flatnonzero(self._adjacent[at]) if mean[i] > 0]
            where = " and ".join(self._names[i] for i in near if seen[i] > mean[i])
            remark = f"{judged.missing[at]:.0f} fewer here, {judged.gained[at]:.0f} more at {where}"
            evidence = self._evidence(seen[at], mean[at], dispersion[at], p, near, remark)
            yield verdict(Question.DISPLACEMENT, self._ids[at], evidence, p <= self._alpha)

    def _spill_over(self, verdict: "Stamp") -> Iterable[Verdict]:
        judged = spill_over.judge(self._residuals(), self._pairs, len(self._pairs))
        seen, mean, dispersion = self._history[:, :, -1]
        for here in np.unique(self._pairs[:, 1]):
            rows = np.flatnonzero(self._pairs[:, 1] == here)
            best = rows[judged.p_value[rows].argmin()]
            source, lag, p = self._pairs[best, 0], int(judged.lag[best]), float(judged.p_value[best])
            periods = f"{lag} {self.cadence}" + ("s" if lag != 1 else "")
            remark = f"upstream {self._names[source]} led by {periods}"
            evidence = self._evidence(seen[here], mean[here], dispersion[here], p, [source], remark, lag)
            yield verdict(Question.SPILL_OVER, self._ids[here], evidence, p <= self._alpha)

    def _scan(self, verdict: "Stamp") -> Iterable[Verdict]:
        recent = self._history[:, :, -max(scan.WINDOWS) :]
        found = scan.judge(recent[0], recent[1], recent[2], self._sets)
        inside = np.flatnonzero(found.members)
        remark = "together: " + ", ".join(self._names[i] for i in inside)
        variance = (recent[1] * recent[2])[found.members, -found.window :].sum()
        spread = variance / found.expected if found.expected > 0 else 1.0
        evidence = self._evidence(
            found.observed, found.expected, spread, found.p_value, inside, remark, window=found.window
        )
        yield verdict(Question.SCAN, self.border, evidence, found.p_value <= self._alpha and len(inside) > 1)

    def _residuals(self) -> Floats:
        """Normal scores of the counts; 0 where nothing is known."""
        seen, mean, dispersion = self._history
        p = np.clip(mid(seen, mean, np.maximum(dispersion, 1.0)), 1e-9, 1 - 1e-9)
        return np.where(mean > 0, np.clip(-ndtri(p), -WIDEST, WIDEST), 0.0)

    def _evidence(
        self,
        observed: float,
        expected: float,
        dispersion: float,
        p_value: float,
        beside: Iterable[int],
        remark: str,
        lag: int = 0,
        window: int = 1,
    ) -> Evidence:
        """Evidence on one place; `beside` are the sectors to show with it, as they were `lag` periods ago."""
        column = slice(-1 - lag - window + 1, -lag or None)
        neighbours = tuple(
            Contribution(
                name=self._ids[i],
                observed=float(self._history[0, i, column].sum()),
                expected=float(self._history[1, i, column].sum()),
            )
            for i in beside
        )
        phi = max(float(dispersion), 1.0)
        shape = max(float(expected), 1e-9) / phi
        lower, upper = (phi * float(gammaincinv(shape, q)) for q in (self._alpha / 2, 1 - self._alpha / 2))
        return Evidence(
            observed=float(observed),
            expected=float(expected),
            lower=lower,
            upper=upper,
            p_value=float(p_value),
            alpha=self._alpha,
            window=window,
            baseline="levels of the border's sectors",
            neighbours=neighbours,
            remark=remark,
        )


Stamp = Callable[[Question, str, Evidence, bool], Verdict]


def _stamp(region: Region, first: Level, as_of: dt.datetime) -> Stamp:
    """What all verdicts of one closing have in common."""

    def verdict(question: Question, sector: str, evidence: Evidence, breach: bool) -> Verdict:
        return Verdict.of(
            question=question,
            sector=sector,
            border=region.border,
            cadence=region.cadence,
            period=first.period,
            as_of=as_of,
            closed=True,
            breach=bool(breach),
            evidence=evidence,
        )

    return verdict
