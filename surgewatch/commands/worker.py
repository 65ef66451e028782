"""`surgewatch worker`: run one worker, with the settings of the environment."""

import importlib
import os
import sys

import click

from streams.runtime.ending import end_at_once


@click.command()
@click.argument("which", type=click.Choice(["streams", "alerts"]))
@click.option("--id", "name", help="Static member id: a restart under the same id causes no rebalance.")
@click.option("--check", is_flag=True, help="Only check settings and documents; needs no broker.")
def command(which: str, name: str | None, check: bool) -> None:
    """Run the streams or the alerts worker until it is stopped.

    Settings are read from SURGEWATCH_* in the environment (docs/configuration.md). With --check the command
    ends with 0, or with 2 and all that is wrong: before a restart puts edited documents in force.
    """
    if name is not None:
        os.environ["SURGEWATCH_INSTANCE"] = f"{which}-{name}"
    end_at_once()
    status = importlib.import_module(f"{which}.worker.app").main(check=check)
    if check and not status:
        click.echo("Settings and documents can be used.")
    sys.exit(status)
