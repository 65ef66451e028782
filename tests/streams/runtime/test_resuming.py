"""Fetching goes on after a rebalance, however slowly the broker answers."""

import asyncio
from typing import cast

import pytest
from faust.tables.recovery import RebalanceAgain, Recovery

from streams.runtime.faust_app import faust_app
from streams.runtime.resuming import Tables
from streams.runtime.settings import WorkerSettings


def recovery() -> Recovery:
    return cast("Tables", faust_app(WorkerSettings(), "resuming").tables).recovery


async def test_an_answer_that_comes_after_the_timeout_is_waited_for() -> None:
    """Faust's own recovery raises ServiceStopped here, and its task ends for good."""
    answered = asyncio.Event()
    asyncio.get_running_loop().call_later(0.1, answered.set)
    await recovery()._wait(answered.wait(), timeout=0.01)
    assert answered.is_set()


async def test_another_rebalance_is_not_waited_for() -> None:
    resuming = recovery()
    resuming.signal_recovery_start.set()
    with pytest.raises(RebalanceAgain):
        await resuming._wait(asyncio.Event().wait(), timeout=0.01)
