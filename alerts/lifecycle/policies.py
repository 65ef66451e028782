"""Policies: what makes an alert of a verdict, and how much it matters.

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
LONG: Final = {Cadence.WEEK: 3, Cadence.MONTH: 2}  # calm periods that are enough where periods are long
LENGTH: Final = {
    Cadence.HOUR: dt.timedelta(hours=1),
    Cadence.DAY: dt.timedelta(days=1),
    Cadence.WEEK: dt.timedelta(days=7),
    Cadence.MONTH: dt.timedelta(days=31),
}
Count = Annotated[int, Field(ge=1, le=1_000)]
Amount = Annotated[float, Field(ge=0)]


class Policy(BaseModel):
    """How verdicts of one question become an alert."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    open_after: Count = 1
    sure_below: Annotated[float, Field(ge=0, le=1)] = 1e-4
    resolve_after: Count = 3
    expire_days: Annotated[float, Field(gt=0)] = 14
    remind_days: Annotated[float, Field(gt=0)] = 7
    unanswered_minutes: tuple[Annotated[float, Field(gt=0)], ...] = ()  # by the wall, since it was told
    unanswered_least: Severity = Severity.CRITICAL
    least_excess: Amount = 5
    least_ratio: Amount = 1.3
    warning_ratio: Amount = 1.5
    warning_excess: Amount = 15
    critical_ratio: Amount = 2
    critical_excess: Amount = 60
    most: Severity = Severity.CRITICAL

    def calm_periods(self, cadence: Cadence) -> int:
        """Closed calm periods after which an alert is over; long periods say the same in fewer."""
        return min(self.resolve_after, LONG.get(cadence, self.resolve_after))

    def patience(self, cadence: Cadence) -> dt.timedelta:
        """Event time without a word after which an alert is over: never so short that a word may be due."""
        return max(dt.timedelta(days=self.expire_days), 2.5 * LENGTH[cadence])

    def counts(self, verdict: Verdict) -> bool:
        """Is this breach large enough to be anybody's business?"""
        excess, ratio = deviation(verdict)
        return verdict.breach and excess >= self.least_excess and ratio >= self.least_ratio

    def severity(self, verdict: Verdict) -> Severity:
        """From excess and ratio, both of which have to be there; never from the p-value."""
        excess, ratio = deviation(verdict)
        if excess >= self.critical_excess and ratio >= self.critical_ratio:
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
        """The policy of a question."""
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
    """How many people too many (or too few), and how many times what was expected (or its inverse)."""
    observed, expected = verdict.evidence.observed, verdict.evidence.expected
    if verdict.question is Question.STRAIN and verdict.evidence.capacity:
        expected = verdict.evidence.capacity
        return observed, observed / expected
    high, low = max(observed, expected), min(observed, expected)
    return high - low, high / max(low, 0.5)


def policies(path: Path = SHIPPED) -> Policies:
    """Read policies; raises DocumentError naming every fault with file and line."""
    return load(path, Policies)
