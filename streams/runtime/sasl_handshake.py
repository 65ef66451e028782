"""Ask a listener which SASL mechanisms it offers (Kafka's SaslHandshake, version 1)."""

import socket
import struct
from typing import Final, NamedTuple

API_KEY, VERSION, CORRELATION = 17, 1, 1
NO_SASL: Final = 34  # ILLEGAL_SASL_STATE: the listener takes no SASL
LARGEST: Final = 1 << 16  # bytes of an answer; whatever else speaks there may begin with any number


class Offer(NamedTuple):
    """What a listener answered: Kafka's error code (0: the mechanism is on), and the mechanisms it offers."""

    error: int
    mechanisms: tuple[str, ...]


def ask(connection: socket.socket, mechanism: str) -> Offer | None:
    """Return what a listener offers; None where the answer is not Kafka's. Raises OSError."""
    name = mechanism.encode()
    body = struct.pack(">hhihh", API_KEY, VERSION, CORRELATION, -1, len(name)) + name  # without a client id
    connection.sendall(struct.pack(">i", len(body)) + body)
    (size,) = struct.unpack(">i", _read(connection, 4))
    if not 0 < size < LARGEST:
        return None
    return _parsed(_read(connection, size))


def _parsed(answer: bytes) -> Offer | None:
    try:
        correlation, error, number = struct.unpack_from(">ihi", answer)
        names, at = [], struct.calcsize(">ihi")
        for _ in range(number):
            (length,) = struct.unpack_from(">h", answer, at)
            names.append(answer[at + 2 : at + 2 + length].decode())
            at += 2 + length
    except (struct.error, UnicodeDecodeError):
        return None
    return Offer(error, tuple(sorted(names))) if correlation == CORRELATION else None


def _read(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        if not (part := connection.recv(size - len(found))):
            raise ConnectionError("the connection was closed")
        found += part
    return found
