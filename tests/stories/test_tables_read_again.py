"""A cumulative table that is published again each month, through the files and the flow."""

import csv
import json
from collections import Counter
from pathlib import Path

from streams.contract.cadence import Cadence
from streams.contract.sectors import registry
from streams.counting.decoder import Decoder
from streams.judging.judge import Judge
from streams.pipelines.sector_pipeline import SectorPipeline
from streams.producers.files import read
from streams.producers.outgoing import Outgoing
from streams.producers.releases import Release
from streams.producers.rows import Checked
from surgewatch.harness.records import Record

PLACES = registry()
NOW = 1_900_000_000
HEADER = (
    "Fiscal Year,Month Grouping,Month (abbv),Component,Land Border Region,Area of Responsibility,AOR (Abbv),"
    "Demographic,Citizenship,Title of Authority,Encounter Type,Encounter Count"
)
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
Cell = tuple[int, int, str, str, int]  # year, month, sector, demographic, count


def table(path: Path, cells: list[Cell]) -> Path:
    """A release of CBP's table."""
    with path.open("w", newline="") as file:
        file.write(HEADER + "\n")
        rows = csv.writer(file)
        for year, month, sector, demographic, count in cells:
            rows.writerow(
                [
                    year + (month >= 10), "FYTD", MONTHS[month - 1], "U.S. Border Patrol",
                    "Southwest Land Border", sector, sector.split()[0], demographic, "MEXICO", "Title 8",
                    "Apprehensions", count,
                ]
            )  # fmt: skip
    return path


def two_years() -> list[Cell]:
    return [
        (2021 + at // 12, at % 12 + 1, sector, "Single Adults", count + at)
        for at in range(30)
        for sector, count in (("Yuma Sector", 400), ("Del Rio Sector", 900))
    ]


class Worker:
    """The flow behind a topic, and what `ingest` remembers of it."""

    def __init__(self) -> None:
        self.flow = SectorPipeline(PLACES, Judge(PLACES))
        self.sent: dict[str, bytes] = {}
        self.offset = 0
        self.dead = 0
        self.questions: Counter[str] = Counter()

    def receive(self, records: list[Outgoing]) -> None:
        taken = [Record(self.offset + at, record.value) for at, record in enumerate(records)]
        self.offset += len(taken)
        if taken:
            out = self.flow.process(0, taken)
            self.dead += len(out.dead)
            self.questions.update(v.question for v in out.verdicts if v.breach)

    def ingest(self, path: Path, *, withdraws: bool = False) -> Release:
        release = Release(checked(path), lambda: self.sent, withdraws=withdraws)
        self.receive(list(release))
        self.sent |= {figure: record.value for figure, record in release.sent.items()}
        return release

    @property
    def people(self) -> dict[str, int]:
        return {name: counts.people for name, counts in sorted(self.flow.partitions[0].counts.items())}


def checked(path: Path) -> Checked:
    return Checked(read(str(path), PLACES), Decoder(PLACES), NOW)


def test_records_of_a_table_that_arrive_twice_count_once(tmp_path: Path) -> None:
    worker, records = Worker(), list(checked(table(tmp_path / "table.csv", two_years())))
    worker.receive(records)
    once = worker.people
    worker.receive(records)
    assert worker.people == once == {"del-rio": 27_435, "yuma": 12_435}


def test_the_next_release_adds_what_is_new_and_replaces_what_was_revised(tmp_path: Path) -> None:
    worker, cells = Worker(), two_years()
    first = worker.ingest(table(tmp_path / "first.csv", cells))
    assert (first.added, first.revised, first.unchanged) == (60, 0, 0)

    same = worker.ingest(table(tmp_path / "same.csv", cells))
    assert (same.added, same.revised, same.unchanged) == (0, 0, 60)

    revised = [(*cell[:4], cell[4] + 50) if at in (0, 7) else cell for at, cell in enumerate(cells)]
    revised += [(2023, 7, "Yuma Sector", "Single Adults", 430)]
    second = worker.ingest(table(tmp_path / "second.csv", revised))
    assert (second.added, second.revised, second.unchanged) == (1, 2, 58)
    assert sum(worker.people.values()) == sum(cell[4] for cell in revised)

    back = worker.ingest(table(tmp_path / "third.csv", [*cells, revised[-1]]))
    assert (back.added, back.revised, back.unchanged) == (0, 2, 59)
    assert sum(worker.people.values()) == sum(cell[4] for cell in [*cells, revised[-1]])
    assert worker.dead == 0


def test_a_figure_that_is_gone_stays_until_the_release_is_called_complete(tmp_path: Path) -> None:
    worker = Worker()
    cells = [(2022, 5, "Yuma Sector", kind, 10) for kind in ("Single Adults", "FMUA")]
    worker.ingest(table(tmp_path / "first.csv", cells))
    later = table(tmp_path / "later.csv", cells[:1])
    assert worker.ingest(later).missing == 1
    assert worker.people == {"yuma": 20}
    assert worker.ingest(later, withdraws=True).missing == 1
    assert worker.people == {"yuma": 10}
    assert worker.ingest(later, withdraws=True).missing == 0


def test_a_month_of_a_place_that_is_gone_is_missed_and_years_that_were_left_off_are_not(
    tmp_path: Path,
) -> None:
    """Without people, a sector and month have no row; older years are published in another file."""
    worker, cells = Worker(), two_years()
    worker.ingest(table(tmp_path / "first.csv", cells))
    without = [cell for cell in cells if cell[:3] != (2022, 3, "Yuma Sector")]
    assert worker.ingest(table(tmp_path / "without.csv", without)).missing == 1
    assert (
        worker.ingest(table(tmp_path / "lately.csv", [cell for cell in cells if cell[0] > 2021])).missing == 0
    )


def test_a_renamed_label_is_no_shift_in_the_mix(tmp_path: Path) -> None:
    cells = []
    for at in range(30):
        year, month = 2022 + at // 12, at % 12 + 1
        minors = "UAC" if at >= 24 else "UC / Single Minors"
        cells += [(year, month, "Yuma Sector", "Single Adults", 900 + at)]
        cells += [(year, month, "Yuma Sector", minors, 150 + at)]
    worker = Worker()
    path = table(tmp_path / "table.csv", cells)
    demographics = Counter(json.loads(record.value)["demographic"] for record in checked(path))
    assert demographics == {"single_adult": 30, "unaccompanied_minor": 30}
    worker.ingest(path)
    assert worker.questions["mix"] == 0


def test_a_month_of_zero_is_data(tmp_path: Path) -> None:
    worker = Worker()
    worker.ingest(table(tmp_path / "table.csv", [(2022, 5, "Yuma Sector", "FMUA", 3)]))
    worker.ingest(table(tmp_path / "next.csv", [(2022, at, "Yuma Sector", "FMUA", 0) for at in (6, 7)]))
    counts = worker.flow.partitions[0].counts["yuma"]
    counts.settle()
    assert counts.series[Cadence.MONTH].values.tolist() == [3, 0, 0]
    assert worker.dead == 0
