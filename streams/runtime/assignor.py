"""Who takes which partition: Faust's assignor, made to forget no topic.

A broker that has just started may leave topics out of its metadata. Faust's leader then gives their
partitions to nobody; and where the leader is a static member, nobody gets them later either: joining again,
with the subscription that it had, it starts no rebalance (KIP-345, KIP-814). So partitions that were there
when the worker started are taken to be there still; `surgewatch topics` refuses to change their number.
"""

from collections.abc import Mapping
from typing import Any, cast

from faust.assignor import PartitionAssignor


class KnownCluster:
    """What a cluster says of topics, and what is known of those of which it says nothing."""

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
