"""No record on any topic ends a worker, and the next good one is handled."""

from hypothesis import given
from hypothesis import strategies as st

from surgewatch.harness.any_cores import GOOD, MODELS, Cores
from tests.examples import few

TOPICS = sorted(MODELS)


@few(40)
@given(
    seed=st.integers(0, 2**32),
    wild=st.sampled_from([0.0, 0.02, 0.5]),
    odd=st.sampled_from([0.0, 0.1, 0.7]),
    batches=st.lists(st.tuples(st.sampled_from(TOPICS), st.integers(1, 30)), min_size=1, max_size=8),
)
def test_whatever_lies_on_the_topics_every_core_goes_on(
    seed: int, wild: float, odd: float, batches: list[tuple[str, int]]
) -> None:
    cores = Cores(seed, wild=wild, odd=odd)
    for topic, number in batches:
        cores.feed(topic, number)
    cores.restart()
    cores.feed("encounters", 1)
    assert cores.counted >= cores.people
    assert cores.people == GOOD["count"] * (1 + sum(topic == "encounters" for topic, _ in batches))


def test_records_that_a_model_admits_are_read_and_not_refused_for_the_way_they_are_made() -> None:
    cores = Cores(1, wild=0.0, odd=0.02)
    for topic in TOPICS:
        for _ in range(20):
            cores.feed(topic, 50)
    for topic, outcome in (
        ("verdicts", "read"),
        ("notices", "read"),
        ("controls", "applied"),
        ("encounters", "counted"),
        ("alerts.current", "read"),
        ("deliveries", "read"),
        ("notices.dead", "read"),
    ):
        assert cores.outcomes[topic, outcome] > 20, cores.outcomes
