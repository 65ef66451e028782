"""What each role needs to be allowed at the broker: the least ACLs, as data."""

from typing import Literal, NamedTuple

Role = Literal["producer", "streams", "alerts", "operator"]
READ, WRITE, DESCRIBE = "READ", "WRITE", "DESCRIBE"


class Access(NamedTuple):
    """Operations on one topic or consumer group, named without the prefix."""

    resource: Literal["topic", "group"]
    name: str
    operations: tuple[str, ...]


LEAST: dict[Role, tuple[Access, ...]] = {
    "producer": (
        Access("topic", "encounters", (WRITE, DESCRIBE)),
        Access("topic", "tables", (READ, WRITE, DESCRIBE)),  # official tables only
    ),
    "streams": (
        Access("topic", "encounters", (READ, DESCRIBE)),
        Access("topic", "controls", (READ, DESCRIBE)),
        Access("topic", "encounters.dead", (WRITE, DESCRIBE)),
        Access("topic", "verdicts", (WRITE, DESCRIBE)),
        Access("topic", "summaries", (READ, WRITE, DESCRIBE)),
        Access("topic", "counts", (READ, WRITE, DESCRIBE)),
        Access("topic", "borders", (READ, WRITE, DESCRIBE)),
        Access("group", "surgewatch-streams", (READ, DESCRIBE)),
    ),
    "alerts": (
        Access("topic", "verdicts", (READ, DESCRIBE)),
        Access("topic", "controls", (READ, WRITE, DESCRIBE)),
        Access("topic", "alerts", (READ, WRITE, DESCRIBE)),
        Access("topic", "alerts.current", (READ, WRITE, DESCRIBE)),
        Access("topic", "deliveries", (READ, WRITE, DESCRIBE)),
        Access("topic", "notices", (READ, WRITE, DESCRIBE)),
        Access("topic", "notices.dead", (READ, WRITE, DESCRIBE)),
        Access("group", "surgewatch-alerts", (READ, DESCRIBE)),
        Access("group", "surgewatch-delivery", (READ, DESCRIBE)),
    ),
    "operator": (
        Access("topic", "controls", (READ, WRITE, DESCRIBE)),
        Access("topic", "alerts.current", (READ, DESCRIBE)),
    ),
}
