"""A name server that does not answer is waited for; a name that is not there is not."""

import asyncio
import socket
from typing import Any

import pytest

from streams.runtime.broker_names import wait_for_names

SERVERS = ["kafka-1.example:9092", "kafka-2.example:9092"]


def answering(monkeypatch: pytest.MonkeyPatch, *answers: int | None) -> list[str]:
    """Give these answers, the last one for ever; None is an address. Return the hosts that were asked for."""
    asked: list[str] = []

    def getaddrinfo(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        answer = answers[min(len(asked), len(answers)) - 1]
        if answer is not None:
            raise socket.gaierror(answer, "as asked")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


async def test_a_name_server_that_does_not_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    again = socket.EAI_AGAIN
    asked = answering(monkeypatch, again, again, again, again, None)
    await asyncio.wait_for(wait_for_names(SERVERS, pause=0.01), 10)
    assert len(asked) == 6


async def test_a_name_that_is_not_there_is_left_to_the_diagnosis(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, socket.EAI_NONAME)
    await asyncio.wait_for(wait_for_names(SERVERS, pause=60), 10)
    assert sorted(asked) == ["kafka-1.example", "kafka-2.example"]


async def test_one_name_that_is_known_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, socket.EAI_AGAIN, None)
    await asyncio.wait_for(wait_for_names(SERVERS, pause=60), 10)


async def test_an_address_is_asked_for_without_brackets_and_a_name_without_a_port_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = answering(monkeypatch, None)
    await asyncio.wait_for(wait_for_names(["[fd00::1]:9093", "kafka.example"], pause=60), 10)
    assert sorted(asked) == ["fd00::1", "kafka.example"]
