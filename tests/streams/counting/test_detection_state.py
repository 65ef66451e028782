"""Detection state outlives the worker, whole, and only in the version that wrote it."""

import msgspec
import pytest

from streams.contract.cadence import Cadence
from streams.counting.detection_state import (
    VERSION,
    Breach,
    DetectionState,
    KeptModel,
    StateVersionError,
)


def filled() -> DetectionState:
    state = DetectionState()
    state.hourly.max_gap_hours = 5
    state.hourly.rates, state.no_data_since, state.daily.partial = b"\0\1" * 168, 1_700_000_000, [18_990]
    state.hourly.surge_limits = b"\1\0\0\0" * 24
    state.daily.breaches = {"surge": Breach(last=19_000, since=18_998), "drop": Breach(last=18_990)}
    state.daily.detectors = {"slow_rise": (1.5, 3.0, 40.0, 30.0)}
    state.weekly.new_levels, state.monthly.gaps, state.daily.settled = [2_700], [600, 601], 18_999
    state.monthly.model = KeptModel(
        base=640,
        steps=(600, 620),
        periods=60,
        peers=0,
        coefficients=b"c",
        covariance=b"v",
        block_variance=0.0,
        level_variance=0.01,
        tail=1.2,
        freedom=52.5,
        dispersion=2.5,
        down_weighted=3,
    )
    return state


def test_it_comes_back_as_it_was_written() -> None:
    state = filled()
    back = DetectionState.decode(state.encode())
    assert all(back.of(cadence) == state.of(cadence) for cadence in Cadence)
    assert back.no_data_since == state.no_data_since
    assert not back.changed


def test_what_was_never_used_costs_next_to_nothing() -> None:
    assert len(DetectionState().encode()) < 50


@pytest.mark.parametrize(
    "value",
    [
        msgspec.msgpack.encode({"model day": {"base": 1}, "patience": 4}),  # of before there were versions
        msgspec.msgpack.encode({"version": VERSION + 1}),
        msgspec.msgpack.encode([1, 2]),
        b"no state",
    ],
)
def test_state_of_another_version_is_refused_with_the_version_that_was_expected(value: bytes) -> None:
    with pytest.raises(StateVersionError, match=f"version {VERSION}|expected {VERSION}"):
        DetectionState.decode(value)
