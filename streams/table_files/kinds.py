"""What a file is, by its first bytes: text in an encoding, or no text."""

from typing import Final

_KINDS: Final = {
    b"PK\x03\x04": "is an Excel workbook or a zip archive: save the sheet as CSV, or unpack the archive",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook: save the sheet as CSV",
    b"%PDF": "is a PDF: save its table as CSV",
    b"\x28\xb5\x2f\xfd": "is compressed with zstd: unpack it, or pack it with gzip",
    b"<": "is a web page or XML: save its table as CSV",
    b"version https://git-lfs": "is a pointer to a file in Git LFS: fetch the file itself (git lfs pull)",
}
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


def encoding(start: bytes) -> str:
    """Return the encoding of a text by its first bytes: UTF-16 with its byte order mark, else UTF-8."""
    return "utf-16" if start.startswith(_UTF_16) else "utf-8-sig"


def not_text(start: bytes) -> str | None:
    """Return what a file is that begins with these bytes, and the way out; None where it may be text."""
    return next((explained for mark, explained in _KINDS.items() if start.startswith(mark)), None)
