"""A worker that cannot start gives the reason on one line."""

import os
import subprocess
import sys


def test_a_missing_broker_is_named_in_seconds_and_without_a_stack_trace(tmp_path):
    environment = os.environ | {
        "SURGEWATCH_BROKERS": "127.0.0.1:1",
        "SURGEWATCH_STATE_DIR": str(tmp_path),
        "SURGEWATCH_STREAMS_PORT": "0",
    }
    ended = subprocess.run(
        [sys.executable, "-m", "streams"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 2
    assert "127.0.0.1:1: nothing listens there" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_document_of_peer_priors_that_does_not_fit_the_model_is_refused_with_its_line(tmp_path):
    peer_priors = tmp_path / "peer_priors.toml"
    peer_priors.write_text(
        "[[prior]]\ncadence = 'month'\nsectors = 3\ncentre = [1.0]\nspread = [1.0]\n"
        "dispersion = 2\nslope = 0.5\nperiods = 0\n"
    )
    environment = os.environ | {
        "SURGEWATCH_PEER_PRIORS": str(peer_priors),
        "SURGEWATCH_STATE_DIR": str(tmp_path),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "streams"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 2
    assert f"{peer_priors}:8: prior.0.periods" in ended.stderr


HANGING_NAMES = """
import asyncio, socket, sys, threading, time
from streams.runtime.process import run
from streams.runtime.refusals import SetupError

answers = threading.Event()
socket.getaddrinfo = lambda *_, **__: answers.wait(30) or []

class Start:
    async def __aenter__(self):
        loop = asyncio.get_running_loop()
        lookups = [asyncio.ensure_future(loop.getaddrinfo("hangs.example", 443)) for _ in range(40)]
        await asyncio.sleep(0.2)
        began = time.monotonic()
        await asyncio.to_thread(time.sleep, 0)
        answers.set()
        await asyncio.gather(*lookups, return_exceptions=True)
        raise SetupError("at once" if time.monotonic() - began < 10 else "late")

    async def __aexit__(self, *_):
        pass

sys.exit(run(Start, ()))
"""


def test_a_name_server_that_hangs_holds_up_nothing_else_that_is_done_in_threads():
    ended = subprocess.run(
        [sys.executable, "-c", HANGING_NAMES], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2, ended
    assert "surgewatch: at once" in ended.stderr
