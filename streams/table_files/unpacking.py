"""Packed files: gzip, bzip2, xz, and zip archives of one file."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import IO, Final, cast

from streams.table_files.faults import InputError

BROKEN: Final = (  # raised where a packed file is cut off or damaged
    EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile,
)  # fmt: skip
_PACKED: Final[Mapping[bytes, Callable[[IO[bytes]], object]]] = {
    b"\x1f\x8b": lambda packed: gzip.GzipFile(fileobj=packed),
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}
_ZIP: Final = b"PK\x03\x04"
_IN_WORKBOOKS: Final = {"[Content_Types].xml", "mimetype"}  # which are archives too, and stay packed
_DEEPEST: Final = 3  # a packed file in an archive, and one more
SHOWN: Final = 5  # files of an archive that are named


def unpacked(path: str, stream: io.BufferedReader) -> io.BufferedReader:
    """Return the bytes of what is packed; of anything else, and of a workbook, the bytes themselves.

    Raises InputError where an archive does not hold one file that can be unpacked; one of BROKEN, now or
    where the bytes are read.
    """
    for _ in range(_DEEPEST):
        start = stream.peek(8)[:8]
        if opened := next((each for mark, each in _PACKED.items() if start.startswith(mark)), None):
            stream = io.BufferedReader(cast("io.RawIOBase", opened(stream)))
        elif start.startswith(_ZIP):
            content = io.BytesIO(stream.read())
            archive = zipfile.ZipFile(content)
            if not _IN_WORKBOOKS.isdisjoint(archive.namelist()):
                content.seek(0)
                return io.BufferedReader(cast("io.RawIOBase", content))
            stream = io.BufferedReader(cast("io.RawIOBase", _only_file(path, archive)))
        else:
            break
    return stream


def _only_file(path: str, archive: zipfile.ZipFile) -> IO[bytes]:
    files = [
        each for each in archive.infolist() if not each.is_dir() and not each.filename.startswith("__MACOSX/")
    ]
    if len(files) != 1:
        names = ", ".join(repr(each.filename) for each in files[:SHOWN])
        more = ", ..." if len(files) > SHOWN else ""
        raise InputError(
            f"{path} is an archive of {len(files)} files ({names}{more}): unpack it, and give one"
        )
    try:
        return archive.open(files[0])
    except (RuntimeError, NotImplementedError) as error:  # a password, or a method of another program
        raise InputError(f"{path} cannot be unpacked: {error}") from error
