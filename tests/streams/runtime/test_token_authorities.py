"""Tokens for Kafka come from a provider whose authority is the company's own."""

import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from streams.runtime.kafka_tokens import TokenError, Tokens, client_credentials
from tests.plain_authority import PlainAuthority, as_of_python_3_13


class Provider(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        token = {"access_token": "of the provider", "token_type": "Bearer", "expires_in": 60}
        self.wfile.write(json.dumps(token).encode())

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def authority(tmp_path: Path) -> PlainAuthority:
    return PlainAuthority(tmp_path)


@pytest.fixture
def tokens(authority: PlainAuthority) -> Iterator[Tokens]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.configure_cert(tls)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"https://localhost:{server.server_port}/token"
    yield Tokens(client_credentials(url=url, client_id="c", secret="s"), provider=url)
    server.shutdown()
    server.server_close()


def test_a_provider_of_a_plain_authority_is_trusted_and_of_another_it_is_not(
    tokens: Tokens, authority: PlainAuthority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_of_python_3_13(monkeypatch)
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    with pytest.raises(TokenError, match="is not trusted: name its CA in REQUESTS_CA_BUNDLE"):
        tokens.current()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    assert tokens.current().value == "of the provider"
