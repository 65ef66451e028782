"""Authorities as many companies have them are trusted on every way out, whatever version of Python it is."""

import os
import ssl
import time
from pathlib import Path
from typing import Literal

import pytest
import trustme
from aiohttp import ClientSession, web
from pydantic import SecretStr

from alerts.console.access_document import AccessFile
from alerts.console.identity import Identity
from alerts.console.sessions import Sessions
from alerts.console.sign_in import SignIn
from alerts.sinks import Delivered, Retry
from alerts.sinks.webhook import WebhookSink
from alerts.worker.http_client import HttpClient
from surgewatch.harness.webhook_receiver import SECRET
from tests.alerts.console.identity_provider import IdentityProvider, providing
from tests.alerts.console.served import opened
from tests.alerts.sinks.test_sinks import FIRST
from tests.alerts.worker.smtp_server import Mailbox, serving
from tests.alerts.worker.test_mail_client import sent
from tests.http_site import http_site
from tests.plain_authority import PlainAuthority, as_of_python_3_13


@pytest.fixture
def tls() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)


@pytest.fixture
def authority(tmp_path: Path, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> PlainAuthority:
    found = PlainAuthority(tmp_path)
    found.configure_cert(tls)
    as_of_python_3_13(monkeypatch)
    return found


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_mail_server_of_a_plain_authority_is_trusted(
    tmp_path: Path, security: Literal["tls", "starttls"], monkeypatch: pytest.MonkeyPatch
) -> None:
    as_of_python_3_13(monkeypatch)
    mailbox = Mailbox()
    async with serving(mailbox, tmp_path, security, plain=True) as server:
        assert await sent(server.sink()) == Delivered()


async def test_an_identity_provider_of_a_plain_authority_is_trusted(
    tmp_path: Path, authority: PlainAuthority, tls: ssl.SSLContext
) -> None:
    async with providing(IdentityProvider({}), tls) as provider:
        path = tmp_path / "access.toml"
        path.write_text(f'[oidc]\nissuer = "{provider.url}"\nclient_id = "c"\nca_file = "{authority.file}"\n')
        access, sessions = AccessFile(path).current, Sessions()
        sign_in = SignIn(access, sessions, "https://console.test")
        identity = Identity(access=access, sessions=sessions)
        async with (
            opened(identity=identity, sign_in=sign_in) as served,
            ClientSession() as http,
            http.get(f"{served.url}/auth/login", allow_redirects=False) as answer,
        ):
            assert answer.status == 302


async def test_a_sink_is_trusted_by_the_authorities_of_ssl_cert_file_which_rotate(
    authority: PlainAuthority, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the chart gives `caBundle` to the worker."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))

    async def answer(_: web.Request) -> web.Response:
        return web.Response(headers={"Connection": "close"})

    async with http_site([web.post("/", answer)], tls=tls) as port:
        sink = WebhookSink("hook", SecretStr(f"https://localhost:{port}/"), SecretStr(SECRET), private=True)
        client = HttpClient()
        request = sink.request(FIRST, time.time())
        try:
            assert await client.send(sink, request) == Delivered()
            trustme.CA().cert_pem.write_to_path(authority.file)
            os.utime(authority.file, ns=(1, 1))  # another time, however coarse the disk's clock is
            assert await client.send(sink, request) == Retry("bad_certificate")
        finally:
            await client.close()
