"""How far the consumers beside the flows have read: of controls, alerts and dead letters, whole topics each.

They are looked at like the flows. One that stands where records wait makes the worker not ready, and in the
end the watchdog ends it: whatever it stands for, an operator's word or an alert would go unseen.
"""

from typing import Any

from streams.runtime.readiness import Position


async def positions_of(consumer: Any) -> dict[Position, int]:
    """Return the offset of the next record of each partition that a consumer (aiokafka's) is assigned."""
    return {(tp.topic, tp.partition): await consumer.position(tp) for tp in consumer.assignment()}
