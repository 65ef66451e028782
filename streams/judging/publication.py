"""Findings become verdicts: one loop, and one rule for what is published.

Finding, n rows ─▶ record what stands ─▶ published? ─▶ evidence ─▶ Verdict
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np

from streams.baselines.negative_binomial import Floats
from streams.contract.questions import Question
from streams.contract.verdicts import Evidence, Verdict
from streams.counting.detection_state import Breach
from streams.detectors import Finding

CALM: Final = 8  # periods after a breach in which calm is published as well: somebody may be waiting for it
# The same where what was found may last: no breach any more after some days, and normal within weeks.
LASTING: Final = 56


class Frame(Protocol):
    """What the verdicts of one look have in common."""

    @property
    def index(self) -> int: ...

    @property
    def is_closed(self) -> bool: ...

    @property
    def is_newest(self) -> bool:
        """Whether no later period has been judged: only then does it decide since when a breach lasts."""

    def breaches(self, place: str, row: int) -> dict[str, Breach]:
        """The questions that stand there."""

    def is_known(self, row: int) -> bool:
        """Whether enough of the period is reported to call it calm: what is missing is not zero."""

    def interval(
        self, alpha: Floats, expected: Floats, dispersion: Floats, rows: Sequence[int]
    ) -> tuple[Floats, Floats]:
        """The central interval of normal counts of some rows."""

    def header(self, place: str, row: int) -> dict[str, Any]:
        """Fields of `Verdict` but question, breach and evidence."""

    def evidence(self, finding: Finding, row: int, since: int | None) -> dict[str, Any]:
        """Fields of `Evidence` that the finding does not have."""

    def places(self) -> Sequence[str]:
        """What rows are about, unless the finding names its places."""


def publish(question: Question, finding: Finding, frame: Frame) -> list[Verdict]:
    """Record what stands now, and return the verdicts that somebody needs."""
    places = finding.places or frame.places()
    rows = _published(question, finding, frame, places)
    if not rows:
        return []
    intervals = _intervals(finding, frame, rows)
    return [
        Verdict.of(
            question=question,
            breach=bool(finding.breach[row]),
            evidence=Evidence(
                observed=float(finding.observed[row]),
                p_value=min(max(float(finding.p_value[row]), 0.0), 1.0),
                alpha=float(finding.alpha[row]),
                window=int(finding.window[row]),
                **{name: float(values[at]) for name, values in intervals.items()},
                **frame.evidence(finding, row, _since(frame, places[row], row, question)),
                **finding.details(row),
            ),
            **frame.header(places[row], row),
        )
        for at, row in enumerate(rows)
    ]


def _published(question: Question, finding: Finding, frame: Frame, places: Sequence[str]) -> list[int]:
    """Record the rows that were answered, and return those whose verdicts are published."""
    asked = range(len(places)) if finding.asked is None else np.flatnonzero(finding.asked).tolist()
    breach = finding.breach.tolist()
    return [
        row
        for row in asked
        if breach[row] or frame.is_known(row)
        if record(frame.breaches(places[row], row), question, breach[row], frame)
        or (question.entry.always and frame.is_closed)
    ]


def record(breaches: dict[str, Breach], question: Question, breach: bool, frame: Frame) -> bool:
    """Record a finding in what stands, and return whether it is published.

    A breach always is; calm is where a period is over, for some periods after the last breach.
    """
    stands = breaches.get(question)
    if breach:
        stands = stands or breaches.setdefault(question, Breach(last=frame.index))
        stands.last = max(stands.last, frame.index)
        if frame.is_newest and stands.since is None:
            stands.since = frame.index
        return True
    if stands is None or not frame.is_closed:
        return False
    if frame.is_newest:
        stands.since = None
    if frame.index - stands.last > _awaited(question):
        del breaches[question]
        return False
    return True


def _awaited(question: Question) -> int:
    """Return for how many periods after a breach somebody may wait for calm that is not always published."""
    return LASTING if question.entry.side and not question.entry.always else CALM


def _intervals(finding: Finding, frame: Frame, rows: Sequence[int]) -> dict[str, Floats]:
    """Bounds of the window and, where it was looked at, of its last period alone."""
    alpha = (finding.alpha if finding.interval_alpha is None else finding.interval_alpha)[rows]
    lower, upper = frame.interval(alpha, finding.expected[rows], finding.dispersion[rows], rows)
    found = {"lower": lower, "upper": upper}
    if finding.alone is not None:
        alone = frame.interval(alpha, finding.alone.expected[rows], finding.alone.dispersion[rows], rows)
        found["period_lower"], found["period_upper"] = alone
    return found


def _since(frame: Frame, place: str, row: int, question: Question) -> int | None:
    stands = frame.breaches(place, row).get(question)
    return stands.since if stands else None
