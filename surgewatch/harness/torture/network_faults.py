"""Faults of the network between the broker and half of the workers: one of each package."""

import random

from surgewatch.harness.torture.site import Site, pause


def stalled_network(site: Site) -> None:
    """Forward nothing, for longer than sessions and requests last; then all that waited goes on."""
    network = random.choice(site.networks)  # noqa: S311 - any will do
    network.stall()
    _outlast_requests(site)
    network.resume()


def half_open(site: Site) -> None:
    """Break all connections at the broker's end alone: workers keep theirs, and never get an answer."""
    random.choice(site.networks).abandon()  # noqa: S311
    _outlast_requests(site)


def _outlast_requests(site: Site) -> None:
    """Wait until sessions and requests have timed out."""
    pause(site.fleet.request_seconds * 1.5, site.fleet.request_seconds * 2.5)
