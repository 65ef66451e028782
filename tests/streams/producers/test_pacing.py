"""Replaying in event time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.producers.outgoing import Outgoing
from streams.producers.pacing import paced, speed


def test_speeds_are_read_as_people_write_them() -> None:
    assert [speed("1000x"), speed("2.5"), speed("max")] == [1000, 2.5, float("inf")]
    for wrong in ("0x", "-1", "fast", "", "nan", "1e3"):
        with pytest.raises(ValueError, match="is no speed"):
            speed(wrong)


@given(st.lists(st.integers(0, 10_000), min_size=1), st.sampled_from([1.0, 60.0, float("inf")]))
def test_a_replay_keeps_the_order_and_no_record_comes_before_its_time(
    times: list[int], factor: float
) -> None:
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        assert seconds > 0
        now += seconds

    passed = []
    for record in paced([Outgoing(b"k", b"v", at) for at in times], factor, lambda: now, sleep):
        assert now >= (record.at - times[0]) / factor - 1e-6
        passed.append(record.at)
    assert passed == times
    assert now <= max(0, max(times) - times[0]) / factor + 1e-6
