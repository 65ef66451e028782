"""Fits and answers are the same to the last bit whichever kernel the linear algebra library picks.

Ids do not depend on them at all.
"""

import hashlib
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from streams.contract.sectors import Registry
from streams.detectors import displacement, scan
from streams.judging.judge import Judge
from tests.laws.test_models import CADENCES, SERIES, TODAY, fitted, made

KERNELS = ("Prescott", "Nehalem", "Sandybridge", "Haswell", "Zen", "SkylakeX")  # of OpenBLAS


def digest() -> str:
    """Of all that is summed: models, what they expect, and what is asked of a border's sectors."""
    parts = []
    for cadence in CADENCES:
        batch = made(cadence)
        parts.append(repr(sorted(fitted(cadence, batch, SERIES).items())).encode())
        expected = Judge(Registry(sector=())).models[cadence].expect(batch, TODAY, 28)
        parts += [figures.tobytes() for figures in expected]
    random = np.random.default_rng(5)
    mean = random.gamma(2.0, 20.0, (12, 7))
    near = np.abs(np.subtract.outer(np.arange(12), np.arange(12))) == 1
    seen, spread = random.poisson(mean).astype(float), 1 + random.random((12, 7))
    parts.append(displacement.judge(seen, mean, spread, near).p_value.tobytes())
    parts.append(repr(scan.judge(seen, mean, spread, scan.zones(near))).encode())
    return hashlib.sha256(b"".join(parts)).hexdigest()


@pytest.fixture(scope="module")
def here() -> str:
    return digest()


@pytest.mark.parametrize("kernel", KERNELS)
def test_they_are_the_same_with_every_kernel_of_the_linear_algebra(kernel: str, here: str) -> None:
    """Kernels sum in orders of their own, and a smaller cache makes other blocks."""
    env = {**os.environ, "OPENBLAS_CORETYPE": kernel, "OPENBLAS_L2_SIZE": "512"}
    code = "from tests.laws.test_kernels import digest; print(digest())"
    ran = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    if ran.returncode == -signal.SIGILL:
        pytest.skip(f"this processor cannot run the kernel of {kernel}")
    assert ran.stdout.strip() == here, ran.stderr
