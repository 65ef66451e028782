"""Ask a question of a view: find its detector, give it its level, record what it wants remembered.

A question's detector is the module of its name in `streams.detectors`, so the table of questions is the only
list there is.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final

from streams.contract.questions import Look, Question
from streams.contract.verdicts import Verdict
from streams.detectors import Finding, SectorView
from streams.judging import absence
from streams.judging.frames import SectorFrame
from streams.judging.operating_limits import OperatingLimits
from streams.judging.publication import publish

NEW_LEVELS: Final = 2  # that are kept of a series: a model has no room for more
DETECTORS: Final[Mapping[Question, Callable[..., Finding]]] = {
    question: import_module(f"streams.detectors.{question}").detect for question in Question
}


def asked_of(view: SectorView, *, waits: bool) -> list[Question]:
    """The questions that are asked of such a view; those that wait for reports, or those that do not."""
    return [
        question
        for question in Question
        if not question.regional
        and question is not Question.SILENCE  # comes first, by itself
        and question.entry.waits is waits
        and view.look in question.entry.looks
        and view.cadence in question.entry.cadences
    ]


def ask(
    question: Question,
    view: SectorView,
    limits: OperatingLimits,
    *,
    is_newest: bool = True,
    share: float = 1.0,
) -> list[Verdict]:
    """Ask one question of all sectors of a view, at a `share` of its level."""
    finding = follow(question, view, limits, share=share)
    return publish(question, finding, SectorFrame(view=view, limits=limits, is_newest=is_newest))


def follow(question: Question, view: SectorView, limits: OperatingLimits, *, share: float = 1.0) -> Finding:
    """Find and remember, and publish nothing."""
    finding = DETECTORS[question](view, limits.alphas(view.sectors, view.cadence, question) * share)
    _remember(question, finding, view)
    return finding


def _remember(question: Question, finding: Finding, view: SectorView) -> None:
    """Record what a finding asks to be remembered of each sector."""
    cadence = view.cadence
    if finding.limit is not None:
        for counts, limit in zip(view.sectors, finding.limit.tolist(), strict=True):
            counts.state.open_limits[cadence] = limit
    if view.look is not Look.CLOSED:
        return
    if question is Question.SILENCE:
        absence.lose(view.sectors, finding.breach)
    if finding.state is not None:
        for counts, state in zip(view.sectors, finding.state.tolist(), strict=True):
            counts.state.of(cadence).detectors[question] = tuple(state)
    if finding.new_level is not None:
        for counts, start in zip(view.sectors, finding.new_level.tolist(), strict=True):
            if start >= 0:
                # Unless a person decides otherwise, the baseline takes it from its first period on.
                levels = counts.state.of(cadence).new_levels
                levels.append(start)
                del levels[:-NEW_LEVELS]
