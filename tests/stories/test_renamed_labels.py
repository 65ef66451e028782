"""Labels change from one release of a table to the next, and people stay the same: no shift in the mix."""

from pathlib import Path

import pytest

from tests.stories.test_tables_read_again import Cell, Worker, table

USUAL = {"Single Adults": 900, "UC / Single Minors": 150, "FMUA": 400}


def months(renamed: dict[str, str], *, times: dict[str, int] | None = None) -> list[Cell]:
    """Thirty months, of which the last six have other labels, and `times` as many people of some."""
    return [
        (2022 + at // 12, at % 12 + 1, "Yuma Sector", *_of(label, count + at, at >= 24, renamed, times or {}))
        for at in range(30)
        for label, count in USUAL.items()
    ]


def _of(
    label: str, count: int, is_new: bool, renamed: dict[str, str], times: dict[str, int]
) -> tuple[str, int]:
    return (renamed.get(label, label), count * times.get(label, 1)) if is_new else (label, count)


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
