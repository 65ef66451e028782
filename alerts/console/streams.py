"""Event streams: the changes of the board, serialised once for all pages that follow it."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from aiohttp import web

from alerts.console.access import HEADERS, refusal
from alerts.console.board import Board

GLANCE: Final = 0.2  # seconds between looks at the board: a burst is one message, an alert shows within 1 s
HEARTBEAT: Final = 15.0  # seconds of quiet after which the stream shows that it is alive
WRITE_SECONDS: Final = 10.0  # for a page to take a message; one that does not is cut off
PIECE: Final = 1 << 16  # bytes
MOST: Final = 200
MOST_BY_ADDRESS: Final = 100


class EventStreams:
    """The streams to pages. A new page gets the whole board, then what changes."""

    def __init__(
        self,
        board: Board,
        *,
        most: int = MOST,
        most_by_address: int = MOST_BY_ADDRESS,
        heartbeat: float = HEARTBEAT,
    ) -> None:
        self._board, self._most, self._most_by_address = board, most, most_by_address
        self._heartbeat = heartbeat
        self._open: Counter[str] = Counter()  # by address
        self._whole = (-1, b"")  # version, message
        self._change = (-1, -1, b"")  # from version, to version, message
        self._changed = asyncio.Event()

    async def follow(self) -> None:
        """Look at the board for ever, and wake the streams where it has changed."""
        while True:
            self._board.expire()
            before = self._change[1]
            if self._board.version != before:
                news = self._board.changes(before)
                self._change = (before, news.version, news.encode())
                self._changed.set()
                self._changed = asyncio.Event()
            await asyncio.sleep(GLANCE)

    def whole(self) -> bytes:
        """Return the whole board as JSON."""
        if self._whole[0] != self._board.version:
            snapshot = self._board.snapshot()
            self._whole = (snapshot.version, snapshot.encode())
        return self._whole[1]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer with a stream of the board's changes, until the page goes."""
        with self._place(request.remote or ""):
            response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
            await response.prepare(request)
            seen = -1
            try:
                while True:
                    changed = self._changed
                    async with asyncio.timeout(WRITE_SECONDS):
                        seen = await self._write_news(response, seen)
                    while not await _within(self._heartbeat, changed):
                        async with asyncio.timeout(WRITE_SECONDS):
                            await response.write(b"event: alive\ndata: \n\n")
            except TimeoutError:
                if request.transport is not None:
                    request.transport.abort()  # the page does not read
            except ConnectionResetError:
                pass  # the page was closed
            return response

    async def _write_news(self, response: web.StreamResponse, seen: int) -> int:
        """Write what the page lacks; return the version that it has then."""
        since, version, message = self._change
        if seen >= version:
            return seen
        if seen < 0:
            message = self.whole()
            version = self._whole[0]
        elif seen != since:
            news = self._board.changes(seen)
            version, message = news.version, news.encode()
        await write_in_pieces(response, b"id: %d\ndata: %b\n\n" % (version, message))
        return version

    @contextmanager
    def _place(self, address: str) -> Iterator[None]:
        if self._open.total() >= self._most or self._open[address] >= self._most_by_address:
            busy = refusal(web.HTTPServiceUnavailable, "too many pages are open")
            busy.headers["Retry-After"] = "5"
            busy.force_close()  # else it holds a connection that Prometheus and probes need
            raise busy
        self._open[address] += 1
        try:
            yield
        finally:
            self._open[address] -= 1
            self._open += Counter()  # addresses without streams are forgotten


async def write_in_pieces(response: web.StreamResponse, text: bytes) -> None:
    """Write as much as the client takes, so that no more than a piece waits in memory for a slow one."""
    for start in range(0, len(text), PIECE):
        await response.write(text[start : start + PIECE])


async def _within(seconds: float, event: asyncio.Event) -> bool:
    """Return whether the event came in time."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
