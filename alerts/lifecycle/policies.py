"""Policies: which verdicts become alerts, and how severe they are.

A question's policy is `[default]` of `policies.toml`, then the question's entry in the table of questions,
then `[question.NAME]` of the file.
"""

import datetime as dt
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from alerts.lifecycle.alert import RANK, Severity
from streams.contract.cadence import Cadence
from streams.contract.questions import Question
from streams.contract.toml_documents import load
from streams.contract.verdicts import Verdict

SHIPPED = Path(__file__).with_name("policies.toml")
LONG: Final = {Cadence.WEEK: 3, Cadence.MONTH: 2}  # calm periods that suffice where periods are long
LENGTH: Final = {
    Cadence.HOUR: dt.timedelta(hours=1),
    Cadence.DAY: dt.timedelta(days=1),
    Cadence.WEEK: dt.timedelta(days=7),
    Cadence.MONTH: dt.timedelta(days=31),
}
NEXT_DOOR: Final = 1 / 3  # of those missing here: while so many are too many next door, a displacement lasts
Count = Annotated[int, Field(ge=1, le=1_000)]
Amount = Annotated[float, Field(ge=0, le=1e9)]
Minutes = Annotated[float, Field(gt=0, le=60 * 24 * 365)]
Days = Annotated[float, Field(gt=0, le=365 * 10)]


class Policy(BaseModel):
    """How verdicts of one question become an alert."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    open_after: Count = 1
    sure_below: Annotated[float, Field(ge=0, le=1)] = 1e-4
    resolve_after: Count = 3
    keep_firing_hours: Annotated[float, Field(ge=0, le=24 * 365)] = 0  # of event time
    expire_days: Days = 14
    remind_days: Days = 7
    worse_times: Annotated[float, Field(ge=1.2, le=1e9)] = 2
    unanswered_minutes: tuple[Minutes, ...] = ()  # of processing time
    unanswered_least: Severity = Severity.CRITICAL
    acknowledgement_hours: Annotated[float, Field(ge=0, le=24 * 365)] = 0  # of processing time; 0: for good
    least_excess: Amount = 5
    least_ratio: Amount = 1.3
    warning_ratio: Amount = 1.5
    warning_excess: Amount = 15
    critical_ratio: Amount = 2
    critical_excess: Amount = 60
    most: Severity = Severity.CRITICAL

    def calm_periods(self, verdict: Verdict) -> int:
        """Return after how many closed calm periods an alert is over: fewer where periods are long.

        A source or tally that comes again is back: there is nothing to wait for.
        """
        is_tally = verdict.question is Question.SILENCE and verdict.cadence in LONG
        if verdict.evidence.source or is_tally:
            return 1
        return min(self.resolve_after, LONG.get(verdict.cadence, self.resolve_after))

    @property
    def keep_firing(self) -> dt.timedelta:
        """How soon after its end an alert comes again, and how long it is calm before it is over then."""
        return dt.timedelta(hours=self.keep_firing_hours)

    def expires_after(self, cadence: Cadence) -> dt.timedelta:
        """Return the event time without a verdict after which an alert is over.

        It is at least two and a half periods, so that the next verdict has always had time to come.
        """
        return max(dt.timedelta(days=self.expire_days), 2.5 * LENGTH[cadence])

    def counts(self, verdict: Verdict) -> bool:
        """Return whether a breach is large enough to alert on: by excess and by ratio.

        A source that stopped always is.
        """
        if verdict.evidence.source:
            return verdict.breach
        return verdict.breach and self._is_large(*deviation(verdict))

    def leaves_in_doubt(self, verdict: Verdict, worst: Verdict) -> bool:
        """Return whether a calm period is too far from normal to show that an alert is over.

        `worst` is the worst breach of the alert: a shift in the mix lasts while the same group stands out, a
        displacement while people are missing here and more are next door.
        """
        seen, side = verdict.evidence, verdict.question.entry.side
        is_off = self._is_off(side, seen.observed, seen.expected)
        match verdict.question:
            case Question.MIX:
                return is_off and _group(verdict) == _group(worst)
            case Question.DISPLACEMENT:
                gained = sum(one.observed - one.expected for one in seen.neighbours)
                return is_off and gained >= NEXT_DOOR * (seen.expected - seen.observed)
        is_outside = not seen.lower <= seen.observed <= seen.upper
        return (is_off and is_outside) or self._level_lasts(verdict)

    def _level_lasts(self, verdict: Verdict) -> bool:
        """Return whether the last period is far from the baseline, before that was moved to the own level.

        Where a level lasts, what is expected follows it within days, and no day is a breach any more.
        """
        side, level = verdict.question.entry.side, verdict.evidence.level
        if side * (level - 1) <= 0 or level <= 0:
            return False
        observed, expected = _last_period(verdict)
        return self._is_off(side, observed, expected / level)

    def _is_off(self, side: int, observed: float, expected: float) -> bool:
        return side * (observed - expected) > 0 and self._is_large(*_apart(observed, expected))

    def _is_large(self, excess: float, ratio: float) -> bool:
        return excess >= self.least_excess and ratio >= self.least_ratio

    def severity(self, verdict: Verdict) -> Severity:
        """Return the highest severity whose excess and ratio are both reached, whatever the p-value.

        A source that stopped is a warning.
        """
        excess, ratio = deviation(verdict)
        if verdict.evidence.source:
            found = Severity.WARNING
        elif excess >= self.critical_excess and ratio >= self.critical_ratio:
            found = Severity.CRITICAL
        elif excess >= self.warning_excess and ratio >= self.warning_ratio:
            found = Severity.WARNING
        else:
            found = Severity.INFO
        return min(found, self.most, key=RANK.__getitem__)


class Policies(BaseModel):
    """One policy for each question."""

    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))

    default: Policy = Policy()
    question: dict[Question, Policy] = {}  # only what is set in them counts

    def of(self, question: Question) -> Policy:
        """Return the policy of a question."""
        return self._by_question[question]

    @cached_property
    def _by_question(self) -> dict[Question, Policy]:
        return {
            question: Policy.model_validate(
                {
                    **self.default.model_dump(exclude_unset=True),
                    **question.entry.policy,
                    **self.question.get(question, Policy()).model_dump(exclude_unset=True),
                }
            )
            for question in Question
        }


def deviation(verdict: Verdict) -> tuple[float, float]:
    """Return how many people too many (or too few), and how many times the expected count (or its inverse).

    Of a sector at capacity: the people, and how many times its capacity.
    """
    observed, expected = verdict.evidence.observed, verdict.evidence.expected
    if verdict.question is Question.STRAIN and verdict.evidence.capacity:
        expected = verdict.evidence.capacity
        return observed, observed / expected
    return _apart(observed, expected)


def _group(verdict: Verdict) -> str:
    """Return the slice that stands out most; empty where none is shown."""
    return verdict.evidence.slices[0].name if verdict.evidence.slices else ""


def _last_period(verdict: Verdict) -> tuple[float, float]:
    """Return the people seen and expected in the judged period, without those before it in the window."""
    seen = verdict.evidence
    if seen.recent and seen.recent_expected:
        return seen.recent[-1], seen.recent_expected[-1]
    return seen.observed, seen.expected


def _apart(one: float, other: float) -> tuple[float, float]:
    """Return how many people two counts are apart, and how many times."""
    high, low = max(one, other), min(one, other)
    return high - low, high / max(low, 0.5)


def policies(path: Path = SHIPPED) -> Policies:
    """Read policies; raises DocumentError naming every fault with file and line."""
    return load(path, Policies)
