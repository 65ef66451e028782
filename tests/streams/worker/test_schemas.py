"""Schemas are asked of a registry once each; who gets no answer waits, and who gets a no is refused."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from streams.counting.wire_format import Schema, SchemaError
from streams.worker.schema_registry import Answered, RegistryClient, RegistryError
from streams.worker.schema_registry_settings import SchemaRegistrySettings
from streams.worker.schema_source import schema_source
from streams.worker.schemas import Schemas
from tests import event_schemas
from tests.schema_registry import SchemaRegistry


@pytest.fixture
def registry() -> Iterator[SchemaRegistry]:
    with SchemaRegistry().serving() as found:
        yield found


def client(registry: SchemaRegistry, answers: Counter[Answered], **more: Any) -> RegistryClient:
    settings = SchemaRegistrySettings(url=registry.url, **more)
    return RegistryClient(settings, settings.tls, lambda answered: answers.update([answered]))


def records(*ids: int) -> list[SimpleNamespace]:
    values = [b"\0" + number.to_bytes(4, "big") + b"x" for number in ids]
    return [SimpleNamespace(value=value) for value in (*values, b"{}", None, b"", b"\0\0")]


async def needed(schemas: Schemas, *ids: int) -> None:
    """Wait until records of these schemas can be decoded."""
    waiting = schemas.prepare(records(*ids))
    if waiting is not None:
        await waiting


async def test_each_kind_of_schema_is_read_once_with_those_that_it_refers_to(
    registry: SchemaRegistry,
) -> None:
    place = registry.register("AVRO", '{"type": "enum", "name": "Place", "symbols": ["a"]}', "places/v1")
    reference = {"name": "Place", "subject": "places/v1", "version": 1}
    text = '{"type": "record", "name": "E", "fields": [{"name": "sector", "type": "Place"}]}'
    ids = [
        registry.register("AVRO", text, references=[reference]),
        registry.register("JSON", event_schemas.JSON_SCHEMA),
        registry.register("PROTOBUF", event_schemas.protobuf_text(event_schemas.protobuf())),
    ]
    answers = Counter[Answered]()
    async with client(registry, answers) as asked:
        schemas = Schemas(asked)
        await needed(schemas, *ids, *ids)
        assert schemas.prepare(records(*ids)) is None
    assert sorted(schemas.readers) == ids
    assert place not in schemas.readers
    assert schemas.readers[ids[0]](b"\0") == {"sector": "a"}
    assert answers == {Answered.FOUND: len(registry.asked)} == {Answered.FOUND: 5}


async def test_what_a_registry_answers_as_null_is_what_others_leave_out(registry: SchemaRegistry) -> None:
    registry.schemas.append(
        {"schemaType": None, "schema": event_schemas.avro(), "references": None, "metadata": None}
    )
    async with client(registry, Counter()) as asked:
        assert await asked.schema(1) == Schema("AVRO", event_schemas.avro())


async def test_an_id_that_the_registry_does_not_know_is_asked_for_again_and_then_refused_for_a_while(
    registry: SchemaRegistry,
) -> None:
    answers = Counter[Answered]()
    async with client(registry, answers) as asked:
        schemas = Schemas(asked, lag=0.01)
        await needed(schemas, 7)
        assert schemas.prepare(records(7, 2**31, 2**32 - 1)) is None
    assert schemas.readers == {}
    assert schemas.problem() is None
    assert answers == {Answered.UNKNOWN: 2}


async def test_a_schema_that_could_not_be_read_once_is_asked_for_again(registry: SchemaRegistry) -> None:
    """A registry that gave the text of a Protobuf file gives its descriptor after an upgrade."""
    number = registry.register("PROTOBUF", 'syntax = "proto3";')
    async with client(registry, Counter()) as asked:
        schemas = Schemas(asked, patience=0.3)
        await needed(schemas, number)
        assert schemas.prepare(records(number)) is None  # refused for a while, without asking
        with pytest.raises(SchemaError, match="no descriptor of a Protobuf file"):
            schemas.readers[number](b"\0")
        registry.schemas[number - 1]["schema"] = event_schemas.protobuf_text(event_schemas.protobuf())
        await asyncio.sleep(0.3)
        await needed(schemas, number)
        assert schemas.prepare(records(number)) is None
        assert schemas.readers[number](b"\4\2\0") == {"count": 0}


async def test_a_follower_that_lags_behind_refuses_nothing(registry: SchemaRegistry) -> None:
    async with client(registry, Counter()) as asked:
        schemas = Schemas(asked, lag=0.2)
        waiting = asyncio.create_task(needed(schemas, 1))
        await asyncio.sleep(0.1)
        registry.register("JSON", "{}")
        await waiting
    assert list(schemas.readers) == [1]


@pytest.mark.parametrize("trouble", ["status 500", "status 401", "Cannot connect"])
async def test_a_registry_without_an_answer_is_waited_for_and_named(trouble: str) -> None:
    registry = SchemaRegistry(login="worker:secret")
    number = registry.register("JSON", "{}")
    registry.status = 500 if "500" in trouble else 0
    answers = Counter[Answered]()
    password = "wrong" if "401" in trouble else "secret"
    async with client(registry, answers, username="worker", password=password) as asked:
        schemas = Schemas(asked)
        waiting = asyncio.create_task(needed(schemas, number))
        if "connect" not in trouble:
            with registry.serving():
                await named(schemas)
        await named(schemas)
        assert f"schema {number}: " in str(schemas.problem())
        assert "secret" not in str(schemas.problem())
        registry.status, registry.login = 0, ""
        with registry.serving():
            await asyncio.wait_for(waiting, 15)
    assert schemas.problem() is None
    assert list(schemas.readers) == [number]
    assert answers[Answered.UNKNOWN] == 0 < answers[Answered.FAILED]


async def named(schemas: Schemas) -> None:
    async with asyncio.timeout(10):
        while schemas.problem() is None:
            await asyncio.sleep(0.01)


async def test_a_page_that_is_not_the_registrys_is_no_answer(registry: SchemaRegistry) -> None:
    settings = SchemaRegistrySettings(url=f"{registry.url}/elsewhere")
    async with RegistryClient(settings, settings.tls, lambda _: None) as asked:
        with pytest.raises(RegistryError, match="status 404"):
            await asked.schema(1)


async def test_an_answer_without_end_does_not_fill_the_memory(registry: SchemaRegistry) -> None:
    number = registry.register("JSON", "x" * (4 << 20))
    async with client(registry, Counter()) as asked:
        with pytest.raises(RegistryError, match="too long for a schema"):
            await asked.schema(number)


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"url": "kafka:8081"}, "url is no http"),
        ({"url": "http://me:secret@registry"}, "user name and password have settings of their own"),
        ({"url": "http://a", "proxy": "socks5://b"}, "proxy is no http"),
        ({"url": "http://a/c?x=1"}, "url has a query or fragment"),
        ({"url": "http://a", "username": "a:b", "password": "secret"}, "username has a colon"),
        ({"url": "http://a", "token": "sec\nret"}, "token has characters that no HTTP header can have"),
        ({"url": "http://a", "username": "me"}, "username and password need each other"),
        ({"url": "http://a", "ca_file": "/no/such"}, "ca_file: no file /no/such"),
        ({"url": "http://a", "username": "me", "password": "x", "token": "t"}, "exclude each other"),
        ({"url": "http://a", "ca_file": __file__}, "ca_file: no certificate in PEM"),
    ],
)
def test_settings_that_cannot_work_are_named_without_secrets(settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault) as refused:
        SchemaRegistrySettings(**settings)
    assert "secret" not in str(refused.value)


def test_a_token_with_the_last_line_break_of_its_file_is_refused() -> None:
    """No header may have one: every request would fail."""
    with pytest.raises(ValidationError, match="token ends with a line break") as refused:
        SchemaRegistrySettings.model_validate({"url": "http://a", "token": "hunter2\n"})
    assert "hunter2" not in str(refused.value)


async def test_without_a_registry_nothing_is_asked_or_waited_for() -> None:
    async with schema_source(lambda _: None) as source:
        assert source.prepare(records(1)) is None
        assert (dict(source.readers), source.problem()) == ({}, None)
