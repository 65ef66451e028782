"""Health answers from a thread of its own."""

import socket
import struct
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import ExitStack, suppress

import pytest

from streams.runtime import health
from tests.waiting import until


@pytest.fixture
def url():
    routes = {
        "/healthz": lambda: health.verdict(None),
        "/readyz": lambda: health.verdict("no partitions yet"),
    }
    server = health.serve("127.0.0.1", 0, routes)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_sound_worker_answers_ok(url):
    with urllib.request.urlopen(f"{url}/healthz?verbose=1") as answer:
        assert answer.read() == b"ok\n"


def test_a_worker_that_is_not_ready_reports_what_it_waits_for(url):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{url}/readyz")
    with refused.value as answer:
        assert answer.code == 503
        assert answer.read() == b"no partitions yet\n"


def test_other_paths_are_not_found(url):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{url}/etc/passwd")
    with refused.value as answer:
        assert answer.code == 404


def test_half_open_connections_keep_nobody_from_asking(url):
    port = int(url.rpartition(":")[2])
    with ExitStack() as half_open:
        opened = []
        for _ in range(health.CONNECTIONS * 2):
            opened.append(half_open.enter_context(socket.create_connection(("127.0.0.1", port))))
            opened[-1].sendall(b"GET /met")
        with urllib.request.urlopen(f"{url}/healthz", timeout=10) as answer:
            assert answer.read() == b"ok\n"
        assert opened[0].recv(1) == b"", "the oldest one is disconnected"
        # A thread whose connection was shut needs a moment of the processor to end.
        until(lambda: answering() <= health.CONNECTIONS, "no more threads than connections")


def answering():
    return sum("process_request" in thread.name for thread in threading.enumerate())


def test_a_client_that_breaks_off_leaves_no_line_in_the_log(url, capfd):
    port = int(url.rpartition(":")[2])
    for request in (b"GET /healthz HTTP/1.1\r\n\r\n", b"\x16\x03\x01" * 30_000):
        with socket.create_connection(("127.0.0.1", port)) as connection, suppress(ConnectionError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(request)
    with urllib.request.urlopen(f"{url}/healthz") as answer:
        assert answer.status == 200
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 on this machine")
def test_it_listens_on_ipv6_too():
    server = health.serve("::1", 0, {"/healthz": lambda: health.verdict(None)})
    try:
        with urllib.request.urlopen(f"http://[::1]:{server.server_port}/healthz") as answer:
            assert answer.read() == b"ok\n"
    finally:
        server.shutdown()
        server.server_close()


WITHOUT_DESCRIPTORS = """
import os, resource, socket, time
from streams.runtime.health import serve, verdict
server = serve("127.0.0.1", 0, {"/healthz": lambda: verdict(None)})
clients = [socket.socket() for _ in range(3)]
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
held = []
try:
    while True:
        held.append(os.dup(2))
except OSError:
    pass
for client in clients:
    client.connect(("127.0.0.1", server.server_port))
    client.sendall(b"GET /healthz HTTP/1.0\\r\\n\\r\\n")
before = time.process_time()
time.sleep(2)
used = time.process_time() - before
while held:
    os.close(held.pop())
print(used, [client.recv(15) for client in clients])
"""


def test_without_a_descriptor_for_a_client_it_waits_and_takes_no_core():
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_DESCRIPTORS], capture_output=True, text=True, timeout=60, check=True
    )
    used, answers = ended.stdout.split(maxsplit=1)
    assert float(used) < 0.1
    assert answers.count("HTTP/1.0 200 OK") == 3, ended
