"""The next release of a table: renamed kinds, parts of a table, refused rows, a run that broke off."""

from pathlib import Path

import pytest

from streams.producers.releases import Release, noted
from streams.table_files.faults import InputError
from tests.stories.test_tables_read_again import HEADER, Worker, checked

Cell = tuple[str, str, int | str]  # month, citizenship, count


def table(path: Path, *cells: Cell) -> Path:
    """A release of CBP's table for Yuma in fiscal year 2023."""
    rows = [
        f"2023,FYTD,{month},U.S. Border Patrol,Southwest Land Border,Yuma Sector,Yuma,Single Adults,"
        f"{nation},Title 8,Apprehensions,{count}"
        for month, nation, count in cells
    ]
    path.write_text("\n".join([HEADER, *rows, ""]))
    return path


def release(worker: Worker, path: Path, *, is_part: bool = False) -> Release:
    rows = checked(path)
    found = Release(rows, lambda: worker.sent, is_part=is_part, refused=lambda: bool(rows.reasons))
    send(worker, found)
    return found


def send(worker: Worker, found: Release, *, most: int | None = None) -> None:
    """What `ingest` does; killed after `most` events."""
    worker.receive(found.unfinished[:most])
    if most is not None and most < len(found.unfinished):
        return
    worker.sent |= {figure.key.decode(): figure.value for figure in map(noted, found.unfinished)}
    worker.sent |= {record.key.decode(): record.value for record in found.unsent}
    worker.receive(list(found)[: None if most is None else most - len(found.unfinished)])
    if most is None:
        worker.sent |= {figure: record.value for figure, record in found.sent.items()}


FIRST: list[Cell] = [("JAN", "MEXICO", 10), ("JAN", "TURKEY", 5), ("FEB", "MEXICO", 20), ("FEB", "CUBA", 7)]


def test_a_kind_that_was_renamed_does_not_count_twice(tmp_path: Path) -> None:
    worker = Worker()
    release(worker, table(tmp_path / "first.csv", *FIRST))
    renamed = [(month, nation.replace("TURKEY", "TURKIYE"), count) for month, nation, count in FIRST]
    found = release(worker, table(tmp_path / "next.csv", *renamed))
    assert (found.added, found.unchanged, found.missing, found.taken_back) == (1, 3, 1, 1)
    assert (worker.people, worker.dead) == ({"yuma": 42}, 0)
    assert release(worker, table(tmp_path / "again.csv", *renamed)).unchanged == 4


def test_a_name_that_comes_back_does_not_count_beside_the_one_that_took_its_place(tmp_path: Path) -> None:
    worker = Worker()
    release(worker, table(tmp_path / "first.csv", *FIRST))
    renamed = [(month, nation.replace("TURKEY", "TURKIYE"), count) for month, nation, count in FIRST]
    release(worker, table(tmp_path / "second.csv", *renamed))
    assert release(worker, table(tmp_path / "third.csv", *FIRST)).taken_back == 1
    assert worker.people == {"yuma": 42}


@pytest.mark.parametrize("more", [0, 3])
def test_a_kind_that_is_merged_into_another_does_not_count_twice(tmp_path: Path, more: int) -> None:
    worker = Worker()
    release(worker, table(tmp_path / "first.csv", *FIRST))
    merged: list[Cell] = [("JAN", "MEXICO", 15 + more), *FIRST[2:]]
    assert release(worker, table(tmp_path / "next.csv", *merged)).taken_back == 1
    assert worker.people == {"yuma": 42 + more}


def test_a_revision_of_other_people_takes_nobody_back(tmp_path: Path) -> None:
    worker = Worker()
    release(worker, table(tmp_path / "first.csv", *FIRST))
    revised: list[Cell] = [("JAN", "MEXICO", 30), *FIRST[2:]]
    found = release(worker, table(tmp_path / "next.csv", *revised))
    assert (found.missing, found.taken_back) == (1, 0)
    assert worker.people == {"yuma": 62}


def boats(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_table_of_the_same_people_in_another_layout_is_not_counted_beside_the_first(tmp_path: Path) -> None:
    worker = Worker()
    release(worker, boats(tmp_path / "daily.csv", "date,migrants,boats\n2024-01-08,5,1\n2024-01-10,7,1\n"))
    week = boats(tmp_path / "week.csv", "week_ending,migrants_arrived\n2024-01-07,3\n2024-01-14,12\n")
    with pytest.raises(InputError, match=r"2 figures \(12 people\) .* that of uk-boats-daily .*--complete"):
        release(worker, week)
    rows = checked(week)
    send(worker, Release(rows, lambda: worker.sent, withdraws=True))
    assert (worker.people, worker.dead) == ({"english-channel": 15}, 0)


def test_another_part_of_a_table_is_not_taken_for_its_next_release(tmp_path: Path) -> None:
    worker = Worker()
    release(worker, table(tmp_path / "mexico.csv", ("JAN", "MEXICO", 10), ("FEB", "MEXICO", 20)))
    cuba = table(tmp_path / "cuba.csv", ("JAN", "CUBA", 1), ("FEB", "CUBA", 7))
    with pytest.raises(
        InputError, match=r"2 figures \(30 people\) .* yuma in 2023-01-01. .*--complete.*--part"
    ):
        release(worker, cuba)
    assert worker.people == {"yuma": 30}
    assert release(worker, cuba, is_part=True).taken_back == 0
    assert worker.people == {"yuma": 38}


def test_what_may_stand_in_a_refused_row_is_not_taken_back(tmp_path: Path) -> None:
    worker = Worker()
    release(worker, table(tmp_path / "first.csv", *FIRST))
    odd: list[Cell] = [*FIRST[:1], ("JAN", "TURKEY", "5.5"), ("JAN", "PERU", 1), *FIRST[2:]]
    path = table(tmp_path / "next.csv", *odd)
    assert release(worker, path).taken_back == 0
    rows = checked(path)
    found = Release(rows, lambda: worker.sent, withdraws=True, refused=lambda: bool(rows.reasons))
    assert (found.missing, found.taken_back) == (1, 0)
    assert worker.people == {"yuma": 43}


@pytest.mark.parametrize("sent", [0, 1, 2, 3, 4])
def test_a_run_that_broke_off_may_be_followed_by_the_next_release(tmp_path: Path, sent: int) -> None:
    """Of the figures that it had not sent, nobody knows which the broker has."""
    worker = Worker()
    send(worker, Release(checked(table(tmp_path / "first.csv", *FIRST)), lambda: worker.sent), most=sent)
    revised: list[Cell] = [(month, nation, int(count) + 1) for month, nation, count in FIRST[1:]]
    release(worker, table(tmp_path / "next.csv", *FIRST[:1], *revised))
    assert (worker.people, worker.dead) == ({"yuma": 45}, 0)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (0, 2), (2, 1), (4, 3), (4, 6)])
def test_two_runs_that_broke_off_lose_nobody(tmp_path: Path, first: int, second: int) -> None:
    """A revision is of use only where the event that it replaces has come."""
    worker = Worker()
    send(worker, Release(checked(table(tmp_path / "1.csv", *FIRST)), lambda: worker.sent), most=first)
    revised: list[Cell] = [(month, nation, int(count) + 1) for month, nation, count in FIRST]
    path = table(tmp_path / "2.csv", *revised)
    send(worker, Release(checked(path), lambda: worker.sent), most=second)
    release(worker, path)
    assert (worker.people, worker.dead) == ({"yuma": 46}, 0)


@pytest.mark.parametrize("sent", [0, 1, 2, 3])
def test_a_second_release_that_broke_off_is_made_good_by_the_next_run(tmp_path: Path, sent: int) -> None:
    worker = Worker()
    release(worker, table(tmp_path / "first.csv", *FIRST))
    revised: list[Cell] = [(month, nation, int(count) + 1) for month, nation, count in FIRST]
    second = table(tmp_path / "second.csv", *revised, ("MAR", "CUBA", 3))
    send(worker, Release(checked(second), lambda: worker.sent), most=sent)
    found = release(worker, second)
    assert (found.added, found.revised, found.unchanged) == (1, 4, 0)
    assert (worker.people, worker.dead) == ({"yuma": 49}, 0)
    assert release(worker, second).unchanged == 5


@pytest.mark.parametrize("sent", [0, 1, 2, 3, 4, 5])
def test_a_second_release_with_a_renamed_kind_that_broke_off_is_made_good(tmp_path: Path, sent: int) -> None:
    worker = Worker()
    release(worker, table(tmp_path / "first.csv", *FIRST))
    renamed: list[Cell] = [
        (month, nation.replace("TURKEY", "TURKIYE"), count) for month, nation, count in FIRST
    ]
    second = table(tmp_path / "second.csv", *renamed, ("MAR", "CUBA", 3))
    send(worker, Release(checked(second), lambda: worker.sent), most=sent)
    found = release(worker, second)
    assert (found.added, found.taken_back) == (2, 1)
    assert (worker.people, worker.dead) == ({"yuma": 45}, 0)
    again = release(worker, second)
    assert (again.unchanged, again.missing) == (5, 0)


def test_a_figure_that_is_gone_after_a_run_that_broke_off_is_sent_as_it_was(tmp_path: Path) -> None:
    worker = Worker()
    send(worker, Release(checked(table(tmp_path / "first.csv", *FIRST)), lambda: worker.sent), most=0)
    found = release(worker, table(tmp_path / "next.csv", *FIRST[:1], *FIRST[2:]))
    assert (found.missing, found.taken_back) == (1, 0)
    assert (worker.people, worker.dead) == ({"yuma": 42}, 0)
