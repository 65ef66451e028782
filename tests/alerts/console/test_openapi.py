"""The OpenAPI document: current, complete, and true of what the console answers."""

import asyncio
import json
from collections.abc import Iterator

import jsonschema
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck
from schemathesis import checks

from alerts.console.connections import Connections
from alerts.console.openapi import OPERATIONS, document, text
from alerts.console.site import site
from alerts.worker.console_server import ConsoleThread
from surgewatch.reference.openapi import TARGET
from tests.alerts.console.served import TOKEN, ServedConsole
from tests.examples import few

API = schemathesis.openapi.from_dict(document())
STREAMS = ["events"]  # an answer that does not end
EXCLUDED = [
    # A body that fits the schema may still name an unknown sector or alert: that is 422 or 404.
    checks.positive_data_acceptance,
]


@pytest.fixture(scope="module")
def console() -> Iterator[str]:
    """The real console in its thread, without Kafka behind it."""
    served = ServedConsole()
    thread = ConsoleThread(served.backend(), "127.0.0.1", 0)
    thread.start()
    yield f"http://127.0.0.1:{thread.listening.result(10)}"
    thread.stop()


@few(60, suppress_health_check=list(HealthCheck))
@(API.exclude(operation_id=STREAMS).parametrize())
def test_whatever_is_sent_the_answer_is_as_described(case, console) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    case.call_and_validate(base_url=console, headers=headers, excluded_checks=EXCLUDED)


@few(30, suppress_health_check=list(HealthCheck))
@(API.parametrize())
def test_a_wrong_token_is_401_whatever_is_sent(case, console) -> None:
    answer = case.call(base_url=console, headers={"Authorization": "Bearer wrong"})
    assert answer.status_code == 401


def test_the_committed_document_is_current() -> None:
    assert TARGET.read_text() == text(), "run `make docs` and commit what it writes"


def test_the_console_serves_its_document(console: str) -> None:
    assert requests.get(f"{console}/api/openapi.json", timeout=10).json() == json.loads(text())


def test_every_request_that_the_api_answers_is_described() -> None:
    async def routes() -> set[tuple[str, str]]:
        made = site(ServedConsole().backend(), Connections())
        return {(route.method.lower(), route.resource.canonical) for route in made.router.routes()}

    answered = {(method, path) for method, path in asyncio.run(routes()) if path.startswith("/api/")}
    described = {(operation.method, operation.path) for operation in OPERATIONS}
    assert described == {(method, path) for method, path in answered if method != "head"}


def conforms(answer: object, model: str) -> None:
    schema = {"$ref": f"#/components/schemas/{model}", "components": document()["components"]}
    jsonschema.validate(answer, schema)


def test_the_messages_of_the_event_stream_are_as_described(console: str) -> None:
    with requests.get(f"{console}/api/events", stream=True, timeout=10) as stream:
        data = next(line for line in stream.iter_lines() if line.startswith(b"data: "))
    conforms(json.loads(data[6:]), "BoardNews")


def test_a_control_that_is_accepted_is_answered_as_described(console: str) -> None:
    body = {"kind": "capacity", "sector": "swanton", "people_per_day": 60, "by": "anna", "reason": "tents"}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = requests.post(f"{console}/api/controls", json=body, headers=headers, timeout=10)
    assert answer.status_code == 202
    conforms(answer.json(), "AcceptedControl")
