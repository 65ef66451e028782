"""Files that are no text, known by their first bytes."""

from typing import Final

_KINDS: Final = {
    b"PK\x03\x04": "is an Excel workbook or a zip archive: save the sheet as CSV, or unpack the archive",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook: save the sheet as CSV",
    b"\xff\xfe": "is UTF-16: save it as UTF-8 (iconv -f utf-16 -t utf-8)",
    b"\xfe\xff": "is UTF-16: save it as UTF-8 (iconv -f utf-16 -t utf-8)",
    b"%PDF": "is a PDF: save its table as CSV",
}


def not_text(start: bytes) -> str | None:
    """Return what a file is that begins with these bytes, and the way out; None where it may be text."""
    return next((explained for mark, explained in _KINDS.items() if start.startswith(mark)), None)
