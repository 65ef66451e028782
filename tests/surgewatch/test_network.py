"""The failing network of the torture run."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.network import Network

SOON = 0.3  # seconds in which nothing comes


@contextmanager
def echoing(port: int) -> Iterator[None]:
    """Serve what is sent back, a thread for each connection."""

    def echo(connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(1 << 16):
                connection.sendall(data)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=echo, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", port)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def network() -> Iterator[Network]:
    network = Network(free_port(), free_port())
    with echoing(network.server_port), network.running():
        yield network


def connect(network: Network) -> socket.socket:
    return socket.create_connection(("127.0.0.1", network.port), timeout=10)


def answer(connection: socket.socket, text: bytes) -> bytes:
    connection.sendall(text)
    return connection.recv(1 << 16)


def test_a_stalled_network_delivers_later_what_was_sent_meanwhile(network: Network) -> None:
    with connect(network) as connection:
        assert answer(connection, b"before") == b"before"
        network.stall()
        connection.sendall(b"meanwhile")
        connection.settimeout(SOON)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        network.resume()
        connection.settimeout(10)
        assert connection.recv(1 << 16) == b"meanwhile"


def test_an_abandoned_connection_stays_open_and_silent_while_new_ones_work(network: Network) -> None:
    with connect(network) as old:
        assert answer(old, b"before") == b"before"
        network.abandon()
        old.settimeout(SOON)
        with pytest.raises(TimeoutError):
            answer(old, b"after")
    with connect(network) as new:
        assert answer(new, b"new") == b"new"
