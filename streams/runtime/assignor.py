"""Assign partitions to workers: evenly, and where their state is.

What a worker holds stays with it. Of a worker that leaves, only its own partitions move. To one that joins
moves its even share, first that of which it has a local copy. All else is decided by rendezvous hashing:
partition and name of each pair make a score, and the best scores win. So workers that all start again share
the partitions as before.

A broker that has just started may leave topics out of its metadata. Their partitions would go to nobody; and
where the leader is a static member, nobody would get them later either: joining again, with the subscription
that it had, it starts no rebalance (KIP-345, KIP-814). So partitions that were there when the worker started
are assumed to be there still. (Partitions added later end the worker: `Flow`.)
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment as Assignment
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata as Metadata
from xxhash import xxh3_64_intdigest

VERSION: Final = 0  # of the consumer protocol: without cooperative rebalances


class AtHand(msgspec.Struct):
    """Partitions of a topic whose state a worker has: in memory, and as a copy on its disk."""

    held: set[int] = msgspec.field(default_factory=set)
    copied: set[int] = msgspec.field(default_factory=set)


class Member(msgspec.Struct):
    """What the leader of the group learns about a worker: its name, and by topic what it has at hand."""

    name: str = ""
    at_hand: dict[str, AtHand] = msgspec.field(default_factory=dict)


class Assignor:
    """Assigns the partitions of all topics that the group reads, as aiokafka asks for it.

    `instance` is the name of this worker, if it has one; `known` gives the partitions by topic that were
    there when it started, `at_hand` the state that it has now, by topic.
    """

    name = "surgewatch"

    def __init__(
        self,
        instance: str,
        known: Callable[[], Mapping[str, set[int]]],
        at_hand: Callable[[], dict[str, AtHand]] = dict,
    ) -> None:
        self._instance, self._known, self._at_hand = instance, known, at_hand

    def metadata(self, topics: Iterable[str]) -> Metadata:
        """What the leader learns about this worker: its topics, its name, and what it has at hand."""
        member = Member(self._instance, self._at_hand())
        return Metadata(VERSION, sorted(topics), msgspec.json.encode(member))

    def assign(self, cluster: Any, members: Mapping[str, Metadata]) -> dict[str, Assignment]:
        """For each member its part of all partitions."""
        given: dict[str, dict[str, list[int]]] = {member: {} for member in members}
        known = {member: _member(one.user_data, member) for member, one in members.items()}
        for topic in sorted({topic for one in members.values() for topic in one.subscription}):
            partitions = cluster.partitions_for_topic(topic) or self._known().get(topic, ())
            readers = {member: known[member] for member, one in members.items() if topic in one.subscription}
            for partition, member in spread(topic, partitions, readers).items():
                given[member].setdefault(topic, []).append(partition)
        return {
            member: Assignment(VERSION, [(topic, sorted(of)) for topic, of in topics.items()], b"")
            for member, topics in given.items()
        }

    def on_assignment(self, assignment: Assignment) -> None:
        """Nothing: what a worker has at hand it knows by itself."""


def _member(user_data: bytes, member_id: str) -> Member:
    """Read what a worker has sent. One of an earlier version sends its name alone."""
    try:
        member = msgspec.json.decode(user_data, type=Member)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        member = Member(user_data.decode(errors="replace"))
    return Member(member.name or member_id, member.at_hand)


def spread(topic: str, partitions: Iterable[int], members: Mapping[str, Member]) -> dict[int, str]:
    """Return the member that gets each partition, evenly, with as few moves as that takes."""
    every = sorted(partitions)
    least, larger = divmod(len(every), len(members))  # so many members get one more than the least
    at_hand = {member: one.at_hand.get(topic, AtHand()) for member, one in members.items()}
    # What a member that lacks partitions has a copy of, others give up first.
    wanted = {at for one in at_hand.values() if len(one.held) < least for at in one.copied}

    def score(partition: int, member: str) -> int:
        return xxh3_64_intdigest(f"{topic}/{partition}/{members[member].name}".encode())

    pairs = [(partition, member) for partition in every for member in members]
    kept = [pair for pair in pairs if pair[0] in at_hand[pair[1]].held]
    kept.sort(key=lambda pair: (pair[0] in wanted, score(*pair)))
    pairs.sort(key=lambda pair: (pair[0] not in at_hand[pair[1]].copied, score(*pair)))
    owners: dict[int, str] = {}
    load: Counter[str] = Counter()
    for some, most in ((kept, least), (kept, least + 1), (pairs, least), (pairs, least + 1)):
        for partition, member in some:
            if partition not in owners and load[member] < most and (load[member] < least or larger):
                larger -= load[member] == least
                owners[partition] = member
                load[member] += 1
    return owners
