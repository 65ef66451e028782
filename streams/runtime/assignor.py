"""Assign partitions to workers: evenly, and the same ones to a worker that comes back under its name.

Rendezvous hashing: partition and name of each pair make a score, and the best scores win. So a worker that
restarts gets the partitions of which it has a local copy, and few others move while it is away.

A broker that has just started may leave topics out of its metadata. Their partitions would go to nobody; and
where the leader is a static member, nobody would get them later either: joining again, with the subscription
that it had, it starts no rebalance (KIP-345, KIP-814). So partitions that were there when the worker started
are assumed to be there still. (Partitions added later end the worker: `Flow`.)
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment as Assignment
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata as Metadata
from xxhash import xxh3_64_intdigest

VERSION: Final = 0  # of the consumer protocol: without cooperative rebalances


class Assignor:
    """Assigns the partitions of all topics that the group reads, as aiokafka asks for it.

    `instance` is the name of this worker, if it has one; `known` gives the partitions by topic that were
    there when it started.
    """

    name = "surgewatch"

    def __init__(self, instance: str, known: Callable[[], Mapping[str, set[int]]]) -> None:
        self._instance, self._known = instance, known

    def metadata(self, topics: Iterable[str]) -> Metadata:
        """What the leader learns about this worker: its topics and its name."""
        return Metadata(VERSION, sorted(topics), self._instance.encode())

    def assign(self, cluster: Any, members: Mapping[str, Metadata]) -> dict[str, Assignment]:
        """For each member its part of all partitions."""
        given: dict[str, dict[str, list[int]]] = {member: {} for member in members}
        for topic in sorted({topic for one in members.values() for topic in one.subscription}):
            names = {
                member: one.user_data.decode() or member
                for member, one in members.items()
                if topic in one.subscription
            }
            partitions = cluster.partitions_for_topic(topic) or self._known().get(topic, ())
            for partition, member in spread(topic, partitions, names).items():
                given[member].setdefault(topic, []).append(partition)
        return {
            member: Assignment(VERSION, [(topic, sorted(of)) for topic, of in topics.items()], b"")
            for member, topics in given.items()
        }

    def on_assignment(self, assignment: Assignment) -> None:
        """Nothing: what to assign depends on names alone."""


def spread(topic: str, partitions: Iterable[int], names: Mapping[str, str]) -> dict[int, str]:
    """Return the member that gets each partition, evenly. `names` by member."""
    every = sorted(partitions)
    scored = sorted(
        (xxh3_64_intdigest(f"{topic}/{partition}/{name}".encode()), partition, member)
        for partition in every
        for member, name in names.items()
    )
    owners: dict[int, str] = {}
    load: Counter[str] = Counter()
    least = len(every) // len(names)
    for most in (least, least + 1):
        for _, partition, member in scored:
            if partition not in owners and load[member] < most:
                owners[partition] = member
                load[member] += 1
    return owners
