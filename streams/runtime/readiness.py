"""Whether a worker does all that it should, and if not, why: for `/readyz` and the metric `not_ready`. Pure.

A reason becomes true as soon as it is seen, so that Prometheus sees it within a scrape. How long it has to
last before it calls somebody is the business of the rules.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

MIN_IN_SYNC: Final = "min.insync.replicas"
REBALANCE_SECONDS: Final = 15.0  # that a rebalance may take before it is a reason
COMMIT_SECONDS: Final = 20.0  # that a commit may take, also of a slow machine with many sectors

LOOK_SECONDS: Final = 30.0  # that a look from outside may take, also on a slow machine

Position = tuple[str, int]  # topic, partition


class NotReady(StrEnum):
    """Why a worker does not do all that it should: the bounded label of a metric."""

    JOINING = "joining"  # no member of its group yet, or a rebalance is under way
    STATE_REFUSED = "state_refused"
    BROKER_UNREACHABLE = "broker_unreachable"
    NO_PROGRESS = "no_progress"  # records wait and none is processed
    TRANSACTION_OPEN = "transaction_open"  # a producer's transaction holds records back
    UNOWNED_PARTITION = "unowned_partition"
    TOPIC_MISSING = "topic_missing"  # a topic that the worker needs was deleted
    TOPIC_SETTINGS = "topic_settings"  # a topic has settings that the worker cannot work with
    REPLICAS_MISSING = "replicas_missing"  # too few replicas in sync: nobody can write to a topic
    UNWRITTEN = "unwritten"  # the broker does not take outputs, state or offsets of what was processed
    UNDELIVERED = "undelivered"  # notices wait and none is delivered, or answers to them are not taken
    TASK_FAILING = "task_failing"  # a task beside the flows fails again and again
    SCHEMA_UNAVAILABLE = "schema_unavailable"  # records wait for a Schema Registry that gives no answer
    UNKNOWN_HOST = "unknown_host"  # the name of a sink, or of its proxy, cannot be looked up


# What receivers outside do. Another worker would do no better, and its console is what people need then.
OUTSIDE: Final = frozenset({NotReady.UNDELIVERED, NotReady.UNKNOWN_HOST})


@dataclass
class Readiness:
    """Everything that is wrong now, by reason, in words."""

    problems: dict[NotReady, str] = field(
        default_factory=lambda: {NotReady.JOINING: "not yet a member of its group"}
    )

    def set(self, reason: NotReady, problem: str | None) -> None:
        """This is wrong now, or (None) no longer is."""
        if problem is None:
            self.problems.pop(reason, None)
        else:
            self.problems[reason] = problem

    def text(self, without: Collection[NotReady] = ()) -> str | None:
        """All that is wrong, a line each, `without` these reasons; None where nothing is."""
        found = sorted((reason, text) for reason, text in self.problems.items() if reason not in without)
        lines = [f"{reason}: {problem}" for reason, problem in found]
        return "\n".join(lines) or None

    def by_reason(self) -> dict[str, int]:
        """1 for each reason that holds now, 0 for the others."""
        return {reason.value: int(reason in self.problems) for reason in NotReady}


def joining(*, is_member: bool, rebalancing: float) -> str | None:
    """Say why a worker takes part in nothing, where a rebalance has been under way for so many seconds."""
    if not is_member:
        return "not yet a member of its group"
    if rebalancing <= REBALANCE_SECONDS:
        return None
    return (
        f"without partitions for {rebalancing:.0f} s: a rebalance waits for a worker that hangs, or state is "
        "read back"
    )


def held_back(
    processed: Mapping[Position, int], stable: Mapping[Position, int], high: Mapping[Position, int]
) -> str | None:
    """What waits behind an open transaction: everything that is readable is processed, but there is more."""
    behind = [
        f"{topic}[{partition}] from {end} on"
        for (topic, partition), end in sorted(stable.items())
        if end < high.get((topic, partition), end) and processed.get((topic, partition), 0) >= end
    ]
    return f"records wait for the end of a transaction: {', '.join(behind)}" if behind else None


def replicas_missing(
    in_sync: Mapping[str, Mapping[int, int]], settings: Mapping[str, Mapping[str, str]]
) -> str | None:
    """Name the topics with partitions that have fewer replicas in sync than `min.insync.replicas`.

    `in_sync` has the replicas in sync by topic and partition.
    """
    named = []
    for topic, replicas in sorted(in_sync.items()):
        least = int(settings.get(topic, {}).get(MIN_IN_SYNC) or 1)
        if short := sorted(partition for partition, number in replicas.items() if number < least):
            named.append(f"{topic}{short} ({MIN_IN_SYNC}={least})")
    return f"too few replicas in sync to write to {', '.join(named)}" if named else None


def unwritten(seconds: float) -> str | None:
    """What waits to be written, where a commit has been under way for so long."""
    if seconds <= COMMIT_SECONDS:
        return None
    return (
        f"outputs, state or offsets have waited for {seconds:.0f} s: "
        "are enough replicas of their topics, and of __consumer_offsets, in sync?"
    )


def unseen(seconds: float) -> str | None:
    """Return that nobody looks for what is wrong any more: each look waits for the broker, and may hang."""
    if seconds <= LOOK_SECONDS:
        return None
    return f"the broker was last asked {seconds:.0f} s ago, so nobody knows whether records wait"


def unanswered(seconds: float) -> str | None:
    """Return that the broker has not answered a question for topics and owners of partitions for so long."""
    return f"no answer about topics and owners for {seconds:.0f} s" if seconds > LOOK_SECONDS else None


def ahead_of_topic(processed: Mapping[Position, int], high: Mapping[Position, int]) -> str | None:
    """Where more was processed than the topic holds: it was made anew, or the broker lost its tail."""
    ahead = [
        f"{topic}[{partition}] is processed up to {processed[topic, partition]}, but ends at {end}"
        for (topic, partition), end in sorted(high.items())
        if processed.get((topic, partition), 0) > end
    ]
    return "; ".join(ahead) or None


def unowned(partitions: Mapping[str, set[int]], owned: Iterable[Position]) -> str | None:
    """Partitions of these topics that no member of the group has."""
    missing = {(topic, at) for topic, every in partitions.items() for at in every} - set(owned)
    names = ", ".join(f"{topic}[{at}]" for topic, at in sorted(missing))
    return f"no worker has {names}" if names else None
