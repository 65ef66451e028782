"""The region: what no sector can see alone. Displacement, spill-over and scan over the sectors of one border.

    summaries of one closed period ─▶ history (the last KEEP periods of every sector) ─▶ verdicts

Pure, and in the order of its periods: the same summaries give the same verdicts, and a region
that was written down and taken back goes on as if it had never stopped.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtri

from streams.baselines.negative_binomial import Floats, mid
from streams.contract.cadence import Cadence
from streams.contract.sectors import Registry
from streams.contract.verdicts import Contribution, Evidence, Question, Verdict
from streams.detectors import displacement, scan, spill_over
from streams.judging.period_summary import PeriodSummary

KEEP = 120  # periods of history: enough to find a lag of two weeks in
CALM = 8  # periods for which a question that was in breach is also answered with *calm*
ALPHA = 1e-3  # false alarms per question, border and period
FIGURES = 4  # what is kept of a level
WIDEST = 4.0  # normal score beyond which a residual tells no more


class BorderJudge:
    """One border and one cadence: its sectors' last periods, and which questions stand."""

    def __init__(
        self, registry: Registry, border: str, cadence: Cadence = Cadence.DAY, alpha: float = ALPHA
    ) -> None:
        heard = [registry.by_id[name] for name, borders in registry.audience.items() if border in borders]
        # Those of other borders, which are upstream of some here, come last: they are nobody's neighbours.
        places = sorted(heard, key=lambda sector: (sector.border != border, sector.id))
        self.border, self.cadence, self._alpha = border, cadence, alpha
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
        self._linked, links = np.unique(self._pairs, return_inverse=True)
        self._links = links.reshape(-1, 2)  # the pairs, as rows of the sectors that are in any
        self._own = np.arange(len(places)) < len(own)
        self.last = -1  # the newest period that was judged
        # Observed, expected, dispersion, alarm; by sector and period, oldest first. Of the unheard: 0 of 0.
        self._history: NDArray[np.float32] = np.zeros((FIGURES, len(places), 0), np.float32)
        self._asked: dict[str, int] = {}  # question key: the last period in breach

    @property
    def sectors(self) -> Sequence[str]:
        """The ids of the sectors it looks at."""
        return self._ids

    def close(self, summaries: Sequence[PeriodSummary]) -> list[Verdict]:
        """Judge one period that is over for the border; a period that was judged before is passed over."""
        heard = {summary.sector: summary for summary in summaries if summary.sector in self._ids}
        if not heard:
            return []
        first = heard[min(heard)]
        index = first.index
        if index <= self.last:
            return []
        self._learn(heard, index)
        as_of = max(summary.as_of for summary in heard.values())
        verdict = _stamp(self, first, as_of)
        return [*self._displacement(verdict), *self._spill_over(verdict), *self._scan(verdict)]

    def recall(self, summary: PeriodSummary) -> None:
        """Learn from a level that came too late for its period to be judged by."""
        ago = self.last - summary.index
        if summary.sector in self._ids and 0 <= ago < self._history.shape[2]:
            self._history[:, self._ids.index(summary.sector), -1 - ago] = _figures(summary)

    def encode(self) -> bytes:
        """On the wire; taken back by `restore`."""
        return msgspec.msgpack.encode((self._ids, self.last, self._history.tobytes(), self._asked))

    def restore(self, held: bytes) -> None:
        """Take written state back; sectors that the registry no longer has are left out."""
        ids, self.last, history, self._asked = msgspec.msgpack.decode(held)
        was = np.frombuffer(history, np.float32).reshape(FIGURES, len(ids), -1)
        self._history = np.zeros((FIGURES, len(self._ids), was.shape[2]), np.float32)
        for at, name in enumerate(self._ids):
            if name in ids:
                self._history[:, at] = was[:, ids.index(name)]

    def _learn(self, heard: dict[str, PeriodSummary], index: int) -> None:
        skipped = min(index - self.last - 1, KEEP) if self.last >= 0 else 0
        column = np.zeros((FIGURES, len(self._ids), skipped + 1), np.float32)
        for at, name in enumerate(self._ids):
            if name in heard:
                column[:, at, -1] = _figures(heard[name])
        self._history = np.concatenate([self._history, column], axis=2)[:, :, -KEEP:]
        self.last = index

    def _is_wanted(self, question: Question, sector: str, breach: bool) -> bool:
        """Is there somebody to tell: of a breach, or of calm after one?"""
        key = "|".join((question, sector, "", self.cadence))
        if breach:
            self._asked[key] = self.last
            return True
        last = self._asked.get(key)
        if last is not None and self.last - last > CALM:
            del self._asked[key]
        return key in self._asked

    def _displacement(self, verdict: "Stamp") -> Iterable[Verdict]:
        seen, mean, dispersion, _ = self._history[:, :, -max(displacement.WINDOWS) :].astype(float)
        judged = displacement.judge(seen, mean, dispersion, self._adjacent)
        for at, p in enumerate(judged.p_value):
            breach = p <= self._alpha
            if self._is_wanted(Question.DISPLACEMENT, self._ids[at], breach):
                window = int(judged.window[at])
                near = np.flatnonzero(self._adjacent[at])
                more = (seen - mean)[near, -window:].sum(1)
                order = [int(i) for i in np.lexsort((near, -more)) if mean[near[i], -1] > 0]
                where = " and ".join(self._names[near[i]] for i in order if more[i] >= 1)
                remark = (
                    f"{judged.missing[at]:.0f} fewer here, {judged.gained[at]:.0f} more at {where}"
                    if breach
                    else ""
                )
                evidence = self._of(at, p, near[order], remark, window=window)
                yield verdict(Question.DISPLACEMENT, self._ids[at], evidence, breach)

    def _spill_over(self, verdict: "Stamp") -> Iterable[Verdict]:
        judged = spill_over.judge(self._residuals(), self._links, len(self._links))
        for here in np.unique(self._pairs[:, 1]):
            rows = np.flatnonzero(self._pairs[:, 1] == here)
            best = rows[judged.p_value[rows].argmin()]
            p = float(judged.p_value[best])
            if self._is_wanted(Question.SPILL_OVER, self._ids[here], breach := p <= self._alpha):
                source, lag = self._pairs[best, 0], int(judged.lag[best])
                periods = f"{lag} {self.cadence}" + ("s" if lag != 1 else "")
                remark = f"upstream {self._names[source]} led by {periods}"
                evidence = self._of(here, p, [source], remark, lag)
                yield verdict(Question.SPILL_OVER, self._ids[here], evidence, breach)

    def _scan(self, verdict: "Stamp") -> Iterable[Verdict]:
        recent = self._history[:, :, -max(scan.WINDOWS) :].astype(float)
        # A sector that is a surge by itself has been told as one: what is looked for is what nobody has told.
        known = np.flatnonzero((recent[1, :, -1] > 0) & ~recent[3].any(1) & self._own)
        if not len(known):
            return
        seen, mean, dispersion = recent[:3, known]
        found = scan.judge(seen, mean, dispersion, scan.zones(self._adjacent[np.ix_(known, known)]))
        inside = known[found.members]
        breach = found.p_value <= self._alpha and len(inside) > 1
        if self._is_wanted(Question.SCAN, self.border, breach):
            remark = "together: " + ", ".join(self._names[i] for i in inside)
            variance = (mean * dispersion)[found.members, -found.window :].sum()
            spread = variance / found.expected if found.expected > 0 else 1.0
            evidence = self._evidence(
                found.observed, found.expected, spread, found.p_value, inside, remark, window=found.window
            )
            yield verdict(Question.SCAN, self.border, evidence, breach)

    def _residuals(self) -> Floats:
        """Normal scores of the counts of sectors that are paired with others; 0 where nothing is known."""
        seen, mean, dispersion, _ = self._history[:, self._linked].astype(float)
        p = np.clip(mid(seen, mean, np.maximum(dispersion, 1.0)), 1e-9, 1 - 1e-9)
        return np.where(mean > 0, np.clip(-ndtri(p), -WIDEST, WIDEST), 0.0)

    def _of(
        self, at: int, p: float, beside: Iterable[int], remark: str, lag: int = 0, window: int = 1
    ) -> Evidence:
        """Evidence on one sector."""
        seen, mean, dispersion, _ = self._history[:, at, -window:].astype(float)
        expected = mean.sum()
        spread = (mean * dispersion).sum() / expected if expected > 0 else 1.0
        return self._evidence(seen.sum(), expected, spread, p, beside, remark, lag, window)

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
            baseline="summaries of the border's sectors",
            neighbours=neighbours,
            remark=remark,
        )


def _figures(summary: PeriodSummary) -> tuple[float, float, float, float]:
    return summary.observed, summary.expected, summary.dispersion, summary.alarm


Stamp = Callable[[Question, str, Evidence, bool], Verdict]


def _stamp(region: BorderJudge, first: PeriodSummary, as_of: dt.datetime) -> Stamp:
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
