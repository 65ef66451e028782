"""Health answers from a thread of its own."""

import urllib.error
import urllib.request

import pytest

from streams.runtime import health


@pytest.fixture
def url():
    routes = {
        "/healthz": lambda: health.verdict(None),
        "/readyz": lambda: health.verdict("no partitions yet"),
    }
    server = health.serve("127.0.0.1", 0, routes)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_sound_worker_answers_ok(url):
    with urllib.request.urlopen(f"{url}/healthz?verbose=1") as answer:
        assert answer.read() == b"ok\n"


def test_a_worker_that_is_not_ready_reports_what_it_waits_for(url):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{url}/readyz")
    with refused.value as answer:
        assert answer.code == 503
        assert answer.read() == b"no partitions yet\n"


def test_other_paths_are_not_found(url):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{url}/etc/passwd")
    with refused.value as answer:
        assert answer.code == 404
