"""Look up the names of sinks and proxies, so that a DNS that fails is seen before a notice has to go out."""

import asyncio
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import urlsplit

import structlog

from alerts.sinks import Sink
from alerts.sinks.apprise import AppriseSink, host
from alerts.sinks.mail.sink import MailSink
from alerts.worker.sink_network import DIRECT, Networks, address

log = structlog.get_logger()

SECONDS: Final = 30.0  # between two looks
ANSWER: Final = 10.0  # seconds after which a name that is being looked up is not known


class SinkNames:
    """Which names that sinks need cannot be looked up: `unknown`, by sink."""

    def __init__(self, sinks: Iterable[Sink], networks: Networks) -> None:
        self._names = {sink.name: _names(sink, networks) for sink in sinks}
        self._every = sorted(frozenset().union(*self._names.values()))
        # A DNS that hangs holds its threads, and what else is done in threads has to go on.
        self._threads = ThreadPoolExecutor(max(len(self._every), 1), thread_name_prefix="names")
        self._lookups: dict[str, asyncio.Future[object]] = {}
        self.unknown: dict[str, list[str]] = {}

    def problem(self) -> str | None:
        """Return which sinks need which names, in words; None where every name is known."""
        needs = [f"{sink} needs {', '.join(names)}" for sink, names in sorted(self.unknown.items())]
        return "; ".join(needs) or None

    async def follow(self) -> None:
        """Look every name up, again and again."""
        while True:
            await self.look()
            await asyncio.sleep(SECONDS)

    async def look(self) -> None:
        """Look every name up once."""
        answers = await asyncio.gather(*map(self._is_known, self._every))
        is_known = dict(zip(self._every, answers, strict=True))
        before = self.unknown
        self.unknown = {
            sink: missing
            for sink, names in self._names.items()
            if (missing := sorted(name for name in names if not is_known[name]))
        }
        if self.unknown != before:
            log.warning("names of sinks cannot be looked up", unknown=self.unknown)

    async def _is_known(self, name: str) -> bool:
        """Return whether a name is answered in time. While a lookup of it hangs there is no other."""
        lookup = self._lookups.get(name)
        if lookup is None or lookup.done():
            loop = asyncio.get_running_loop()
            lookup = loop.run_in_executor(self._threads, socket.getaddrinfo, name, None)
            self._lookups[name] = lookup
        done, _ = await asyncio.wait({lookup}, timeout=ANSWER)
        return bool(done) and lookup.exception() is None


def _names(sink: Sink, networks: Networks) -> frozenset[str]:
    if isinstance(sink, MailSink):
        return frozenset({sink.server.host})
    if isinstance(sink, AppriseSink):  # other parts of its URL are secrets
        return frozenset({host(sink.url)} - {""})
    name = urlsplit(address(sink)).hostname
    return networks.get(sink.name, DIRECT).names(name, private=sink.private) if name else frozenset()
