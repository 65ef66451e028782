"""What the verdicts of one look have in common: the `Frame`s of sectors and of a border."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaincinv

from streams.baselines.calibration import Calibration
from streams.baselines.gaps import closed_days
from streams.baselines.negative_binomial import Floats, threshold
from streams.baselines.reporting_delay import SMALLEST
from streams.contract.cadence import DAY, Cadence
from streams.contract.questions import Look
from streams.contract.verdicts import DataStatus
from streams.counting.detection_state import Breach, KeptModel
from streams.counting.sector_counts import Counts
from streams.counting.series import instant, local
from streams.detectors import BorderView, Finding, SectorView
from streams.judging.absence import is_in_part, period_of
from streams.judging.operating_limits import OperatingLimits


def normal(
    alpha: ArrayLike, expected: ArrayLike, dispersion: ArrayLike, calibration: Calibration
) -> tuple[Floats, Floats]:
    """The smallest count that is no drop and the largest that is no surge, at `alpha`."""
    spread = np.maximum(dispersion, 1.0)
    lower = np.maximum(threshold(1 - calibration.nominal_lower(alpha), expected, spread) - 1, 0.0)
    return lower, np.maximum(threshold(calibration.nominal(alpha), expected, spread) - 1, lower)


def period_header(
    counts: Counts, limits: OperatingLimits, *, cadence: Cadence, index: int, as_of: float
) -> dict[str, Any]:
    """Fields of a verdict on a closed period of a sector. `as_of` in epoch seconds."""
    zone = "UTC" if cadence is Cadence.HOUR else counts.zone
    return {
        "sector": counts.sector,
        "border": limits.border(counts.sector),
        "cadence": cadence,
        "period": instant(zone, cadence.start(index)),
        "as_of": dt.datetime.fromtimestamp(int(as_of), dt.UTC),
        "closed": True,
    }


@dataclass(frozen=True, kw_only=True)
class SectorFrame:
    """The verdicts of one look at some sectors."""

    view: SectorView
    limits: OperatingLimits
    is_newest: bool
    hour: int | None = None  # which of its hours a look of Look.HOUR is about

    @property
    def index(self) -> int:
        return self.view.index

    @property
    def is_closed(self) -> bool:
        return self.view.is_closed

    def places(self) -> Sequence[str]:
        return [counts.sector for counts in self.view.sectors]

    def breaches(self, place: str, row: int) -> dict[str, Breach]:
        return self.view.sectors[row].state.of(self.view.cadence).breaches

    def is_known(self, row: int) -> bool:
        counts, cadence = self.view.sectors[row], self.view.cadence
        settled = counts.state.of(cadence).settled
        is_settled = settled is None or self.index <= settled
        return is_settled and not is_in_part(counts, cadence, self.index)

    def interval(
        self, alpha: Floats, expected: Floats, dispersion: Floats, rows: Sequence[int]
    ) -> tuple[Floats, Floats]:
        return normal(alpha, expected, dispersion, self.view.calibration.select(rows))

    def header(self, place: str, row: int) -> dict[str, Any]:
        view, counts = self.view, self.view.sectors[row]
        return {
            **period_header(counts, self.limits, cadence=view.cadence, index=self.index, as_of=view.as_of),
            "closed": self.is_closed,
            "occasion": self._occasion(row),
            "data": self._data(row),
        }

    def _is_silent(self, row: int) -> bool:
        """Whether the sector is without data, and was throughout the period."""
        counts, cadence = self.view.sectors[row], self.view.cadence
        since = counts.state.no_data_since
        if since is None or not self.is_closed:
            return False
        return self.index > period_of(counts, cadence, since)

    def _data(self, row: int) -> DataStatus:
        counts, view = self.view.sectors[row], self.view
        if self._is_silent(row):
            return DataStatus.WITHOUT_DATA
        cadence, index = view.cadence, self.index
        if cadence is Cadence.HOUR:
            cadence, index = Cadence.DAY, local(counts.zone, index) // DAY
        closures = self.limits.calendar.closures(counts.sector)
        is_closed = bool(closures) and closed_days(cadence, index, closures) == 1
        return DataStatus.CLOSED if is_closed else DataStatus.WITH_DATA

    def _occasion(self, row: int) -> str:
        """What tells looks at one period and moment apart: whole numbers, the same in a replay."""
        look, counts = self.view.look, self.view.sectors[row]
        if look is Look.CLOSED:
            return ""
        if look is Look.REVISED:
            return f"{look} {counts.state.of(self.view.cadence).revisions}"
        people = counts.series[self.view.cadence].get(self.index)
        return f"{look} {people}" if self.hour is None else f"{look} {self.hour} {people}"

    def evidence(self, finding: Finding, row: int, since: int | None) -> dict[str, Any]:
        view, window, breach = self.view, int(finding.window[row]), bool(finding.breach[row])
        counts = view.sectors[row]
        model = counts.state.of(view.cadence).model
        triangle = counts.triangles.get(view.cadence) if breach else None
        silent_since = counts.state.no_data_since if self._is_silent(row) else None
        return {
            "expected": round(float(finding.expected[row]), 3),
            "baseline": _baseline(model, view.cadence),
            "down_weighted": model.down_weighted if model else 0,
            "since": view.start_of(row, self.index if since is None else since) if breach else None,
            "no_data_since": None
            if silent_since is None
            else dt.datetime.fromtimestamp(silent_since, dt.UTC),
            "share_reported": _share_reported(view, row, window),
            "share_late": round(triangle.late(view.index, window), 3) if triangle else 0.0,
            "tally": view.cadence is not Cadence.HOUR and Cadence.HOUR not in counts.series,
            "level": 1.0 if view.level is None else float(view.level[row]),
            "recent": tuple(view.observed[row].tolist()),
            "recent_expected": tuple(np.round(view.mean[row], 1).tolist()),
        }


@dataclass(frozen=True, kw_only=True)
class BorderFrame:
    """The verdicts of one period of a border."""

    view: BorderView
    standing: dict[str, dict[str, Breach]]  # by place
    index: int
    period: dt.datetime
    as_of: dt.datetime
    is_closed: bool = True
    is_newest: bool = True

    def places(self) -> Sequence[str]:
        return self.view.ids

    def breaches(self, place: str, row: int) -> dict[str, Breach]:
        return self.standing.setdefault(place, {})

    def is_known(self, row: int) -> bool:
        return True

    def interval(
        self, alpha: Floats, expected: Floats, dispersion: Floats, rows: Sequence[int]
    ) -> tuple[Floats, Floats]:
        phi = np.maximum(dispersion, 1.0)
        shape = np.maximum(expected, 1e-9) / phi
        return phi * gammaincinv(shape, alpha / 2), phi * gammaincinv(shape, 1 - alpha / 2)

    def header(self, place: str, row: int) -> dict[str, Any]:
        return {
            "sector": place,
            "border": self.view.border,
            "cadence": self.view.cadence,
            "period": self.period,
            "as_of": self.as_of,
            "closed": True,
        }

    def evidence(self, finding: Finding, row: int, since: int | None) -> dict[str, Any]:
        return {"expected": float(finding.expected[row]), "baseline": "summaries of the border's sectors"}


def _share_reported(view: SectorView, row: int, window: int) -> float:
    if view.reported is None or not (whole := view.reported.whole[row, -window:]).any():
        return 1.0  # no sector of the view is late, or nobody is expected
    share = (view.reported.share[row, -window:] * whole).sum() / whole.sum()
    return float(np.clip(round(float(share), 3), SMALLEST, 1.0))


def _baseline(model: KeptModel | None, cadence: Cadence) -> str:
    if model is None:
        return "the same hours of two weeks"
    if model.peers:
        own = f" and {model.periods} {cadence}s" if model.periods else ""
        return f"prior of {model.peers} like sectors{own}"
    steps = f", steps at {len(model.steps)} dates" if model.steps else ""
    return f"regression over {model.periods} {cadence}s{steps}"
