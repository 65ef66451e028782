"""Tables in workbooks and in archives are read like the CSV that they hold."""

import bz2
import csv
import datetime as dt
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import openpyxl
import pytest

from tests.streams.producers.reading import checked, events, refusal, written

SAMPLES = Path(__file__).with_name("samples")
BOATS = [["date", "migrants", "boats"], [dt.date(2024, 7, 1), 1204, 20]]
SHEET = """<?xml version="1.0"?><office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">
<office:body><office:spreadsheet><table:table table:name="SB_01">%s</table:table></office:spreadsheet>
</office:body></office:document-content>"""
CELL = """<table:table-cell office:value-type="string"><text:p>%s</text:p></table:table-cell>"""


def workbook(merged: Mapping[str, Sequence[str]] = {}, **sheets: Sequence[Sequence[object]]) -> bytes:
    """An .xlsx file; a sheet whose name begins with hidden is hidden. `merged`: ranges by sheet."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = "hidden" if name.startswith("hidden") else "visible"
        for row in rows:
            sheet.append(list(row))
        for cells in merged.get(name, ()):
            sheet.merge_cells(cells)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def archive(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, each in files.items():
            packed.writestr(name, each)
    return content.getvalue()


def typed(cell: str) -> object:
    """A cell as a spreadsheet has it: a number, a date, or text."""
    if cell.isdecimal():
        return int(cell)
    try:
        return dt.date.fromisoformat(cell)
    except ValueError:
        return cell or None


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.csv")), ids=lambda path: path.stem)
def test_a_workbook_is_read_like_its_csv(tmp_path: Path, sample: Path) -> None:
    with sample.open(encoding="utf-8-sig", newline="") as text:
        delimiter = "|" if "|" in text.readline() else ","
        text.seek(0)
        rows = [[typed(cell) for cell in row] for row in csv.reader(text, delimiter=delimiter)]
    book, _ = checked(written(tmp_path, workbook(Table=rows), "table.xlsx"))
    plain, _ = checked(sample)
    assert plain
    assert events(book) == events(plain)


def test_a_sheet_of_open_document_is_read(tmp_path: Path) -> None:
    rows = "".join(
        f"<table:table-row>{''.join(CELL % cell for cell in row)}</table:table-row>" for row in BOATS
    )
    files = {
        "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
        "content.xml": (SHEET % rows).encode(),
        "META-INF/manifest.xml": b"<manifest/>",
    }
    sent, _ = checked(written(tmp_path, archive(files), "table.ods"))
    assert [event.count for event in events(sent)] == [1204]


def test_a_month_that_a_spreadsheet_made_a_date_is_still_a_month(tmp_path: Path) -> None:
    rows = [
        ["Route", "BorderType", "NationalityLong", dt.date(2022, 11, 1), dt.date(2022, 12, 1)],
        ["Western Balkan Route", "Land", "Afghanistan", 210, 190],
    ]
    sent, _ = checked(written(tmp_path, workbook(Detections=rows), "table.xlsx"))
    found = [(event.occurred_at.month, event.count) for event in events(sent)]
    assert found == [(11, 210), (12, 190)]


def test_the_only_sheet_with_a_known_header_is_read(tmp_path: Path) -> None:
    content = workbook(Cover=[["About these figures"]], SB_01=[[], ["Table 1"], *BOATS], hidden=BOATS)
    sent, _ = checked(written(tmp_path, content, "table.xlsx"))
    assert [event.count for event in events(sent)] == [1204]


def test_where_several_sheets_could_be_read_one_has_to_be_named(tmp_path: Path) -> None:
    other = [BOATS[0], [dt.date(2023, 7, 1), 1, 1]]
    path = written(tmp_path, workbook(SB_01=BOATS, SB_02=other, Notes=[["x"]]), "table.xlsx")
    assert refusal(path).endswith(
        "is a workbook; sheets that can be read: 'SB_01', 'SB_02'. Choose one with --sheet NAME"
    )
    sent, _ = checked(path, sheet="SB_02")
    assert [event.count for event in events(sent)] == [1]
    assert refusal(path, sheet="SB_03").endswith("has no sheet 'SB_03': it has 'SB_01', 'SB_02', 'Notes'")


def test_a_refused_row_of_a_sheet_has_the_number_that_the_spreadsheet_shows(tmp_path: Path) -> None:
    rows = [["Table 1"], [], *BOATS, [dt.date(2024, 7, 2), "two\nlines", 1]]
    _, read = checked(written(tmp_path, workbook(SB_01=rows), "table.xlsx"))
    (bad,) = read.rejected
    assert bad.position == 5
    assert 'migrants "two lines" is no whole number' in bad.detail


def test_a_header_of_a_sheet_that_does_not_fit_is_explained(tmp_path: Path) -> None:
    rows = [["Route", "BorderType", "JAN2024"], ["Western Balkan Route", "Land", 1]]
    assert "table.xlsx[Sheet]:1: looks like Frontex" in refusal(
        written(tmp_path, workbook(Sheet=rows), "table.xlsx")
    )


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_packed_file_is_unpacked_and_one_that_is_cut_off_is_refused(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    plain = (SAMPLES / "cbp-by-area.csv").read_bytes()
    known, _ = checked(written(tmp_path, plain, "plain"))
    assert checked(written(tmp_path, pack(plain), "packed"))[0] == known
    assert "cannot be read" in refusal(written(tmp_path, pack(plain)[:-30], "cut"))


def test_a_text_that_is_merged_over_rows_holds_for_each_of_them_and_a_number_does_not(tmp_path: Path) -> None:
    content = workbook(
        {"T": ["A3:A4", "D3:D4"]},
        T=[["Calendar year 2018"], ["Province", "Office", "Jan", "Feb"], ["Quebec", "Airport", 1, 2],
           [None, "Land Border", 3, None]],
    )  # fmt: skip
    found = events(checked(written(tmp_path, content, "table.xlsx"))[0])
    assert sorted((event.sector, event.count) for event in found) == [
        ("cbsa-quebec-air", 1), ("cbsa-quebec-air", 2), ("cbsa-quebec-land", 3),
    ]  # fmt: skip


def test_an_archive_of_one_file_is_unpacked(tmp_path: Path) -> None:
    sample = SAMPLES / "cbp-by-area.csv"
    for content in (sample.read_bytes(), workbook(Table=BOATS)):
        packed = archive({"data/": b"", "data/table": content, "__MACOSX/._table": b"x"})
        sent, _ = checked(written(tmp_path, packed, "table.zip"))
        plain, _ = checked(written(tmp_path, content, "table"))
        assert plain
        assert events(sent) == events(plain)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (archive({"a.csv": b"", "b.csv": b""}), "is an archive of 2 files ('a.csv', 'b.csv'): unpack it"),
        (archive({"a.csv": b"Date,People" * 99})[:-30], "cannot be read"),
        (archive({"[Content_Types].xml": b"", "word/document.xml": b""}), "is no workbook that can be read"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "is no workbook that can be read"),
        (workbook(Empty=[]), "is a workbook; sheets that can be read: none"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    assert reason in refusal(written(tmp_path, content))


def test_a_text_has_no_sheets(tmp_path: Path) -> None:
    path = written(tmp_path, (SAMPLES / "cbp-by-area.csv").read_bytes())
    assert refusal(path, sheet="SB_01").endswith("is no workbook: it has no sheet 'SB_01'")
