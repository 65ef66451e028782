"""Workbooks (.xlsx, .xls, .ods): a sheet as the CSV that a spreadsheet would save, row for row.

Cells of a column that are merged have the text of the first of them each, as a reader of the sheet sees it.
"""

import csv
import datetime as dt
import io
from collections.abc import Callable
from typing import IO, Final

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from streams.table_files.faults import InputError

_STARTS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # of .xlsx and .ods, and of .xls
Cell = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta


def is_workbook(start: bytes) -> bool:
    """Return whether a file that begins with these bytes, and is no archive of one file, is a workbook."""
    return start.startswith(_STARTS)


def sheet_text(
    path: str, stream: IO[bytes], fits: Callable[[str], bool], *, within: int, wanted: str | None = None
) -> tuple[str, str]:
    """Return the name of the sheet to read, and its cells as CSV.

    That is the `wanted` sheet, or else the only visible one that `fits` by the CSV of its first lines
    (`within` so many), or the only one. Raises InputError where there is none such, or where the file is no
    workbook or needs a password.
    """
    found = _sheets(path, stream)
    names = ", ".join(map(repr, found)) or "none with cells"
    if wanted is not None and wanted not in found:
        raise InputError(f"{path} has no sheet {wanted!r}: it has {names}")
    fitting = [] if wanted else [name for name, rows in found.items() if fits(_csv(rows[:within]))]
    chosen = [wanted] if wanted is not None else fitting or [*found]
    if len(chosen) != 1:
        many = ", ".join(map(repr, fitting)) if fitting else f"none of a known header among {names}"
        raise InputError(
            f"{path} is a workbook; sheets that can be read: {many}. Choose one with --sheet NAME"
        )
    return chosen[0], _csv(found[chosen[0]])


def _sheets(path: str, stream: IO[bytes]) -> dict[str, list[list[Cell]]]:
    """The rows of the visible sheets that have cells, by name, in the workbook's order."""
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(stream.read()))
        found = {
            sheet.name: _rows(workbook.get_sheet_by_name(sheet.name))
            for sheet in workbook.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
        }
    except CalamineError as error:
        raise InputError(f"{path} is no workbook that can be read: {error}") from error
    return {name: rows for name, rows in found.items() if rows}


def _rows(sheet: CalamineSheet) -> list[list[Cell]]:
    rows = sheet.to_python(skip_empty_area=False)
    for (first, column), (last, last_column) in sheet.merged_cell_ranges or ():
        if column == last_column and isinstance(rows[first][column], str):  # a number holds once
            for row in rows[first + 1 : last + 1]:
                row[column] = rows[first][column]
    return rows


def _csv(rows: list[list[Cell]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_text(cell) for cell in row] for row in rows)
    return text.getvalue()


def _text(cell: Cell) -> str:
    """A cell as text: dates by ISO 8601, whole numbers without a point, and always one line."""
    if isinstance(cell, dt.datetime | dt.date | dt.time):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return " ".join(str(cell).splitlines())
