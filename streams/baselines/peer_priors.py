"""Peer priors: what is normal in like sectors, used while a sector has less than a year of its own.

Parametric empirical Bayes (Efron & Morris 1973, JASA 68:117; Morris 1983, JASA 78:47). Each term of the
regression has a mean over the sectors of a border and a variance between them, by moments (DerSimonian &
Laird 1986, Control Clin Trials 7:177); a young sector is taken to be one of them, until its own counts show
otherwise.

    models of n sectors ──▶ centre ± spread of each term ──▶ prior of one of which little is known
                            dispersion at a level        ──▶ for some periods

On its first day a sector has nothing else. Its level is then as uncertain as sectors are different, and what
it may bring is a negative binomial whose mean is itself uncertain (Poisson-Gamma).
"""

from collections import Counter
from functools import cached_property
from typing import Annotated, Final, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from streams.baselines import design_matrix
from streams.baselines.negative_binomial import Floats
from streams.contract.cadence import Cadence

EVERYWHERE: Final = "*"
_LEVELS: Final = 1.5  # log standard deviation between levels that is assumed from one sector alone
_SLOPE, _SLOPE_WEIGHT = 0.5, 2.0  # of log(φ - 1) on the log level: between none and in proportion
_SMALLEST_EXCESS: Final = 0.02  # smallest φ - 1 that can be distinguished from 0
_PERIODS: Final = (4.0, 100.0)  # that a dispersion can stand for, however much or little sectors differ


class PeerPrior(BaseModel):
    """What is normal in the sectors of one border, for one cadence. All terms are logarithms."""

    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))

    border: str = EVERYWHERE
    cadence: Cadence
    sectors: Annotated[int, Field(ge=1)]  # that it was learnt from
    centre: tuple[float, ...]  # of each term of the design; the first is the level now
    spread: tuple[Annotated[float, Field(gt=0)], ...]  # a standard deviation between sectors
    dispersion: Annotated[float, Field(ge=1)]  # at that level
    slope: Annotated[float, Field(ge=0, le=1)]  # of log(φ - 1) on the log level
    periods: Annotated[float, Field(gt=0)]  # of a sector's own, that the dispersion counts for

    @model_validator(mode="after")
    def _has_all_limits(self) -> Self:
        terms = design_matrix.size(self.cadence)
        if not len(self.centre) == len(self.spread) == terms:
            raise ValueError(f"a {self.cadence} has {terms} terms: centre and spread need as many")
        return self

    @classmethod
    def learn(
        cls,
        cadence: Cadence,
        *,
        coefficients: Floats,
        errors: Floats,
        dispersion: Floats,
        usual: Floats,
        border: str = EVERYWHERE,
    ) -> Self:
        """Learn from n models: `coefficients` and the variances of their `errors` [n, k], `dispersion` [n].

        `usual` [k] are variances between sectors that count like one more sector.
        """
        n = len(coefficients)
        between = np.maximum(coefficients.var(0, ddof=1) - errors.mean(0), 0) if n > 1 else np.zeros(1)
        between = ((n - 1) * between + np.where(np.arange(usual.size) == 0, _LEVELS**2, usual / 9)) / n
        weight = 1 / (between + errors)
        centre = (weight * coefficients).sum(0) / weight.sum(0)
        slope, excess, variance = _by_level(dispersion, coefficients[:, 0] - centre[0])
        return cls(
            border=border,
            cadence=cadence,
            sectors=n,
            centre=tuple(centre.tolist()),
            spread=tuple(np.sqrt(between + 1 / weight.sum(0)).tolist()),
            dispersion=1 + excess,
            slope=slope,
            periods=float(np.clip(2 / variance, *_PERIODS)),  # log of a χ² of ν: variance about 2/ν
        )

    @property
    def people(self) -> float:
        """People in a period of the median sector."""
        return float(np.exp(self.centre[0]))

    def level(self, people: float, periods: float) -> float:
        """Return the log level of a sector that had `people` on average in `periods` of history."""
        weight = 1 / self.spread[0] ** 2
        return float(np.log((weight + people * periods) / (weight / self.people + periods)))

    def dispersion_at(self, level: float) -> float:
        """Return the dispersion at a log level."""
        return 1 + (self.dispersion - 1) * float(np.exp(self.slope * (level - self.centre[0])))


class PeerPriors(BaseModel):
    """The document of peer priors."""

    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))

    prior: tuple[PeerPrior, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        seen = Counter((one.border, one.cadence) for one in self.prior)
        twice = [f"{cadence}s of {border}" for (border, cadence), times in seen.items() if times > 1]
        if twice:
            raise ValueError(f"twice: {', '.join(twice)}")
        return self

    @cached_property
    def _by_key(self) -> dict[tuple[str, Cadence], PeerPrior]:
        return {(one.border, one.cadence): one for one in self.prior}

    def of(self, border: str, cadence: Cadence) -> PeerPrior | None:
        """Return what is normal in the sectors of a border, or else in all."""
        return self._by_key.get((border, cadence)) or self._by_key.get((EVERYWHERE, cadence))


def _by_level(dispersion: Floats, level: Floats) -> tuple[float, float, float]:
    """Return how φ - 1 grows with the log level, its size at level 0, and the variance of log φ about that.

    It grows somewhere between not at all (0) and in proportion (1).
    """
    excess = np.log(np.maximum(dispersion - 1, _SMALLEST_EXCESS))
    off, about = level - level.mean(), excess - excess.mean()
    slope = ((off * about).sum() + _SLOPE * _SLOPE_WEIGHT) / ((off**2).sum() + _SLOPE_WEIGHT)
    slope = float(np.clip(slope, 0, 1))
    middle = excess.mean() - slope * level.mean()
    unlike = np.log(dispersion) - np.log1p(np.exp(middle + slope * level))
    return slope, float(np.exp(middle)), float(((unlike**2).sum() + 1) / len(level))
