"""The console's thread asks for the time, and makes no client of Kafka by that: those belong to one loop."""

import asyncio
import time
from pathlib import Path

import pytest

from alerts.worker.app import alerts_worker


async def test_the_time_can_be_had_in_any_thread_before_there_is_any_client(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SURGEWATCH_STATE_DIR", str(tmp_path))
    async with alerts_worker() as worker:
        assert abs(await asyncio.to_thread(worker.now) - time.time()) < 60
        assert worker._app._producer is None
        await worker.close()
