"""A worker heeds signals from its first moment."""

import asyncio
import signal
import subprocess
import sys

import pytest

from streams.runtime.ending import done_before, failure_of
from streams.runtime.refusals import StateError

AT_ONCE = """
import time
from streams.runtime.ending import end_at_once
end_at_once()
print(flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_the_worker_is_imported_ends_the_process_in_good_order(name: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", AT_ONCE], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(name)
        assert process.wait(30) == 0


async def test_work_is_given_up_where_the_end_comes_first() -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().call_soon(ended.set)
    assert not await done_before(ended, asyncio.sleep(3600))


async def test_work_that_is_done_is_done_and_what_it_raises_is_raised() -> None:
    async def fail() -> None:
        raise ValueError("no broker")

    assert await done_before(asyncio.Event(), asyncio.sleep(0))
    with pytest.raises(ValueError, match="no broker"):
        await done_before(asyncio.Event(), fail())


async def test_a_task_that_failed_is_seen_whatever_others_have_ended_well() -> None:
    """The start of a worker ends well; what looks at it from outside must not fail unseen after that."""

    async def fail() -> None:
        raise StateError("made anew")

    tasks = [asyncio.create_task(one) for one in (asyncio.sleep(60), fail(), asyncio.sleep(0))]
    assert failure_of(tasks) is None
    await asyncio.wait(tasks[1:])
    assert isinstance(failure_of(tasks), StateError)
    tasks[0].cancel()
