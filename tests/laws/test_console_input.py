"""The console answers whatever it is sent: with what was asked for, or with 4xx. Never with 500."""

import asyncio
import json
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.alerts.console.served import TOKEN, ServedConsole, opened
from tests.examples import few

PATHS = [
    "/",
    "/api/board",
    "/api/alerts",
    "/api/alerts/",
    "/api/controls",
    "/api/forms",
    "/metrics",
    "/console/",
]
NAMES = ["Authorization", "Host", "Content-Type", "Content-Length", "Transfer-Encoding", "Expect", "Cookie"]
NAMES += ["Accept", "Accept-Encoding", "Range", "If-Modified-Since", "Upgrade", "X-Any"]
BYTES = st.binary(max_size=40).map(lambda text: text.replace(b"\r", b"").replace(b"\n", b""))
SUSPICIOUS = [b"[::1", b"[::1]:9102", b"//", b"a@b", b"\x80", b"Bearer \xff", b"evil.example", b"localhost"]
SUSPICIOUS += [f"Bearer {TOKEN}".encode(), b"application/json", b"chunked", b"5", b"100-continue", b"gzip"]
VALUES = BYTES | st.sampled_from(SUSPICIOUS)
BEGINNINGS = ["", *PATHS, "http://", "http://[::1", "//", "*", "http://localhost:99999/", "/api/dead/"]
TARGETS = st.builds(
    lambda path, rest: path.encode() + rest.replace(b" ", b"%20"), st.sampled_from(BEGINNINGS), BYTES
)
BODIES = st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
).map(lambda value: json.dumps(value).encode(errors="surrogatepass"))
METHODS = st.sampled_from(
    [b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"CONNECT", b"X"]
)


@pytest.fixture(scope="module")
def console() -> Iterator[tuple[asyncio.Runner, ServedConsole]]:
    with asyncio.Runner() as runner:
        place = opened()
        yield runner, runner.run(place.__aenter__())
        runner.run(place.__aexit__(None, None, None))


async def status_of(served: ServedConsole, request: bytes) -> int:
    """The status of the answer; 0 where there is none yet: it waits for more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    try:
        writer.write(request)
        line = await asyncio.wait_for(reader.readline(), 2)
    except (ConnectionError, TimeoutError):
        return 0
    finally:
        writer.close()
    return int(line.split()[1]) if line else 0


def request_of(method: bytes, target: bytes, headers: Iterable[tuple[str, bytes]], body: bytes) -> bytes:
    lines = [b"%b %b HTTP/1.1" % (method, target)]
    lines += [name.encode() + b": " + value for name, value in headers]
    if not any(name in ("Content-Length", "Transfer-Encoding") for name, _ in headers):
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"Connection: close", b"", body])


@few(300)
@given(
    method=METHODS,
    target=TARGETS,
    headers=st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=4),
    body=BODIES,
)
@example(b"GET", b"/", [("Expect", b"\x80")], b"")
@example(b"GET", b"/nowhere", [("Expect", b"\x80")], b"")
def test_no_request_gives_a_500(console, method, target, headers, body):
    runner, served = console
    assert runner.run(status_of(served, request_of(method, target, headers, body))) < 500


@few(200)
@given(
    body=BODIES, target=st.sampled_from([b"/api/controls", b"/api/dead/%ff/resend", b"/api/dead/%00/resend"])
)
def test_no_body_of_who_has_the_token_gives_a_500(console, body, target):
    runner, served = console
    headers = [("Host", b"localhost"), ("Authorization", f"Bearer {TOKEN}".encode())]
    headers.append(("Content-Type", b"application/json"))
    assert 400 <= runner.run(status_of(served, request_of(b"POST", target, headers, body))) < 500


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("Host", b"localhost"), ("Authorization", b"Bearer \xff\xfe")], 401),
        ([("Host", b"[::1"), ("Authorization", b"Bearer \xff\xfe")], 421),
        ([("Host", b"evil.example"), ("Authorization", f"Bearer {TOKEN}".encode())], 421),
        (
            [
                ("Host", b"localhost"),
                ("Authorization", f"Bearer {TOKEN}".encode()),
                ("Authorization", b"Bearer no"),
            ],
            401,
        ),
    ],
)
def test_a_bad_host_is_421_and_a_bad_token_401(console, headers, status):
    runner, served = console
    assert runner.run(status_of(served, request_of(b"POST", b"/api/controls", headers, b"{}"))) == status


@pytest.mark.parametrize("encoding", [b"gzip", b"deflate", b"br", b"zstd", b"x"])
def test_a_compressed_body_is_refused_before_it_is_unpacked(console, encoding):
    runner, served = console
    headers = [("Host", b"localhost"), ("Authorization", f"Bearer {TOKEN}".encode())]
    headers += [("Content-Type", b"application/json"), ("Content-Encoding", encoding)]
    request = request_of(b"POST", b"/api/controls", headers, b"not compressed at all")
    assert runner.run(status_of(served, request)) in (400, 415)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET /api/board HTTP/1.1", 200),
        (b"GET http://localhost/api/board HTTP/1.1", 200),
        (b"GET http://evil.example/api/board HTTP/1.1", 421),
        (b"GET http://localhost@evil.example/api/board HTTP/1.1", 421),
        (b"GET /api/board HTTP/2.0", 400),
        (b"GET /api/board HTTP/0.9", 400),
    ],
)
def test_a_target_names_a_host_of_ours_and_a_version_is_one_that_is_spoken(console, line, status):
    runner, served = console
    request = b"\r\n".join([line, b"Host: localhost", b"Connection: close", b"", b""])
    assert runner.run(status_of(served, request)) == status
