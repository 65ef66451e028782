"""Topics: what is wanted held against what is there."""

from hypothesis import given
from hypothesis import strategies as st

from streams.contract.topics import TOPICS, Found, Plan, Topic, plan, topics


def as_wanted(topic: Topic) -> Found:
    return Found(topic.partitions, topic.configuration)


@given(st.sets(st.sampled_from(TOPICS)))
def test_what_is_missing_is_created_and_then_nothing_is_left_to_do(there: set[Topic]) -> None:
    found = {topic.name: as_wanted(topic) for topic in there}
    steps = plan(TOPICS, found)
    assert set(steps.create) == set(TOPICS) - there
    found |= {topic.name: as_wanted(topic) for topic in steps.create}
    assert plan(TOPICS, found) == Plan([], [], [])


def test_another_retention_is_set_right() -> None:
    topic = TOPICS[0]
    found = Found(topic.partitions, {**topic.configuration, "retention.ms": "1"})
    assert plan([topic], {topic.name: found}).change == [(topic, {"retention.ms": "2592000000"})]


def test_fewer_partitions_are_refused() -> None:
    topic = TOPICS[0]._replace(partitions=8)
    (conflict,) = plan([topic], {topic.name: Found(4, topic.configuration)}).conflicts
    assert conflict.startswith("encounters has 4 partitions, 8 are wanted")


def test_more_partitions_are_fine() -> None:
    topic = TOPICS[0]
    assert plan([topic], {topic.name: Found(64, topic.configuration)}) == Plan([], [], [])


def test_another_policy_is_refused_and_not_changed() -> None:
    controls = next(topic for topic in TOPICS if topic.name == "controls")
    steps = plan([controls], {"controls": Found(1, {"cleanup.policy": "delete"})})
    assert "cleanup.policy=delete, compact is wanted" in steps.conflicts[0]
    assert not steps.change


def test_a_prefix_stands_before_every_name_and_single_partitions_stay_single() -> None:
    named = topics("test-", partitions=12)
    assert [topic.name for topic in named] == [f"test-{topic.name}" for topic in TOPICS]
    assert all(
        new.partitions == (12 if old.partitions > 1 else 1) for new, old in zip(named, TOPICS, strict=True)
    )
