"""The options of `surgewatch torture` fit what the harness can do; a pause lasts until the first answer."""

import datetime as dt
from types import SimpleNamespace

from click import Choice

from streams.contract.dead_letters import DeadLetter, Reason
from surgewatch.commands.torture import command
from surgewatch.harness.torture import SECURITY
from surgewatch.harness.torture.pauses import UNUSABLE, longest_absence, longest_pauses


def test_every_way_to_reach_the_broker_can_be_chosen() -> None:
    (option,) = (one for one in command.params if one.name == "security")
    assert isinstance(option.type, Choice)
    assert tuple(option.type.choices) == tuple(SECURITY)


def letter(partition: int, offset: int, timestamp: int) -> SimpleNamespace:
    """A record of `encounters.dead`; `timestamp` in milliseconds."""
    value = DeadLetter(
        reason=Reason.MALFORMED_JSON,
        detail="",
        topic="encounters",
        partition=partition,
        offset=offset,
        when=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        size=len(UNUSABLE),
        original="",
    )
    return SimpleNamespace(value=value.model_dump_json().encode(), timestamp=timestamp)


def test_the_longest_pause_of_a_partition_ends_with_the_first_dead_letter_of_a_record() -> None:
    appended = {(0, 5): 1_000, (0, 6): 1_100, (3, 5): 1_000}
    records = [
        SimpleNamespace(partition=partition, offset=offset, timestamp=at)
        for (partition, offset), at in appended.items()
    ]
    letters = [letter(0, 5, 3_500), letter(0, 6, 3_500), letter(3, 5, 1_010), letter(0, 5, 9_000)]
    assert longest_pauses(records, letters) == {0: 2.5, 3: 0.01}


def test_the_absence_of_the_broker_is_the_longest_time_in_which_it_took_nothing() -> None:
    records = [
        SimpleNamespace(partition=at % 2, timestamp=stamp) for at, stamp in enumerate((0, 12_500, 100))
    ]
    assert longest_absence(records) == 12.4
    assert longest_absence([]) == 0
