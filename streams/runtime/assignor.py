"""Assign partitions to workers: Faust's assignor, made to forget no topic.

A broker that has just started may leave topics out of its metadata. Faust's leader then gives their
partitions to nobody; and where the leader is a static member, nobody gets them later either: joining again,
with the subscription that it had, it starts no rebalance (KIP-345, KIP-814). So partitions that were there
when the worker started are assumed to be there still. (Partitions added later end the worker: `Flow`.)
"""

from collections.abc import Mapping
from typing import Any, cast

from faust.assignor import PartitionAssignor


class KnownCluster:
    """Metadata of a cluster, with the partitions of topics that it leaves out."""

    def __init__(self, cluster: Any, partitions: Mapping[str, set[int]]) -> None:
        self._cluster, self._partitions = cluster, partitions

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        """The partitions of a topic; None where there is no such topic."""
        found: set[int] | None = self._cluster.partitions_for_topic(topic)
        return found or self._partitions.get(topic)


class Assignor(PartitionAssignor):
    """Assigns the partitions of all topics that the app knows (`App.partitions`)."""

    def assign(self, cluster: Any, member_metadata: Any) -> Any:
        """For each member its part of all partitions."""
        return super().assign(KnownCluster(cluster, cast("Any", self.app).partitions), member_metadata)
