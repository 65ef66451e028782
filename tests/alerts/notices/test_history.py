"""The notices of a sink that always answers."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from alerts.lifecycle.policies import policies
from alerts.notices.alert_pipeline import AlertPipeline
from alerts.notices.history import NoticeHistory
from streams.contract.sectors import registry
from streams.contract.verdicts import Verdict
from surgewatch.harness.any_record import NOW, Maker
from tests.examples import few


@few(20)
@given(seed=st.integers(0, 2**32))
def test_changes_give_the_same_notices_together_and_one_by_one(seed: int) -> None:
    maker = Maker(Random(seed), wild=0.0, odd=0.02)
    records = [maker.record(offset, [Verdict]) for offset in range(100)]
    changes = AlertPipeline(policies()).process(0, records).changes
    history = NoticeHistory(policies(), registry())
    one_by_one = [notice for change in changes for notice in history.follow([change], NOW)]
    assert one_by_one
    assert NoticeHistory(policies(), registry()).follow(changes, NOW) == one_by_one
