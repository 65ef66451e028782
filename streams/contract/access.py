"""What each role needs to be allowed at the broker: the least ACLs, as data."""

from typing import Final, Literal, NamedTuple, get_args

from streams.contract.topics import TOPICS

Role = Literal["producer", "streams", "alerts", "operator"]
AnyRole = Role | Literal["topics"]
ROLES: Final = ("topics", *get_args(Role))  # in the order in which they are set up
READ, WRITE, DESCRIBE = "READ", "WRITE", "DESCRIBE"
SETTINGS: Final = "DESCRIBE_CONFIGS"  # of topics: a worker refuses those that it cannot work with


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
        Access("topic", "encounters", (READ, DESCRIBE, SETTINGS)),
        Access("topic", "controls", (READ, DESCRIBE, SETTINGS)),
        Access("topic", "encounters.dead", (WRITE, DESCRIBE, SETTINGS)),
        Access("topic", "verdicts", (WRITE, DESCRIBE, SETTINGS)),
        Access("topic", "summaries", (READ, WRITE, DESCRIBE, SETTINGS)),
        Access("topic", "counts", (READ, WRITE, DESCRIBE, SETTINGS)),
        Access("topic", "borders", (READ, WRITE, DESCRIBE, SETTINGS)),
        Access("group", "surgewatch-streams", (READ, DESCRIBE)),
    ),
    "alerts": (
        Access("topic", "verdicts", (READ, DESCRIBE, SETTINGS)),
        Access("topic", "controls", (READ, WRITE, DESCRIBE, SETTINGS)),
        Access("topic", "alerts", (READ, WRITE, DESCRIBE, SETTINGS)),
        Access("topic", "alerts.current", (READ, WRITE, DESCRIBE, SETTINGS)),
        Access("topic", "deliveries", (READ, WRITE, DESCRIBE, SETTINGS)),
        Access("topic", "notices", (READ, WRITE, DESCRIBE, SETTINGS)),
        Access("topic", "notices.dead", (READ, WRITE, DESCRIBE, SETTINGS)),
        Access("group", "surgewatch-alerts", (READ, DESCRIBE)),
        Access("group", "surgewatch-delivery", (READ, DESCRIBE)),
    ),
    "operator": (
        Access("topic", "controls", (READ, WRITE, DESCRIBE)),
        Access("topic", "alerts.current", (READ, DESCRIBE)),
        Access("topic", "deliveries", (READ, DESCRIBE)),
    ),
}
SETUP: Final = ("CREATE", DESCRIBE, SETTINGS, "ALTER_CONFIGS")  # of `surgewatch topics`


def needs(role: AnyRole) -> tuple[Access, ...]:
    """Return what a role needs; `topics` is who runs `surgewatch topics`, without --partitions."""
    if role == "topics":
        return tuple(Access("topic", topic.name, SETUP) for topic in TOPICS)
    return LEAST[role]
