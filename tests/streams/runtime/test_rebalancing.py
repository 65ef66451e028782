"""How long a rebalance has been under way, as the worker itself sees it."""

import asyncio
import time

from faust.types import TP

from streams.runtime.flows import Flows

AT = TP("encounters", 0)


async def nothing() -> None:
    """Check nothing."""


async def test_a_rebalance_lasts_from_what_it_takes_to_what_it_gives_back() -> None:
    owner, began = Flows([], nothing), time.monotonic()
    assert owner.rebalancing(began) == 0
    owner.revoked([AT])
    owner.revoked([])  # the group begins anew before anything was given back
    assert owner.rebalancing(began + 30) > 29
    await owner.assigned([])
    assert owner.rebalancing(began + 60) == 0


async def test_it_lasts_until_state_is_read_back() -> None:
    reading = asyncio.Event()
    owner, began = Flows([], reading.wait), time.monotonic()
    owner.revoked([AT])
    assigned = asyncio.create_task(owner.assigned([AT]))
    await asyncio.sleep(0)
    assert owner.rebalancing(began + 30) > 29
    reading.set()
    await assigned
    assert owner.rebalancing(began + 60) == 0
