"""What is not being done has a reason, in words and as a label."""

from streams.runtime.readiness import (
    OUTSIDE,
    NotReady,
    Readiness,
    ahead_of_topic,
    held_back,
    joining,
    replicas_missing,
    unanswered,
    unowned,
    unseen,
    unwritten,
)

AT = ("encounters", 0)


def test_a_worker_that_has_just_started_is_joining() -> None:
    assert Readiness().text() == "joining: not yet a member of its group"


def test_a_reason_holds_until_it_is_gone() -> None:
    readiness = Readiness()
    readiness.set(NotReady.JOINING, None)
    readiness.set(NotReady.NO_PROGRESS, "encounters[0] stands")
    assert readiness.text() == "no_progress: encounters[0] stands"
    readiness.set(NotReady.NO_PROGRESS, None)
    assert readiness.text() is None


def test_what_receivers_outside_do_takes_no_worker_out_of_service() -> None:
    readiness = Readiness({NotReady.UNDELIVERED: "slack has been owed a message for 40 s"})
    assert readiness.text() == "undelivered: slack has been owed a message for 40 s"
    assert readiness.text(OUTSIDE) is None
    readiness.set(NotReady.NO_PROGRESS, "encounters[0] stands")
    assert readiness.text(OUTSIDE) == "no_progress: encounters[0] stands"


def test_every_reason_is_shown_whether_it_holds_or_not() -> None:
    shown = Readiness().by_reason()
    assert shown.keys() == {reason.value for reason in NotReady}
    assert sum(shown.values()) == shown["joining"] == 1


def test_an_open_transaction_holds_records_back_only_where_all_before_it_is_processed() -> None:
    waits = "records wait for the end of a transaction: encounters[0] from 5 on"
    assert held_back({AT: 5}, {AT: 5}, {AT: 9}) == waits
    assert held_back({AT: 3}, {AT: 5}, {AT: 9}) is None
    assert held_back({AT: 9}, {AT: 9}, {AT: 9}) is None


def test_state_is_ahead_only_where_more_was_processed_than_there_is() -> None:
    assert ahead_of_topic({AT: 1000}, {AT: 1000}) is None
    assert ahead_of_topic({AT: 1000}, {AT: 900}) == "encounters[0] is processed up to 1000, but ends at 900"


def test_partitions_that_nobody_has_are_named() -> None:
    partitions = {"encounters": {0, 1, 2}}
    assert unowned(partitions, [("encounters", 0), ("encounters", 2)]) == "no worker has encounters[1]"
    assert unowned(partitions, [("encounters", at) for at in range(3)]) is None


def test_a_rebalance_that_lasts_is_a_reason_and_a_quick_one_is_none() -> None:
    assert joining(is_member=False, rebalancing=0) == "not yet a member of its group"
    assert joining(is_member=True, rebalancing=0) is None
    assert joining(is_member=True, rebalancing=15) is None
    assert "without partitions for 16 s" in (joining(is_member=True, rebalancing=16) or "")


def test_a_commit_that_the_broker_does_not_take_is_named_after_twenty_seconds() -> None:
    assert unwritten(0.0) is None
    assert unwritten(20.0) is None
    assert unwritten(21.0) == (
        "outputs, state or offsets have waited for 21 s: are enough replicas of their topics, and of "
        "__consumer_offsets, in sync?"
    )


def test_topics_that_nobody_can_write_to_are_named_with_their_partitions() -> None:
    settings = {"verdicts": {"min.insync.replicas": "2"}, "encounters": {}}
    in_sync = {"verdicts": {0: 1, 1: 2, 2: 1}, "encounters": {0: 1}, "counts": {0: 0}}
    assert replicas_missing(in_sync, settings) == (
        "too few replicas in sync to write to counts[0] (min.insync.replicas=1), "
        "verdicts[0, 2] (min.insync.replicas=2)"
    )
    assert replicas_missing({"verdicts": {0: 2}, "encounters": {0: 1}}, settings) is None


def test_a_look_that_does_not_come_back_is_named_after_half_a_minute() -> None:
    assert unseen(30.0) is unanswered(30.0) is None
    assert unseen(31.0) == "the broker was last asked 31 s ago, so nobody knows whether records wait"
    assert unanswered(31.0) == "no answer about topics and owners for 31 s"
