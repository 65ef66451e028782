"""Topics: what is wanted held against what is there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.topics import TABLES, TOPICS, Found, Plan, Topic, plan, topics, unfit


def as_wanted(topic: Topic) -> Found:
    return Found(topic.partitions, topic.configuration)


@given(st.sets(st.sampled_from(TOPICS)))
def test_what_is_missing_is_created_and_then_nothing_is_left_to_do(there: set[Topic]) -> None:
    found = {topic.name: as_wanted(topic) for topic in there}
    steps = plan(TOPICS, found)
    assert set(steps.create) == set(TOPICS) - there
    found |= {topic.name: as_wanted(topic) for topic in steps.create}
    assert plan(TOPICS, found) == Plan([], [], [], [])


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
    assert plan([topic], {topic.name: Found(64, topic.configuration)}) == Plan([], [], [], [])


@pytest.mark.parametrize("name", ["controls", "tables", "deliveries", "alerts.current"])
def test_partitions_that_were_added_to_a_table_are_named_and_need_nothing(name: str) -> None:
    """Its keys stay where they are, so that no old value stands beside a newer one."""
    found = {topic.name: as_wanted(topic) for topic in TOPICS}
    found[name] = found[name]._replace(partitions=6)
    steps = plan(TOPICS, found)
    assert steps.notes == [f"{name} has 6 partitions, {TABLES[name]} are used: the rest stays empty"]
    assert steps._replace(notes=[]) == Plan([], [], [], [])


def test_another_policy_is_refused_and_not_changed() -> None:
    controls = next(topic for topic in TOPICS if topic.name == "controls")
    steps = plan([controls], {"controls": Found(1, {"cleanup.policy": "delete"})})
    assert "cleanup.policy=delete, compact is wanted" in steps.conflicts[0]
    assert not steps.change


def test_a_prefix_stands_before_every_name_and_single_partitions_stay_single() -> None:
    named = topics("test-", partitions=12)
    assert [topic.name for topic in named] == [f"test-{topic.name}" for topic in TOPICS]
    wide = {"encounters", "counts", "summaries", "borders", "verdicts", "alerts"}
    assert {topic.name.removeprefix("test-") for topic in named if topic.partitions == 12} == wide
    assert all(new.partitions in (12, old.partitions) for new, old in zip(named, TOPICS, strict=True))


def test_partitions_that_somebody_added_are_named_with_the_way_on() -> None:
    found = {topic.name: as_wanted(topic) for topic in TOPICS} | {
        "encounters": Found(6, TOPICS[0].configuration)
    }
    (conflict,) = plan(TOPICS, found).conflicts
    assert conflict.startswith(
        "encounters has 6 partitions, its changelog counts has 4: workers do not start"
    )
    assert "`surgewatch topics --partitions 6`" in conflict


@pytest.mark.parametrize("name", ["counts", "encounters", "verdicts", "borders"])
def test_a_topic_that_was_deleted_is_made_with_the_partitions_of_its_source_or_changelog(name: str) -> None:
    wide = {topic.name: Found(12, topic.configuration) for topic in topics(partitions=12)}
    del wide[name]
    assert [(one.name, one.partitions) for one in plan(TOPICS, wide).create] == [(name, 12)]


def test_topics_with_times_of_producers_get_those_of_the_broker() -> None:
    topic = TOPICS[0]
    by_producers = {**topic.configuration, "message.timestamp.type": "CreateTime"}
    stamped = {"message.timestamp.type": "LogAppendTime"}
    assert plan([topic], {topic.name: Found(4, by_producers)}).change == [(topic, stamped)]


def test_a_limit_too_low_for_what_workers_send_is_raised_and_a_higher_one_is_kept() -> None:
    topic = TOPICS[0]
    low, high = ({**topic.configuration, "max.message.bytes": limit} for limit in ("300000", "8000000"))
    assert plan([topic], {topic.name: Found(4, low)}).change == [(topic, {"max.message.bytes": "1048588"})]
    assert plan([topic], {topic.name: Found(4, high)}).change == []


def test_a_worker_cannot_work_with_times_of_producers_another_policy_or_small_records() -> None:
    events, counts, notices = (topics()[at] for at in (0, 4, 9))
    wanted = {"a-encounters": events, "a-counts": counts, "a-notices": notices}
    found = {name: topic.configuration for name, topic in wanted.items()}
    assert unfit(wanted, found) is None
    assert unfit(wanted, {}) is None, "what the broker does not show is not judged"
    assert unfit(wanted, found | {"a-notices": {**notices.configuration, "retention.ms": "1"}}) is None
    found["a-encounters"] = {**events.configuration, "message.timestamp.type": "CreateTime"}
    found["a-counts"] = {**counts.configuration, "cleanup.policy": "delete", "max.message.bytes": "300"}
    assert unfit(wanted, found) == (
        "a-encounters has message.timestamp.type=CreateTime, LogAppendTime is needed; "
        "a-counts has cleanup.policy=delete, compact is needed; "
        "a-counts has max.message.bytes=300, 1048588 is needed"
    )
