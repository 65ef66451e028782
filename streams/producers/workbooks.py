"""Workbooks (.xlsx, .xls, .ods): each sheet as the CSV that a spreadsheet would save, row for row."""

import csv
import datetime as dt
import io
from typing import IO, Final

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from streams.producers.rows import InputError

_STARTS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # of .xlsx and .ods, and of .xls
Cell = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta


def is_workbook(start: bytes) -> bool:
    """Return whether a file that begins with these bytes, and is no archive of one file, is a workbook."""
    return start.startswith(_STARTS)


def sheets(path: str, stream: IO[bytes]) -> dict[str, str]:
    """Return the visible sheets that have cells, as CSV by name, in the workbook's order.

    Raises InputError where the file is no workbook, or needs a password.
    """
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(stream.read()))
        names = [
            sheet.name
            for sheet in workbook.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
        ]
        found = {name: workbook.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in names}
    except CalamineError as error:
        raise InputError(f"{path} is no workbook that can be read: {error}") from error
    return {name: _csv(rows) for name, rows in found.items() if rows}


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
