"""`surgewatch worker`: run one worker, with the settings of the environment."""

import importlib
import os
import sys

import click

from streams.runtime.ending import end_at_once


@click.command()
@click.argument("which", type=click.Choice(["streams", "alerts"]))
@click.option("--id", "name", help="Static member id: a restart under the same id causes no rebalance.")
def command(which: str, name: str | None) -> None:
    """Run the streams or the alerts worker until it is stopped.

    Settings are read from SURGEWATCH_* in the environment (docs/configuration.md).
    """
    if name is not None:
        os.environ["SURGEWATCH_INSTANCE"] = f"{which}-{name}"
    end_at_once()
    sys.exit(importlib.import_module(f"{which}.worker.app").main())
