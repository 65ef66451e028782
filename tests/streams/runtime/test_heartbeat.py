"""The heartbeat: it beats while the worker is ready, and nothing that happens to it stops the worker."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from pydantic import SecretStr
from structlog.testing import capture_logs

from streams.runtime.heartbeat import Beat, Heartbeat
from streams.runtime.refusals import SetupError
from tests.http_site import http_site

SECRET = "b7d2-secret"


@dataclass
class Watcher:
    """A dead man's switch that answers with `status`."""

    status: int = 200
    asked: list[str] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.Response(status=self.status, headers={"Location": "http://169.254.169.254/latest"})


@asynccontextmanager
async def watching(watcher: Watcher) -> AsyncIterator[Watcher]:
    async with http_site([web.get("/{secret}", watcher.answer)]) as port:
        watcher.url = f"http://127.0.0.1:{port}/{SECRET}"
        yield watcher


@dataclass
class Worker:
    """What a heartbeat sees of its worker."""

    ready: bool = True
    beats: Counter[Beat] = field(default_factory=Counter)

    def heartbeat(self, url: str, *, private: bool = True, proxy: str | None = None) -> Heartbeat:
        return Heartbeat(
            SecretStr(url),
            private=private,
            proxy=SecretStr(proxy) if proxy else None,
            is_ready=lambda: self.ready,
            count=lambda beat: self.beats.update([beat]),
            every=0.01,
        )


async def until_beats(worker: Worker, heartbeat: Heartbeat, number: int) -> None:
    """Run until that many requests have been answered, or have failed."""
    task = asyncio.create_task(heartbeat.run())
    async with asyncio.timeout(10):
        while worker.beats.total() < number:
            assert not task.done(), "the heartbeat ended"
            await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_it_beats_again_and_again_while_the_worker_is_ready() -> None:
    async with watching(Watcher()) as watcher:
        worker = Worker()
        await until_beats(worker, worker.heartbeat(watcher.url), 3)
    assert watcher.asked[:3] == [f"/{SECRET}"] * 3
    assert worker.beats.keys() == {Beat.SENT}


async def test_it_never_beats_while_the_worker_is_not_ready() -> None:
    async with watching(Watcher()) as watcher:
        worker = Worker(ready=False)
        task = asyncio.create_task(worker.heartbeat(watcher.url).run())
        await asyncio.sleep(0.2)
        assert watcher.asked == []
        worker.ready = True
        async with asyncio.timeout(10):
            while not watcher.asked:
                await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(
    ("status", "beat"),
    [(204, Beat.SENT), (302, Beat.BAD_STATUS), (404, Beat.BAD_STATUS), (500, Beat.BAD_STATUS)],
)
async def test_an_answer_is_read_by_its_status_and_a_redirect_is_not_followed(
    status: int, beat: Beat
) -> None:
    async with watching(Watcher(status=status)) as watcher:
        worker = Worker()
        await until_beats(worker, worker.heartbeat(watcher.url), 2)
    assert worker.beats.keys() == {beat}


async def test_a_failure_is_counted_and_logged_without_the_url_and_the_next_request_follows() -> None:
    worker = Worker()
    with capture_logs() as logs:
        await until_beats(worker, worker.heartbeat(f"http://127.0.0.1:9/{SECRET}"), 2)
    assert worker.beats.keys() == {Beat.NO_ANSWER}
    assert [line["event"] for line in logs][:2] == ["heartbeat failed"] * 2
    assert SECRET not in repr(logs)


async def test_a_name_that_leads_to_a_private_address_is_not_requested() -> None:
    async with watching(Watcher()) as watcher:
        worker = Worker()
        named = watcher.url.replace("127.0.0.1", "0x7f000001")  # a name that every resolver leads there
        await until_beats(worker, worker.heartbeat(named, private=False), 1)
        assert watcher.asked == []
    assert worker.beats.keys() == {Beat.PRIVATE_ADDRESS}


async def test_a_proxy_is_asked_for_what_cannot_be_looked_up_here() -> None:
    async with watching(Watcher()) as proxy:
        worker = Worker()
        named = worker.heartbeat(f"http://ping.invalid/{SECRET}", private=False, proxy=proxy.url)
        await until_beats(worker, named, 2)
    assert proxy.asked[:2] == [f"/{SECRET}"] * 2
    assert worker.beats.keys() == {Beat.SENT}


async def test_a_proxy_that_is_away_is_logged_without_its_password() -> None:
    worker = Worker()
    with capture_logs() as logs:
        proxied = worker.heartbeat("https://ping.invalid/", proxy=f"http://me:{SECRET}@127.0.0.1:9")
        await until_beats(worker, proxied, 1)
    assert worker.beats.keys() == {Beat.NO_ANSWER}
    assert SECRET not in repr(logs)


def test_a_proxy_that_is_none_is_refused_at_the_start_without_being_shown() -> None:
    with pytest.raises(SetupError, match="HEARTBEAT_PROXY is no http") as refused:
        Worker().heartbeat("https://ping.invalid/", proxy=f"socks5://me:{SECRET}@proxy")
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "url", [f"ftp://example.org/{SECRET}", f"https:///{SECRET}", f"http://10.0.0.7/{SECRET}"]
)
def test_a_url_that_cannot_be_used_is_refused_at_the_start_without_being_shown(url: str) -> None:
    with pytest.raises(SetupError) as refused:
        Worker().heartbeat(url, private=False)
    assert SECRET not in str(refused.value)
