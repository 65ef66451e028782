"""Labels change from one release of a table to the next, and people stay the same: no shift in the mix."""

from collections import Counter
from pathlib import Path

import pytest

from tests.stories.test_tables_read_again import Cell, Worker, table

USUAL = {"Single Adults": 900, "UC / Single Minors": 150, "FMUA": 400}


def months(renamed: dict[str, str], *, times: dict[str, int] | None = None) -> list[Cell]:
    """Thirty months, of which the last six have other labels, and `times` as many people of some."""
    people: Counter[tuple[int, str]] = Counter()
    for at in range(30):
        for label, count in USUAL.items():
            name, factor = (
                (renamed.get(label, label), (times or {}).get(label, 1)) if at >= 24 else (label, 1)
            )
            people[at, name] += (count + at) * factor  # merged kinds are one row
    return [(2022 + at // 12, at % 12 + 1, "Yuma Sector", name, n) for (at, name), n in people.items()]


@pytest.mark.parametrize(
    "renamed",
    [
        {"UC / Single Minors": "UAC"},
        {"UC / Single Minors": "Accompanied Minors"},
        {"UC / Single Minors": "Young People"},
        {"UC / Single Minors": "Families", "FMUA": "Families"},
        {label: f"{label} (new)" for label in USUAL},
    ],
)
def test_labels_that_are_renamed_or_merged_are_no_shift(tmp_path: Path, renamed: dict[str, str]) -> None:
    worker = Worker()
    worker.ingest(table(tmp_path / "table.csv", months(renamed)))
    assert worker.questions["mix"] == 0


def test_a_shift_is_found_under_another_label_too(tmp_path: Path) -> None:
    label = "UC / Single Minors"
    worker = Worker()
    worker.ingest(table(tmp_path / "table.csv", months({label: "Accompanied Minors"}, times={label: 4})))
    assert worker.questions["mix"] > 0
