"""Reading a file as `surgewatch ingest` does, for tests."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from streams.contract.events import Encounter
from streams.contract.sectors import registry
from streams.counting.decoder import Decoder
from streams.producers.files import read
from streams.producers.layout import Layout
from streams.producers.outgoing import Outgoing
from streams.producers.rows import Checked
from streams.table_files.faults import InputError

PLACES = registry()
NOW = 1_900_000_000.0
CBP_HEADER = (
    "Fiscal Year,Month Grouping,Month (abbv),Component,Land Border Region,Area of Responsibility,AOR (Abbv),"
    "Demographic,Citizenship,Title of Authority,Encounter Type,Encounter Count\n"
)
OCTOBER = (
    "2025 (FYTD),FYTD,OCT,U.S. Border Patrol,Southwest Land Border,San Diego Sector,SDC,UC / Single Minors,"
    'MEXICO,Title 8,Apprehensions,"1,204"\n'
)


def checked(
    path: Path, layout: Layout | None = None, *, sheet: str | None = None
) -> tuple[list[Outgoing], Checked]:
    """The records of a file, and what was found while they were read."""
    rows = Checked(read(str(path), PLACES, layout, sheet=sheet), Decoder(PLACES), NOW)
    return list(rows), rows


def events(records: Iterable[Outgoing]) -> list[Encounter]:
    """The records as the contract has them."""
    return [Encounter.model_validate_json(record.value, strict=True) for record in records]


def written(folder: Path, content: str | bytes, name: str = "file") -> Path:
    """A file of that content."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(path: Path, *, sheet: str | None = None) -> str:
    """The reason for which a file is refused."""
    with pytest.raises(InputError) as raised:
        read(str(path), PLACES, sheet=sheet)
    return str(raised.value)
