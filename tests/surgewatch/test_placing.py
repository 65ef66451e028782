"""State is placed where its events will come from, however often a moving is interrupted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.partitioning import partition_of
from streams.contract.sectors import registry
from surgewatch.repartition.placing import MOVES, Move, place

NAMES = [sector.id for sector in registry().sector]
COUNTS = Move("counts", "encounters", "streams", lambda key: key.split(b"\0")[0])
BEFORE = 4


def home(sector: str, partitions: int) -> int:
    return partition_of(sector.encode(), partitions)


def held(sectors: list[str], partitions: int = BEFORE) -> dict[int, dict[bytes, bytes]]:
    """The state of sectors before they are moved."""
    states: dict[int, dict[bytes, bytes]] = {at: {} for at in range(partitions)}
    for sector in sectors:
        for kind in ("now", "history", "ids\0" + "7"):
            states[home(sector, partitions)][f"{sector}\0{kind}".encode()] = f"{sector} {kind}".encode()
    return states


def moved(state: dict[int, dict[bytes, bytes]], partitions: int) -> dict[int, dict[bytes, bytes]]:
    full = {at: state.get(at, {}) for at in range(partitions)}
    return place(full, COUNTS, partitions).state


sets_of_sectors = st.lists(st.sampled_from(NAMES), unique=True)


@given(sectors=sets_of_sectors, partitions=st.integers(BEFORE, 40))
def test_every_key_comes_home_once_with_its_value(sectors: list[str], partitions: int) -> None:
    found = moved(held(sectors), partitions)
    keys = [(at, key, value) for at, state in found.items() for key, value in state.items()]
    assert len(keys) == 3 * len(sectors)
    for at, key, value in keys:
        sector, _, kind = key.decode().partition("\0")
        assert (at, value.decode()) == (home(sector, partitions), f"{sector} {kind}")


@given(sectors=sets_of_sectors, partitions=st.integers(BEFORE, 40), stopped_at=st.integers(0, 200))
def test_a_moving_that_was_interrupted_anywhere_ends_the_same(
    sectors: list[str], partitions: int, stopped_at: int
) -> None:
    state = {at: dict(held(sectors).get(at, {})) for at in range(partitions)}
    placed = place(state, COUNTS, partitions)
    steps = [(at, key, value) for at, pairs in placed.state.items() for key, value in pairs.items()]
    leaving = [(at, key) for at, keys in placed.leaving.items() for key in keys]
    for at, key, value in steps[:stopped_at]:
        state[at][key] = value
    for at, key in leaving[: max(0, stopped_at - len(steps))]:
        del state[at][key]
    assert moved(state, partitions) == placed.state


@pytest.mark.parametrize(
    ("changelog", "key", "owner"),
    [
        ("counts", b"swanton\0ids\x0012", b"swanton"),
        ("borders", b"northern|day|19000", b"northern"),
        ("alerts", b"surge|swanton|citizenship=HAITI|day", b"swanton"),
        ("alerts", b"event time|swanton|border", b"swanton"),
    ],
)
def test_a_key_belongs_to_the_key_of_the_records_behind_it(changelog: str, key: bytes, owner: bytes) -> None:
    (move,) = (one for one in MOVES if one.changelog == changelog)
    assert move.owner(key) == owner
