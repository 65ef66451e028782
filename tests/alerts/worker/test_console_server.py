"""The console has a thread of its own: what pages do costs the worker's loop nothing."""

import asyncio
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from alerts.worker.console_server import ConsoleThread, console_server, from_loop
from streams.runtime.refusals import Exit, SetupError
from tests.alerts.console.served import ServedConsole


@contextmanager
def console(served: ServedConsole) -> Iterator[int]:
    """Run a console while no other loop runs at all."""
    thread = ConsoleThread(served.backend(), "127.0.0.1", 0)
    thread.start()
    try:
        yield thread.listening.result(10)
    finally:
        thread.stop()


def read(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return answer.read()


def test_the_console_answers_while_the_workers_loop_does_not_turn():
    with console(ServedConsole()) as port:
        assert b'"alerts"' in read(port, "/api/board")
        assert read(port, "/healthz") == b"ok\n"


def test_400_half_open_sockets_keep_no_page_out_and_the_board_is_written_meanwhile():
    """The test's thread stands for the worker's loop: it writes, and never serves a socket."""
    served = ServedConsole()
    with console(served) as port:
        sockets = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(400)]
        for one in sockets:
            one.send(b"GET / HTTP/1.1\r\nHost: local")
        alert = served.board.alerts()[0]
        for _ in range(100):
            served.board.alert(alert)
        assert b'"alerts"' in read(port, "/api/board")
        assert read(port, "/healthz") == b"ok\n"
        first = sockets[0]
        first.settimeout(10)
        with suppress(ConnectionError):
            assert first.recv(100) == b""  # its place was needed
        for one in sockets:
            one.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "console"]


async def test_what_is_asked_runs_in_the_workers_loop():
    loop = asyncio.get_running_loop()
    used = []

    async def publish(number: int) -> int:
        used.append(asyncio.get_running_loop())
        return number

    def elsewhere() -> int:
        return asyncio.run(_call(from_loop(loop, publish)))

    assert await asyncio.to_thread(elsewhere) == 7
    assert used == [loop]


async def _call(work):
    return await work(7)


async def test_a_port_that_is_taken_ends_the_start_with_a_line_that_names_it_and_its_setting():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            SetupError, match=f"127.0.0.1:{port}: Address already in use.*SURGEWATCH_ALERTS_PORT"
        ):
            async with console_server(ServedConsole().backend(), "127.0.0.1", port):
                pass


async def test_readers_run_in_the_consoles_thread_until_it_ends():
    threads, ended = [], threading.Event()

    async def reader() -> None:
        threads.append(threading.current_thread().name)
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with console_server(ServedConsole().backend(), "127.0.0.1", 0, readers=[reader]):
        while not threads:
            await asyncio.sleep(0.01)
    assert threads == ["console"]
    assert ended.is_set()


@pytest.mark.parametrize("fault", [MemoryError(), None])
def test_a_reader_that_ends_ends_the_worker_since_its_board_would_stand_still(fault):
    async def reader() -> None:
        if fault is not None:
            raise fault

    ends: list[int] = []
    thread = ConsoleThread(ServedConsole().backend(), "127.0.0.1", 0, readers=[reader], end=ends.append)
    thread.start()
    thread.listening.result(10)
    thread.join(10)
    assert ends == [Exit.STUCK]
