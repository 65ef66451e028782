"""The topics, as data: what each is for, how it is keyed, split and kept."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

DAY_MS = 86_400_000


class Topic(NamedTuple):
    """A topic as it should be. `retention_days` None: kept by compaction, the newest value of each key."""

    name: str
    key: str
    partitions: int
    retention_days: int | None

    @property
    def configuration(self) -> dict[str, str]:
        """What the broker is told."""
        if self.retention_days is None:
            return {"cleanup.policy": "compact"}
        return {"cleanup.policy": "delete", "retention.ms": str(self.retention_days * DAY_MS)}


TOPICS = (
    Topic("encounters", "sector", 4, 30),
    Topic("encounters.dead", "sector", 1, 90),
    Topic("verdicts", "sector", 4, 30),
    Topic("summaries", "border", 4, 30),
    Topic("counts", "sector", 4, None),  # the changelog of streams: as many partitions as encounters
    Topic("borders", "border", 4, None),  # the other changelog of streams: as many partitions as summaries
    Topic("alerts", "question", 4, None),  # the changelog of alerts: as many partitions as verdicts
    Topic("alerts.current", "question", 4, None),  # the newest alert of each question, as JSON
    Topic("deliveries", "sink/alert", 4, None),  # what each sink knows of each alert; partitioned by sink
    Topic("notices", "alert", 4, 400),  # what was sent to whom
    Topic("notices.dead", "sink/notice", 1, 90),
    Topic("controls", "kind/name", 1, None),
)


class Found(NamedTuple):
    """A topic as the broker has it."""

    partitions: int
    configuration: Mapping[str, str]


class Plan(NamedTuple):
    """What to do so that the broker has what is wanted; with conflicts, nothing should be done."""

    create: list[Topic]
    change: list[tuple[Topic, dict[str, str]]]
    conflicts: list[str]


def topics(prefix: str = "", partitions: int | None = None) -> tuple[Topic, ...]:
    """The topics under a prefix; `partitions` goes for those that have more than one."""
    return tuple(
        topic._replace(
            name=prefix + topic.name,
            partitions=partitions if partitions and topic.partitions > 1 else topic.partitions,
        )
        for topic in TOPICS
    )


def plan(wanted: Iterable[Topic], found: Mapping[str, Found]) -> Plan:
    """Hold what is wanted against what was found. Running what it says and asking again gives nothing to do.

    Retention can be changed on a living topic. Partitions cannot (keys would move away from their state), nor
    can the policy (compaction would drop all but the last event of each sector).
    """
    steps = Plan([], [], [])
    for topic in wanted:
        there = found.get(topic.name)
        if there is None:
            steps.create.append(topic)
            continue
        conflicts = _conflicts(topic, there)
        steps.conflicts.extend(conflicts)
        stale = {k: v for k, v in topic.configuration.items() if there.configuration.get(k) != v}
        if stale and not conflicts:
            steps.change.append((topic, stale))
    return steps


def _conflicts(topic: Topic, there: Found) -> list[str]:
    conflicts = []
    if there.partitions < topic.partitions:
        conflicts.append(
            f"{topic.name} has {there.partitions} partitions, {topic.partitions} are wanted: adding some "
            "would part sectors from their state; make the topic anew, or ask for fewer"
        )
    policy, wanted = (
        there.configuration.get("cleanup.policy", "delete"),
        topic.configuration["cleanup.policy"],
    )
    if policy != wanted:
        conflicts.append(
            f"{topic.name} has cleanup.policy={policy}, {wanted} is wanted: changing it would drop or keep "
            "records that nobody expects; make the topic anew"
        )
    return conflicts
