"""The options of the commands that read a history (counts and a calendar) and write what they find."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

import click

from streams.backtest import history_table
from streams.baselines.calendar import Calendar, CalendarError
from streams.contract.cadence import Cadence
from streams.table_files.faults import InputError


def historic(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a command the `table` of FILE, the `dates` of its calendar, and `out`; exit 2 on bad input."""

    @click.argument("file", type=click.Path(path_type=Path))
    @click.option("--cadence", type=click.Choice([str(one) for one in Cadence]), required=True)
    @click.option(
        "--calendar",
        type=click.Path(path_type=Path),
        help="date,kind,name,series,until: holidays, policies, closures.",
    )
    @click.option("--sheet", metavar="NAME", help="The sheet of a workbook, where several could be read.")
    @click.option(
        "--out", type=click.File("w", "utf-8"), default="-", help="Output file; default: standard output."
    )
    @wraps(verb)
    def command(file: Path, cadence: str, calendar: Path | None, sheet: str | None, **rest: Any) -> None:
        try:
            table = history_table.read(file, Cadence(cadence), sheet=sheet)
            dates = Calendar.read(calendar) if calendar else Calendar()
        except (InputError, CalendarError, OSError) as error:
            refuse(str(error))
        verb(table=table, dates=dates, **rest)

    return command


def refuse(problem: str) -> NoReturn:
    """Print why a history cannot be used, and exit with 2."""
    click.echo(f"surgewatch: {problem}", err=True)
    sys.exit(2)
