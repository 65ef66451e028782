"""A secured broker for tests; else skipped, saying so."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from surgewatch.harness.apache_kafka import BrokerUnavailableError, Listeners
from surgewatch.harness.secured_kafka import PLAIN, USER, SecuredKafka, secured_kafka
from tests import kafka


def own_secured_broker(
    folder: Path, *, supers: tuple[str, ...] = (USER,), more: Listeners = PLAIN
) -> Iterator[SecuredKafka]:
    """A secured broker for as long as a fixture lasts; see `secured_kafka`."""
    try:
        found = secured_kafka(folder, supers=supers, more=more)
        found.broker.start()
    except BrokerUnavailableError as error:
        kafka.absent(str(error))
    else:
        try:
            yield found
        finally:
            found.broker.kill()


def surgewatch(settings: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in an environment with these settings."""
    command = [sys.executable, "-m", "surgewatch", *words]
    return subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, timeout=60)
