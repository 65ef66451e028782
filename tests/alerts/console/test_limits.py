"""Clients that open much and ask nothing are refused or cut off; the others are answered."""

import asyncio

import pytest
from aiohttp import ClientSession

from alerts.console.connections import ConnectionLimits
from tests.alerts.console.served import ServedConsole, opened

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def answer_of(served: ServedConsole, request: bytes = GET) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(request)
    line = await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    return line


async def is_cut_off(reader: asyncio.StreamReader) -> bool:
    """Read until the server closes, with a reset or without."""
    try:
        while await asyncio.wait_for(reader.read(100), 10):
            pass
    except ConnectionResetError:
        pass
    return True


LIMITS = [ConnectionLimits(most=5), ConnectionLimits(most=50, most_by_address=5)]


@pytest.mark.parametrize("limits", LIMITS, ids=["in all", "from one address"])
async def test_where_all_connections_have_a_request_clients_get_503_until_a_place_is_free(limits):
    async with opened(limits=limits) as served, ClientSession() as http:
        streams = [await http.get(served.url + "/api/events") for _ in range(5)]
        assert b" 503 " in await answer_of(served)
        streams.pop().close()
        while b" 503 " in (line := await answer_of(served)):
            await asyncio.sleep(0.01)
        assert b" 200 " in line
        for stream in streams:
            stream.close()


@pytest.mark.parametrize("limits", LIMITS, ids=["in all", "from one address"])
async def test_sockets_that_are_left_alone_keep_nobody_out(limits):
    async with opened(limits=limits) as served:
        idle = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(12)]
        assert b" 200 " in await answer_of(served)
        for reader, _ in idle[:7]:
            assert await is_cut_off(reader)
        for reader, _ in idle[8:]:  # the seventh made room for the request
            assert not reader.at_eof()
        for _, writer in idle:
            writer.close()


async def test_a_connection_with_a_request_keeps_its_place():
    async with (
        opened(limits=ConnectionLimits(most=5)) as served,
        ClientSession() as http,
        http.get(served.url + "/api/events") as stream,
    ):
        await stream.content.readline()
        idle = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(12)]
        assert b" 200 " in await answer_of(served)
        assert not stream.content.at_eof()
        for _, writer in idle:
            writer.close()


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "])
async def test_a_connection_without_a_whole_request_header_is_closed_in_time(sent):
    async with opened(limits=ConnectionLimits(header_seconds=0.1)) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(sent)
        assert await is_cut_off(reader)
        writer.close()


async def test_a_connection_that_is_idle_after_an_answer_is_closed_in_time():
    async with opened(limits=ConnectionLimits(idle_seconds=0.1)) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(GET)
        assert b"200" in await reader.readline()
        assert await is_cut_off(reader)
        writer.close()


async def test_a_stream_outlives_the_limit_on_idle_connections():
    limits = ConnectionLimits(header_seconds=0.05, idle_seconds=0.05)
    async with (
        opened(limits=limits) as served,
        ClientSession() as http,
        http.get(served.url + "/api/events") as stream,
    ):
        await stream.content.readline()
        await asyncio.sleep(0.3)
        assert not stream.content.at_eof()


async def test_a_stream_without_news_shows_that_it_is_alive():
    async with (
        opened(heartbeat=0.05) as served,
        ClientSession() as http,
        http.get(served.url + "/api/events") as stream,
    ):
        lines = [await asyncio.wait_for(stream.content.readline(), 10) for _ in range(5)]
        assert lines[3:] == [b"event: alive\n", b"data: \n"]  # after the board and an empty line


async def test_beyond_the_limit_of_streams_pages_get_503_and_one_that_closes_makes_room():
    async with opened(most=3) as served, ClientSession() as http:
        pages = [await http.get(served.url + "/api/events") for _ in range(3)]
        async with http.get(served.url + "/api/events") as refused:
            assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
        async with http.get(served.url + "/api/board") as board:
            assert board.status == 200
        for page in pages:
            page.close()
        while (await status_of(http, served)) == 503:
            served.board.version += 1
            await asyncio.sleep(0.05)


async def test_pages_that_were_refused_hold_no_connection_that_a_probe_needs():
    ask = b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with opened(limits=ConnectionLimits(most=5), most=1) as served:
        clients = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(5)]
        for reader, writer in clients:
            writer.write(ask)
            await asyncio.wait_for(reader.readline(), 10)
        for reader, _ in clients[1:]:
            assert await is_cut_off(reader)
        assert b" 200 " in await answer_of(served)
        for _, writer in clients:
            writer.close()


async def status_of(http: ClientSession, served: ServedConsole) -> int:
    page = await http.get(served.url + "/api/events")
    page.close()
    return page.status
