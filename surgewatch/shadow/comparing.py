"""Compare the verdicts of a shadow with the live ones. Pure.

Verdicts are compared by their ids, which name the question and the occasion. Only those on closed
periods are: what is found in open ones depends on when they were looked at.
"""

import math
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any, Final, NamedTuple

from streams.contract.verdicts import Verdict

TOLERANCE: Final = 1e-4  # relative: the last digits of two processors differ


class Published(NamedTuple):
    """A verdict, and when the broker appended it (ms)."""

    verdict: Verdict
    at: int


class Kind(StrEnum):
    """How the shadow differs."""

    MISSING = "missing"
    EXTRA = "extra"
    DIFFERENT = "different"


class Difference(NamedTuple):
    """One verdict that differs. `fields`: what is different, as live and as the shadow has it."""

    kind: Kind
    verdict: Verdict
    fields: dict[str, tuple[Any, Any]]


class Comparison(NamedTuple):
    """What was compared, and what differs, in the order of periods."""

    compared: int
    differences: list[Difference]


def compare(live: Iterable[Published], shadow: Iterable[Published], until: int) -> Comparison:
    """Compare all that was published up to `until` (ms), from the shadow's first verdict on."""
    ours, theirs = _newest(live), _newest(shadow)
    began = min((one.at for one in theirs.values()), default=until)
    differences = [
        *(
            Difference(Kind.MISSING, one.verdict, {})
            for name, one in ours.items()
            if name not in theirs and began <= one.at <= until
        ),
        *(
            Difference(Kind.EXTRA, one.verdict, {})
            for name, one in theirs.items()
            if name not in ours and one.at <= until
        ),
    ]
    both = ours.keys() & theirs.keys()
    differences += [
        Difference(Kind.DIFFERENT, theirs[name].verdict, fields)
        for name in both
        if (fields := dict(_different(ours[name].verdict, theirs[name].verdict)))
    ]
    differences.sort(key=lambda one: (one.verdict.period, one.verdict.question_key, one.kind))
    compared = len(both) + sum(one.kind is not Kind.DIFFERENT for one in differences)
    return Comparison(compared, differences)


def _newest(published: Iterable[Published]) -> dict[str, Published]:
    """Return verdicts on closed periods by id: a verdict that was published again is one."""
    return {one.verdict.verdict_id: one for one in published if one.verdict.closed}


def _different(live: Verdict, shadow: Verdict) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield the fields that differ, those of the evidence by their own names."""
    ours, theirs = live.model_dump(), shadow.model_dump()
    ours |= ours.pop("evidence")
    theirs |= theirs.pop("evidence")
    for name, value in ours.items():
        if not _alike(value, theirs[name]):
            yield name, (value, theirs[name])


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, float | int) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=1e-12)
    if isinstance(one, tuple | list) and isinstance(other, tuple | list):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(one[name], other[name]) for name in one)
    return bool(one == other)
