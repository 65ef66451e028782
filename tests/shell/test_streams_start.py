"""A worker that cannot start says why on one line."""

import os
import subprocess
import sys


def test_a_broker_that_is_not_there_is_said_in_seconds_and_without_a_stack_trace(tmp_path):
    environment = os.environ | {
        "SURGEWATCH_BROKERS": "127.0.0.1:1",
        "SURGEWATCH_STATE_DIR": str(tmp_path),
        "SURGEWATCH_STREAMS_PORT": "0",
    }
    ended = subprocess.run(
        [sys.executable, "-m", "streams"], env=environment, capture_output=True, text=True, timeout=20
    )
    assert ended.returncode == 2
    assert "no Kafka broker answers at 127.0.0.1:1" in ended.stderr
    assert "Traceback" not in ended.stderr
