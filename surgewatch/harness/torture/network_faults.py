"""Faults of the network between the broker and half of the workers: one of each package."""

import random
from typing import Final

from surgewatch.harness.torture.site import REQUEST_SECONDS, Site, pause

LONG: Final = (REQUEST_SECONDS * 1.5, REQUEST_SECONDS * 2.5)  # seconds: sessions and requests time out


def stalled_network(site: Site) -> None:
    """Forward nothing, for longer than sessions and requests last; then all that waited goes on."""
    network = random.choice(site.networks)  # noqa: S311 - any will do
    network.stall()
    pause(*LONG)
    network.resume()


def half_open(site: Site) -> None:
    """Break all connections at the broker's end alone: workers keep theirs, and never get an answer."""
    random.choice(site.networks).abandon()  # noqa: S311
    pause(*LONG)
