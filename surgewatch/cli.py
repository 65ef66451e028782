"""`surgewatch`: one command; its verbs are the modules of `surgewatch.commands`, loaded when used."""

import logging
import os
import sys
from importlib import import_module
from io import TextIOWrapper
from pkgutil import iter_modules

import click

from streams.contract.toml_documents import DocumentError
from streams.producers.kafka_client import BrokerError
from streams.runtime.environment import refuse_other_text
from streams.runtime.refusals import SetupError
from streams.table_files.faults import InputError
from surgewatch import commands

UNUSABLE = 2  # exit status: wrong set-up or input, nothing was done


class Verbs(click.Group):
    """Finds a verb by the name of its module, so that none pays for the imports of the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(module.name.replace("_", "-") for module in iter_modules(commands.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = import_module(f"surgewatch.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="surgewatch")
def group() -> None:
    """Streaming surge alerts for border encounters."""


def main() -> None:
    """Run the command line. A wrong set-up, or a full disk, is one line of error and no stack trace."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # its errors come as BrokerError
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a name that a terminal cannot show ends no command
            stream.reconfigure(errors="backslashreplace")
    try:
        refuse_other_text(os.environ)
        group()
    except (DocumentError, InputError, BrokerError, SetupError, OSError) as error:
        click.echo(f"surgewatch: {error}", err=True)
        sys.exit(UNUSABLE)
