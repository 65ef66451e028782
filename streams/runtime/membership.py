"""Leave a consumer group, where others can take over.

A static member of aiokafka does not leave when it stops: its partitions would wait for its return, or for the
end of its session. It is still waited for after a crash.
"""

from typing import Any, Final

HEARTBEATS: Final = 10  # in a session: a rebalance waits until every member has had its next one


def leave_on_stop(consumer: Any) -> None:
    """Make a consumer leave its group when it is stopped, also where it is a static member."""
    if consumer._coordinator is not None:
        consumer._coordinator._group_instance_id = None
