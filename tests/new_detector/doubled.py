"""Doubled: at least twice as many people as in the period before. A toy that shows what a detector is."""

import numpy as np

from streams.baselines.negative_binomial import Floats
from streams.detectors import Finding, SectorView


def detect(view: SectorView, alpha: Floats) -> Finding:
    """Judge the last two periods; the doubled count remembered is how often that has happened."""
    before, now = view.observed[:, -2], view.observed[:, -1]
    breach = now >= 2 * np.maximum(before, 1)
    return Finding(
        breach=breach,
        p_value=np.where(breach, alpha, 1.0),
        alpha=alpha,
        observed=now,
        expected=before,
        dispersion=view.dispersion,
        window=np.ones(len(now), np.int64),
        state=view.state("doubled", 1) + breach[:, None],
    )
