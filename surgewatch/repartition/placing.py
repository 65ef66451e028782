"""Where each record of state belongs once there are more partitions. Pure.

    counts     swanton␀now, swanton␀history, ...      by the sector: swanton
    borders    northern|day|..., ...                  by the border: northern
    alerts     surge|swanton||day, ...                by the sector of the question: swanton
               event time|swanton|sector, ...         by the sector: swanton

A moved sector or alert has counted no record of its new partition yet, so the offset in its state is reset.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from alerts.notices.alert_pipeline import without_offset as alert_without_offset
from streams.contract.partitioning import partition_of
from streams.counting.state_codec import without_offset as counts_without_offset

State = Mapping[bytes, bytes]  # keys and values of a partition


class Move(NamedTuple):
    """How the state of one changelog is moved. `owner` is the key of the source's records behind a key."""

    changelog: str
    source: str
    group: str
    owner: Callable[[bytes], bytes]
    moved: Callable[[bytes, bytes], bytes] = lambda _, value: value


MOVES: Final = (
    Move(
        "counts", "encounters", "surgewatch-streams", lambda key: key.split(b"\0")[0], counts_without_offset
    ),
    Move("borders", "summaries", "surgewatch-streams", lambda key: key.split(b"|")[0]),
    Move("alerts", "verdicts", "surgewatch-alerts", lambda key: key.split(b"|")[1], alert_without_offset),
)


class Placed(NamedTuple):
    """State by its new partition, and the keys that leave each old one."""

    state: dict[int, dict[bytes, bytes]]
    leaving: dict[int, set[bytes]]


def place(held: Mapping[int, State], move: Move, partitions: int) -> Placed:
    """Place every key. Placing again, also what was placed only in part, gives the same.

    A key that is in several partitions (a moving that was interrupted) is taken from its home.
    """
    state: dict[int, dict[bytes, bytes]] = {partition: {} for partition in range(partitions)}
    leaving: dict[int, set[bytes]] = {partition: set() for partition in range(partitions)}
    for partition, pairs in held.items():
        for key, value in pairs.items():
            home = partition_of(move.owner(key), partitions)
            if home == partition:
                state[home][key] = value
            else:
                leaving[partition].add(key)
                if key not in held.get(home, {}):
                    state[home][key] = move.moved(key, value)
    return Placed(state, leaving)
