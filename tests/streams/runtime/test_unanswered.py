"""Connections on which a broker does not answer."""

import asyncio
import struct

import pytest
from aiokafka import conn
from aiokafka.protocol.admin import ApiVersionResponse_v0
from aiokafka.protocol.metadata import MetadataRequest

from streams.runtime.unanswered import close_unanswered


async def only_greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the first request, for versions, and no other."""
    (size,) = struct.unpack(">i", await reader.readexactly(4))
    (correlation,) = struct.unpack(">i", (await reader.readexactly(size))[4:8])
    answer = struct.pack(">i", correlation) + ApiVersionResponse_v0(0, [(3, 0, 1), (18, 0, 0)]).encode()
    writer.write(struct.pack(">i", len(answer)) + answer)
    await reader.read()
    writer.close()
    await writer.wait_closed()


async def test_a_connection_is_closed_where_no_answer_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conn, "AIOKafkaConnection", conn.AIOKafkaConnection)  # put back at the end
    close_unanswered()
    left = asyncio.Event()

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await only_greet(reader, writer)
        left.set()

    server = await asyncio.start_server(broker, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connection = await conn.create_conn("127.0.0.1", port, request_timeout_ms=300)
    assert connection.connected()
    with pytest.raises(TimeoutError):
        await connection.send(MetadataRequest([]))
    assert not connection.connected()
    await connection.close()
    await left.wait()
    server.close()
    await server.wait_closed()
