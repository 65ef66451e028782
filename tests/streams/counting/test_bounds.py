"""State is bounded whatever events come, and every event since 1900 is counted and survives a restart."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contract.cadence import Cadence
from streams.counting import state_codec
from streams.counting.decoder import Event
from streams.counting.kinds import LIMIT, OTHER
from streams.counting.sector_counts import Counts
from streams.counting.slices import SLICED, SLICES
from streams.counting.state_version import StateVersionError

DAY, OLDEST, NOW = 86_400, -2_208_988_800, 1_900_000_000  # 1900-01-01, 2030
RECORD = 900_000  # bytes that a state record may have


def event(number: int, at: int, citizenship: str = "HAITI", count: int = 1, **more: object) -> Event:
    """One event of families at a port."""
    return Event(
        number, f"e{number}", "here", at, at, at, count, "at_port", "family_unit", citizenship,
        *(more.get(name) for name in ("period", "replaces")),
    )  # fmt: skip


def restored(counts: Counts) -> Counts:
    pairs = state_codec.pairs(counts)
    return state_codec.restore({key: value for key, value in pairs if value is not None}, {})["here"]


def all_of(counts: Counts) -> object:
    counts.settle()
    return (
        counts.people,
        counts.event_time,
        sorted(counts.dedup.counted.items()),
        {cadence: (one.first, one.values.tolist()) for cadence, one in counts.series.items()},
        counts.slices.names,
        counts.slices.table.tolist(),
    )


@given(st.lists(st.integers(OLDEST, NOW), min_size=1, max_size=20))
def test_events_of_any_time_since_1900_are_counted_and_survive_a_restart(times: list[int]) -> None:
    counts = Counts("here")
    counts.add([event(number, at) for number, at in enumerate(times)])
    assert counts.people == len(times)
    assert counts.event_time == max(times)
    assert all_of(restored(counts)) == all_of(counts)


@given(st.integers(OLDEST, NOW), st.integers(1, 1_000_000))
def test_an_event_of_any_time_since_1900_can_be_taken_back(at: int, count: int) -> None:
    counts = Counts("here")
    counts.add([event(0, at, count=count)])
    counts = restored(counts)
    counts.add([event(1, at, count=0, replaces="e0")])
    counts.settle()
    assert counts.people == 0
    assert counts.series[Cadence.DAY].values.sum() == 0


def test_a_day_counts_more_people_than_32_bits_hold() -> None:
    counts = Counts("here")
    counts.add([event(number, 7 * DAY, count=1_000_000) for number in range(4_000)])
    counts = restored(counts)
    assert counts.series[Cadence.DAY].get(7) == counts.people == 4_000_000_000
    assert counts.slices.window(7, 1)[:, 0].tolist() == [4_000_000_000] * 3


def test_every_state_record_stays_small_whatever_citizenships_come() -> None:
    counts = Counts("here")
    names = ("".join(chr(0x1F300 + at) for at in pick) * 32 for pick in product(range(100), repeat=2))
    for number, name in enumerate(names):
        counts.add([event(number, 7 * DAY + number, name)])
        if number % 1_000 == 0:
            state_codec.pairs(counts)
    counts.slices.replaced = counts.dedup.kinds.changed = True
    pairs = state_codec.pairs(counts)
    assert {key.split(b"\0")[1] for key, _ in pairs} >= {b"now", b"history", b"kinds"}
    assert max(len(value) for _, value in pairs if value is not None) < RECORD
    assert len(counts.dedup.kinds.codes) <= LIMIT + 1
    assert restored(counts).people == counts.people == 10_000


def test_kinds_that_no_remembered_event_refers_to_make_room_for_new_ones() -> None:
    counts = Counts("here")
    for number in range(2 * LIMIT):
        counts.add([event(number, number * DAY, f"C{number}")])  # of which three days are remembered
    assert ("family_unit", "at_port", f"C{2 * LIMIT - 1}") in counts.dedup.kinds.codes
    assert ("family_unit", "at_port", OTHER) not in counts.dedup.kinds.codes
    counts.add([event(2 * LIMIT, 2 * LIMIT * DAY, count=0, replaces=f"e{2 * LIMIT - 1}")])
    counts.settle()
    assert counts.series[Cadence.DAY].get(2 * LIMIT - 1) == 0


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 9)), max_size=80), max_size=6))
def test_junk_citizenships_never_crowd_out_real_ones_for_good(days: list[list[tuple[int, int]]]) -> None:
    counts = Counts("here")
    junk = [(day, f"junk {name}", count) for day, some in enumerate(days) for name, count in some]
    real = [(day, "HAITI", 500) for day in range(len(days), len(days) + 3)]
    for number, (day, name, count) in enumerate([*junk, *real]):
        counts.add([event(number, day * DAY, name, count)])
    names = counts.slices.names
    assert "citizenship=HAITI" in names
    assert len([name for name in names if not name.endswith(OTHER)]) <= SLICES
    assert counts.slices.window(len(days) + 2, 3)[names.index("citizenship=HAITI")].tolist() == [500] * 3


def test_41_junk_citizenships_give_way_to_the_first_real_one() -> None:
    counts, number = Counts("here"), 0
    for day in range(80):
        names = [f"junk {at}" for at in range(60)] if day == 0 else ["HAITI"] * 30
        counts.add([event(number := number + 1, day * DAY, name) for name in names])
    row = counts.slices.names.index("citizenship=HAITI")
    assert counts.slices.window(79, SLICED)[row].tolist() == [30] * SLICED


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 70), st.integers(0, 60), st.integers(1, 9)), max_size=150),
    st.integers(1, 60),
)
def test_slices_are_the_same_however_events_are_fetched_and_after_any_restart(
    events: list[tuple[int, int, int]], size: int
) -> None:
    made = [event(number, day * DAY, f"C{name}", n) for number, (day, name, n) in enumerate(events)]
    whole, cut, held = Counts("here"), Counts("here"), {}
    if made:
        whole.add(made)
    for at in range(0, len(made), size):
        cut.add(made[at : at + size])
        held.update(state_codec.pairs(cut))
        kept = {key: value for key, value in held.items() if value is not None}
        cut = state_codec.restore(kept, {})["here"]
    assert all_of(cut) == all_of(whole)


@given(st.lists(st.tuples(st.integers(0, 70), st.integers(0, 99), st.integers(1, 9)), max_size=150))
def test_slices_of_one_kind_add_up_to_everybody(events: list[tuple[int, int, int]]) -> None:
    counts = Counts("here")
    for number, (day, name, count) in enumerate(events):
        counts.add([event(number, day * DAY, f"C{name}", count)])
    last = counts.slices.last
    rows = [name.startswith("citizenship=") for name in counts.slices.names]
    people = counts.slices.window(last, SLICED)[rows].sum(0)
    counts.settle()
    expected = counts.series[Cadence.DAY].window(last, SLICED) if events else people
    assert people.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"here\0now", b"\x81\xa7version\x09"),
        (b"here\0now", b"\xc1"),
        (b"here\0history", b"no zlib"),
        (b"here\0kinds", b"\x93\x01\x02\x03"),
        (b"here\0ids\x000", b"\x09" + bytes(31)),
        (b"here\0ids\x000", b"short"),
        (b"here\0tomorrow", b"x"),
        (b"\xff\0now", b"\x80"),
    ],
)
def test_state_that_this_version_cannot_read_is_refused_by_name(key: bytes, value: bytes) -> None:
    with pytest.raises(StateVersionError, match="this worker reads version"):
        state_codec.restore({key: value}, {})
