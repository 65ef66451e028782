"""A listener says which SASL mechanisms it offers; whatever else answers there is an error or nothing."""

import socket
import struct
import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.runtime.sasl_handshake import NO_SASL, Offer, ask

REQUEST = struct.pack(">ihhihh", 17, 17, 1, 1, -1, 5) + b"PLAIN"


def answered(answer: bytes, seen: Callable[[bytes], None] = lambda _: None) -> Offer | None:
    """Ask a listener that answers so, and closes."""
    ours, theirs = socket.socketpair()

    def listen() -> None:
        with theirs:
            seen(theirs.recv(100))
            theirs.sendall(answer)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        with ours:
            return ask(ours, "PLAIN")
    finally:
        listener.join(10)


def offer(error: int, *mechanisms: str) -> bytes:
    names = b"".join(struct.pack(">h", len(name)) + name.encode() for name in mechanisms)
    body = struct.pack(">ihi", 1, error, len(mechanisms)) + names
    return struct.pack(">i", len(body)) + body


def test_a_listener_is_asked_as_kafka_asks() -> None:
    seen: list[bytes] = []
    assert answered(offer(0, "PLAIN"), seen.append) == Offer(0, ("PLAIN",))
    assert seen == [REQUEST]


def test_what_a_listener_offers_is_sorted() -> None:
    assert answered(offer(33, "SCRAM-SHA-512", "PLAIN")) == Offer(33, ("PLAIN", "SCRAM-SHA-512"))


def test_a_listener_without_sasl_offers_nothing() -> None:
    assert answered(offer(NO_SASL)) == Offer(NO_SASL, ())


def test_a_listener_that_closes_raises() -> None:
    with pytest.raises(ConnectionError):
        answered(b"")


@given(st.binary(min_size=4, max_size=80))
def test_whatever_answers_ends_in_an_offer_in_none_or_in_an_error_of_the_connection(answer: bytes) -> None:
    try:
        found = answered(answer)
    except OSError:
        return
    assert found is None or isinstance(found, Offer)
