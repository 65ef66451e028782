"""Mix: one nationality, demographic or crossing type has a share that its past does not explain.

Each slice is judged *given the total* of its sector: the binomial tail of its count at the share it used to
have (the conditional test of two Poisson rates: Przyborowski & Wilenski 1940, Biometrika 31:313). So a
surge of all slices alike is not a shift, and a shift within a calm total is one. People come in groups:
counts and totals are divided by the overdispersion that the slices showed in their past (quasi-likelihood,
McCullagh 1983, Ann Stat 11:59), never by less than the sector's own (a bus is one group of one nationality,
and may not have come in the weeks that are compared), and by how well the past share is known. The smallest
p over m slices is corrected by Šidák (1967), J Am Stat Assoc 62:626, so all slices together cost one test of
the alarm budget.

Other labels are no other people. Where the last people of one label are followed by the first of another, it
was renamed (or two were merged), and both are one slice. People whose kind is unknown are no slice.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc

from streams.baselines.calibration import AS_THEY_ARE, Calibration
from streams.baselines.negative_binomial import Floats
from streams.contract.cadence import Cadence
from streams.contract.verdicts import Contribution
from streams.counting.sector_counts import Counts
from streams.detectors import LONGEST, Details, Finding, SectorView

PRIOR = 0.5  # people added to each past slice: a slice never seen before has a small share, not none
EXCESS = 10.0  # people; fewer do not matter, whatever their share
RATIO = 1.5
BLOCKS, LEAST_BLOCKS = 9, 4  # windows that are compared, and those that must have anybody
SHOWN: Final = 3  # slices in the evidence
VULNERABLE = frozenset({"demographic=family_unit", "demographic=unaccompanied_minor"})


class Mix(NamedTuple):
    """By slice: its own p-value and the count expected given the total; by sector: the corrected p."""

    p_slice: Floats
    expected: Floats
    p_value: Floats
    shifted: NDArray[np.bool_]  # by slice: significant after correction, and enough people to matter


def judge(
    now: ArrayLike,
    total: ArrayLike,
    past: ArrayLike,
    past_total: ArrayLike,
    *,
    alpha: float,
    group: float = 1.0,
    calibration: Calibration = AS_THEY_ARE,
) -> Mix:
    """Judge the slices of any number of sectors.

    Args:
        now: people by slice in the judged window, shape (..., slices).
        total: people of the whole sector in it, shape (...).
        past: people by slice and earlier window of equal length, shape (..., slices, windows).
        past_total: people of the whole sector in those, shape (..., windows).
        alpha: false alarms per judged window and sector, all slices together.
        group: the dispersion of the sector's counts: as many people come and belong together.
        calibration: of the p-values of the sector's counts.

    Del Rio, August to September 2021: the sector rose by a third, one nationality threefold.

    >>> past = [[3000, 3400, 4100, 5185], [21000, 23100, 25900, 27700]]
    >>> mix = judge([15951, 27619], 43570, past, [24000, 26500, 30000, 32885], alpha=0.001)
    >>> mix.shifted.tolist(), mix.expected[0].round().item()
    ([True, False], 6027.0)
    """
    y, before = np.asarray(now, np.float64), np.asarray(past, np.float64)
    whole = np.maximum(np.asarray(total, np.float64)[..., None], y)
    earlier = np.maximum(np.asarray(past_total, np.float64)[..., None, :], before)
    seen, people = before.sum(-1), earlier.sum(-1)
    share = (seen + PRIOR) / (people + 2 * PRIOR)
    spread = np.maximum(_spread(before, earlier, share), group) * (1 + whole / (people + 1))
    p_slice = np.where(y > 0, betainc(np.maximum(y, 1e-9) / spread, (whole - y) / spread + 1, share), 1.0)
    expected = whole * share
    matters = (y - expected >= EXCESS) & (y >= RATIO * expected)
    p_slice = calibration.upper(p_slice)
    corrected = -np.expm1(y.shape[-1] * np.log1p(-np.minimum(p_slice, 1 - 1e-16)))
    smallest = np.where(matters, corrected, 1.0).min(-1, initial=1.0)
    return Mix(p_slice, expected, smallest, matters & (corrected <= alpha))


def without_renames(names: Sequence[str], people: Floats) -> Floats:
    """Return people by slice and window [slices, windows] with renamed slices in one row, and none unknown.

    >>> labels = ["demographic=uc", "demographic=uac", "demographic=unknown"]
    >>> without_renames(labels, np.array([[9, 8, 0, 0], [0, 0, 7, 9], [0, 0, 0, 5.0]])).astype(int).tolist()
    [[0, 0, 0, 0], [9, 8, 7, 9], [0, 0, 0, 0]]
    """
    out, windows = people.copy(), people.shape[1]
    out[[name.casefold().endswith("=unknown") for name in names]] = 0.0
    there = out > 0
    begins, ends = there.argmax(1), windows - there[:, ::-1].argmax(1)  # ends: the first window without
    old, new = (defaultdict[tuple[str, int], list[int]](list) for _ in range(2))
    for row in np.flatnonzero(there.any(1)).tolist():
        field = names[row].partition("=")[0]
        old[field, int(ends[row])].append(row)
        new[field, int(begins[row])].append(row)
    for change in sorted(old.keys() & new.keys()):
        rows = [*old[change], *new[change]]
        heir = max(new[change], key=lambda row: (people[row].sum(), row))
        together = out[rows].sum(0)
        out[rows] = 0.0
        out[heir] = together
    return out


def remark(names: list[str], shifted: NDArray[np.bool_]) -> str:
    """One clause about vulnerable people among the slices that shifted, or nothing.

    >>> remark(["citizenship=HAITI", "demographic=family_unit"], np.array([True, True]))
    'more family units among them'
    """
    found = [name for name, is_so in zip(names, shifted, strict=True) if is_so and name in VULNERABLE]
    kinds = [name.partition("=")[2].replace("_", " ") + "s" for name in sorted(found)]
    return f"more {' and '.join(kinds)} among them" if kinds else ""


def _spread(before: Floats, earlier: Floats, share: Floats) -> Floats:
    """Overdispersion of a slice's count given the total; never under that of its sector's slices together."""
    mean = earlier * share[..., None]
    variance = np.maximum(mean * (1 - share[..., None]), 1e-9)
    square = np.where(mean > 0, (before - mean) ** 2 / np.maximum(variance, 0.5), 0.0)
    own = np.asarray(square.sum(-1) / max(square.shape[-1], 1))
    pooled = own.sum(-1, keepdims=True) / max(own.shape[-1], 1)
    return np.asarray(np.maximum(np.maximum(own, pooled), 1.0))


def detect(view: SectorView, alpha: Floats) -> Finding:
    """Judge the slices of the last window: seven days, or one week or month."""
    n = len(view.sectors)
    width = 7 if view.cadence is Cadence.DAY else 1
    asked, breach = np.zeros((2, n), bool)
    p_value, observed, expected = np.ones(n), np.zeros(n), np.zeros(n)
    shown: dict[int, Details] = {}
    for row, counts in enumerate(view.sectors):
        blocks = _blocks(counts, view, width)
        if blocks is None:
            continue
        names, people, total = list(counts.slices.names), *blocks
        people = without_renames(names, people)
        found = _judge_last(view, row, people, total, alpha=float(alpha[row]))
        asked[row], breach[row] = True, found.shifted.any()
        top = int(np.where(found.shifted | ~breach[row], found.p_slice, 2.0).argmin())
        p_value[row], observed[row], expected[row] = found.p_value, people[top, -1], found.expected[top]
        shown[row] = _details(names, people[:, -1], found)
    return Finding(
        breach=breach,
        p_value=p_value,
        alpha=alpha,
        observed=observed,
        expected=expected,
        dispersion=np.ones(n),
        window=np.full(n, width),
        asked=asked,
        details=shown.__getitem__,
    )


def _judge_last(view: SectorView, row: int, people: Floats, total: Floats, *, alpha: float) -> Mix:
    """Judge the last block of a sector, people by slice [slices, BLOCKS] and of all [BLOCKS]."""
    return judge(
        people[:, -1],
        total[-1],
        people[:, :-1],
        total[:-1],
        alpha=alpha,
        group=float(view.dispersion[row]),
        calibration=view.calibration.select([row]),
    )


def _details(names: list[str], people: Floats, found: Mix) -> Details:
    """Return the slices that are least likely, with their people [slices], and a remark on what shifted."""
    return Details(
        slices=tuple(
            Contribution(name=names[at], observed=people[at], expected=round(found.expected[at], 2))
            for at in np.argsort(found.p_slice)[:SHOWN]
        ),
        remark=remark(names, found.shifted),
    )


def _blocks(counts: Counts, view: SectorView, width: int) -> tuple[Floats, Floats] | None:
    """People by slice and window [slices, BLOCKS], and of all [BLOCKS]; None where there are too few."""
    names = counts.slices.names
    if counts.sliced is not view.cadence or not names:
        return None
    table = counts.slices.window(view.index, LONGEST * 2).astype(float)
    people = table.reshape(len(names), -1, width).sum(-1)[:, -BLOCKS:]
    total = people[[name.startswith("demographic=") for name in names]].sum(0)
    if total[-1] == 0 or (total[:-1] > 0).sum() < LEAST_BLOCKS:
        return None
    return people, total
