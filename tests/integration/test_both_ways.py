"""The alerts worker as a process: a mail and a page go out, and an answer in PagerDuty comes back."""

import asyncio
import datetime as dt
import email
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from confluent_kafka import Producer

from streams.contract.topics import topics
from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.embedded_kafka import EmbeddedBroker
from surgewatch.harness.worker_process import Worker
from tests.alerts.made import verdict
from tests.alerts.pagerduty_stand_in import SECRET, signed, webhook
from tests.alerts.worker.smtp_server import PASSWORD, USER, Mailbox, serving
from tests.http_site import http_site

SECONDS = 60.0
ROUTES = """
[sink.duty]
kind = "pagerduty"
routing_key = "env:KEY"
url = "http://127.0.0.1:{pagerduty}/v2/enqueue"
webhook_secrets = ["env:HOOK_SECRET"]
allow_private = true

[sink.list]
kind = "email"
server = "localhost"
port = {smtp}
ca_file = "{ca}"
username = "env:SMTP_USER"
password = "env:SMTP_PASSWORD"
sender = "surgewatch@example.org"
to = ["shift@example.org"]
allow_private = true

[[route]]
sinks = ["duty", "list"]
"""
SECRETS = {"KEY": "key", "HOOK_SECRET": SECRET, "SMTP_USER": USER, "SMTP_PASSWORD": PASSWORD}


@asynccontextmanager
async def pagerduty(events: list[dict[str, Any]]) -> AsyncIterator[int]:
    async def enqueue(request: web.Request) -> web.Response:
        events.append(await request.json())
        return web.json_response({"status": "success"}, status=202)

    async with http_site([web.post("/v2/enqueue", enqueue)]) as port:
        yield port


async def until(true: Callable[[], bool], worker: Worker) -> None:
    try:
        async with asyncio.timeout(SECONDS):
            while not true():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(worker.tail(30)) from None


async def test_who_acknowledges_in_pagerduty_is_named_in_a_mail_of_the_same_thread(tmp_path: Path) -> None:
    events: list[dict[str, Any]] = []
    mailbox, port = Mailbox(), free_port()
    with EmbeddedBroker() as broker:
        broker.touch(*(topic.name for topic in topics()))
        async with pagerduty(events) as pages, serving(mailbox, tmp_path) as mails:
            routes = tmp_path / "routes.toml"
            routes.write_text(ROUTES.format(pagerduty=pages, smtp=mails.port, ca=mails.ca_file))
            environment = {
                "SURGEWATCH_BROKERS": broker.servers,
                "SURGEWATCH_STATE_DIR": str(tmp_path),
                "SURGEWATCH_ALERTS_PORT": str(port),
                "SURGEWATCH_ROUTES": str(routes),
                "SURGEWATCH_CLOCK": "event",
                **SECRETS,
            }
            worker = Worker("alerts", port, environment, tmp_path / "alerts.log")
            worker.start()
            try:
                await asyncio.to_thread(worker.wait_ready, SECONDS)
                producer = Producer({"bootstrap.servers": broker.servers})
                value = verdict(0, breach=True, observed=500).model_dump_json().encode()
                producer.produce("verdicts", value, b"swanton")
                producer.flush(SECONDS)
                await until(lambda: len(events) == len(mailbox.envelopes) == 1, worker)
                await _acknowledge(port, events[0]["dedup_key"])
                await until(lambda: len(events) == len(mailbox.envelopes) == 2, worker)
            finally:
                worker.kill()
    assert [event["event_action"] for event in events] == ["trigger", "acknowledge"]
    first, second = (email.message_from_bytes(one.content) for one in mailbox.envelopes)
    assert first["References"] == second["References"]
    text = second.get_payload()[0].get_payload(decode=True).decode()
    assert text.splitlines()[2] == "Anna Nowak takes care of it."
    assert not any(secret in worker.log.read_text() for secret in (SECRET, PASSWORD))


async def _acknowledge(port: int, dedup_key: str) -> None:
    body = webhook(dedup_key, dt.datetime.now(dt.UTC))
    async with aiohttp.ClientSession() as client:
        url = f"http://127.0.0.1:{port}/hooks/pagerduty"
        async with client.post(url, data=body, headers=signed(body, "foreign")) as answer:
            assert answer.status == 401
        async with client.post(url, data=body, headers=signed(body, SECRET)) as answer:
            assert (answer.status, json.loads(await answer.text())) == (200, {"status": "acknowledged"})
