"""The options of every verb that reads a history, its counts and a calendar, and writes what it finds."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

import click

from streams.backtest import history_table
from streams.backtest.history_table import TableError
from streams.baselines.calendar import Calendar, CalendarError
from streams.contract.cadence import Cadence


def historic(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a verb the `table` of FILE, the `dates` of its calendar, and `out`; 2 where they are no good."""

    @click.argument("file", type=click.Path(path_type=Path))
    @click.option("--cadence", type=click.Choice([str(one) for one in Cadence]), required=True)
    @click.option(
        "--calendar", type=click.Path(path_type=Path), help="date,kind,name,series: holidays, policies."
    )
    @click.option(
        "--out", type=click.File("w", "utf-8"), default="-", help="Where to; standard output unless told."
    )
    @wraps(verb)
    def command(file: Path, cadence: str, calendar: Path | None, **rest: Any) -> None:
        try:
            table = history_table.read(file, Cadence(cadence))
            dates = Calendar.read(calendar) if calendar else Calendar()
        except (TableError, CalendarError, OSError) as error:
            refuse(str(error))
        verb(table=table, dates=dates, **rest)

    return command


def refuse(why: str) -> NoReturn:
    """Say why a history is no good, and end with 2."""
    click.echo(f"surgewatch: {why}", err=True)
    sys.exit(2)
