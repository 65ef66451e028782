"""What each role needs to be allowed at the broker: the least ACLs, as data."""

from typing import Final, Literal, NamedTuple, get_args

from streams.contract.topics import TOPICS

Role = Literal["producer", "streams", "alerts", "operator"]
AnyRole = Role | Literal["topics"]
ROLES: Final = ("topics", *get_args(Role))  # in the order in which they are set up
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
        Access("topic", "deliveries", (READ, DESCRIBE)),
    ),
}
SETUP: Final = ("CREATE", "DESCRIBE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS")  # of `surgewatch topics`


def needs(role: AnyRole) -> tuple[Access, ...]:
    """Return what a role needs; `topics` is who runs `surgewatch topics`, without --partitions."""
    if role == "topics":
        return tuple(Access("topic", topic.name, SETUP) for topic in TOPICS)
    return LEAST[role]
