"""The topics, as data: what each is for, how it is keyed, split and kept."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

DAY_MS = 86_400_000
LARGEST_RECORD = "max.message.bytes"
LEAST_BYTES, DEFAULT_BYTES = 1_000_000, 1_048_588  # of a batch: what workers send, and Kafka's default
FIXED = ("cleanup.policy", "message.timestamp.type")  # settings that no topic may have otherwise


class Topic(NamedTuple):
    """A topic as it should be.

    `retention_days` None: kept by compaction, the newest value of each key. `source`: of a changelog, the
    topic whose state it holds; both must have as many partitions.
    """

    name: str
    key: str
    partitions: int
    retention_days: int | None
    source: str = ""

    @property
    def configuration(self) -> dict[str, str]:
        """What the broker is asked for.

        The broker stamps every record by its own clock (LogAppendTime): a producer whose clock is wrong, or
        lies, moves no time.
        """
        stamped = {"message.timestamp.type": "LogAppendTime"}
        if self.retention_days is None:
            return {"cleanup.policy": "compact", **stamped}
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(self.retention_days * DAY_MS),
            **stamped,
        }

    @property
    def is_table(self) -> bool:
        """Return whether a topic is state by itself, as the newest value of each key.

        Nothing could move its keys, so they stay in the partitions of TOPICS, however many are added: else an
        old value would stand beside a newer one.
        """
        return self.retention_days is None and not self.source

    def stale(self, found: Mapping[str, str]) -> dict[str, str]:
        """What has to be set so that a topic with these settings is as it should be."""
        wanted = {name: value for name, value in self.configuration.items() if found.get(name) != value}
        if int(found.get(LARGEST_RECORD, DEFAULT_BYTES)) < LEAST_BYTES:
            wanted[LARGEST_RECORD] = str(DEFAULT_BYTES)
        return wanted


TOPICS = (
    Topic("encounters", "sector", 4, 30),
    Topic("encounters.dead", "partition", 1, 90),
    Topic("verdicts", "sector", 4, 30),
    Topic("summaries", "border", 4, 30),
    Topic("counts", "sector", 4, None, source="encounters"),
    Topic("borders", "border", 4, None, source="summaries"),
    Topic("alerts", "question", 4, None, source="verdicts"),
    Topic("alerts.current", "question", 4, None),  # the newest alert of each question, as JSON
    Topic("deliveries", "sink/alert", 4, None),  # what each sink knows of each alert; partitioned by sink
    Topic("notices", "alert", 4, 400),  # what was sent to whom
    Topic("notices.dead", "sink/notice or sink", 1, 90),
    Topic("controls", "kind/name", 1, None),
    Topic("tables", "figure", 1, None),  # the newest event of each figure of an official table, for `ingest`
)

TABLES: Mapping[str, int] = {topic.name: topic.partitions for topic in TOPICS if topic.is_table}


class Found(NamedTuple):
    """A topic as the broker has it."""

    partitions: int
    configuration: Mapping[str, str]


class Plan(NamedTuple):
    """What to do so that the broker has what is wanted; with conflicts, nothing should be done."""

    create: list[Topic]
    change: list[tuple[Topic, dict[str, str]]]
    conflicts: list[str]
    notes: Sequence[str] = ()  # what is not as wanted, and does no harm


def topics(prefix: str = "", partitions: int | None = None) -> tuple[Topic, ...]:
    """The topics under a prefix; `partitions` is for sources with state, and for their changelogs."""
    sources = {topic.source for topic in TOPICS}
    return tuple(
        topic._replace(
            name=prefix + topic.name,
            partitions=partitions
            if partitions and {topic.name, topic.source} & sources - {""}
            else topic.partitions,
            source=topic.source and prefix + topic.source,
        )
        for topic in TOPICS
    )


def plan(wanted: Iterable[Topic], found: Mapping[str, Found]) -> Plan:
    """Compare what is wanted with what was found. After its steps, planning again gives nothing to do.

    Retention and the kind of timestamps can be changed on a living topic. Partitions cannot (keys would move
    away from their state), nor can the policy (compaction would drop all but the last event of each sector).
    """
    wanted = tuple(wanted)
    steps = Plan([], [], [], [*filter(None, (_unused(topic, found) for topic in wanted))])
    for topic in wanted:
        there = found.get(topic.name)
        if there is None:
            steps.create.append(_as_its_pair(topic, wanted, found))
            continue
        conflicts = _conflicts(topic, there, found.get(topic.source))
        steps.conflicts.extend(conflicts)
        if (stale := topic.stale(there.configuration)) and not conflicts:
            steps.change.append((topic, stale))
    return steps


def unfit(topics: Mapping[str, Topic], found: Mapping[str, Mapping[str, str]]) -> str | None:
    """Say which settings a worker cannot work with; None where there are none.

    `topics` and the settings that were found of them are by the name in the broker; what was not found is not
    judged. With a wrong policy state or events vanish, with times of producers a wrong clock moves event
    time, and with too small records nothing can be written. Retention is the operator's business.
    """
    wrong = [
        f"{name} has {setting}={found[name].get(setting)}, {value} is needed"
        for name, topic in topics.items()
        if name in found
        for setting, value in topic.stale(found[name]).items()
        if setting in (*FIXED, LARGEST_RECORD)
    ]
    return "; ".join(wrong) or None


def _unused(topic: Topic, found: Mapping[str, Found]) -> str | None:
    """Name partitions that were added to a topic whose keys stay in those that it was made with."""
    there = found.get(topic.name)
    if there is None or not topic.is_table or there.partitions <= topic.partitions:
        return None
    return (
        f"{topic.name} has {there.partitions} partitions, {topic.partitions} are used: the rest stays empty"
    )


def _as_its_pair(topic: Topic, wanted: Iterable[Topic], found: Mapping[str, Found]) -> Topic:
    """A topic that is missing is made with as many partitions as its source, or its changelog, has."""
    pair = {topic.source, *(one.name for one in wanted if one.source == topic.name)} & found.keys()
    return topic._replace(partitions=max((found[name].partitions for name in pair), default=topic.partitions))


def _conflicts(topic: Topic, there: Found, source: Found | None) -> list[str]:
    conflicts = []
    if source is not None and there.partitions != source.partitions:
        most = max(source.partitions, there.partitions)
        conflicts.append(
            f"{topic.source} has {source.partitions} partitions, its changelog {topic.name} has "
            f"{there.partitions}: workers do not start. Stop all workers and producers, then run "
            f"`surgewatch topics --partitions {most}`, which moves the state"
        )
    elif there.partitions < topic.partitions:
        conflicts.append(
            f"{topic.name} has {there.partitions} partitions, {topic.partitions} are wanted: sectors would "
            f"lose their state. Stop all workers and producers, then run "
            f"`surgewatch topics --partitions {topic.partitions}`, which moves it"
        )
    policy = there.configuration.get("cleanup.policy", "delete")
    wanted = topic.configuration["cleanup.policy"]
    if policy != wanted:
        conflicts.append(
            f"{topic.name} has cleanup.policy={policy}, {wanted} is wanted: changing it would drop or keep "
            "records that nobody expects; make the topic anew"
        )
    return conflicts
